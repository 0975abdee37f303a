//! Turns `vocabulary.yaml` into the slot constants and the attribute table, so that a name that is not in the vocabulary
//! does not compile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a build script fails by panicking

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    r#type: String,
    wire: u32,
    phase: String,
    from: String,
    absent: String,
    #[serde(default)]
    volatile: bool,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    always: bool,
}

fn variant(kind: &str) -> &'static str {
    match kind {
        "string" => "String",
        "int" => "Int",
        "bool" => "Bool",
        "timestamp" => "Timestamp",
        "duration" => "Duration",
        "map" => "Map",
        "list_map" => "ListMap",
        "struct" => "Struct",
        other => panic!("vocabulary.yaml: unknown type {other}"),
    }
}

fn main() {
    println!("cargo::rerun-if-changed=vocabulary.yaml");
    let text = fs::read_to_string("vocabulary.yaml").expect("vocabulary.yaml is beside build.rs");
    let entries: Vec<Entry> = serde_saphyr::from_str(&text).expect("vocabulary.yaml is a list of attributes");
    let (mut names, mut wires) = (BTreeSet::new(), BTreeSet::new());
    let mut slots = String::new();
    let mut table = String::from("static TABLE: &[Attribute] = &[\n");
    for (index, entry) in entries.iter().enumerate() {
        assert!(names.insert(&entry.name), "vocabulary.yaml: {} stands twice", entry.name);
        assert!(wires.insert(entry.wire), "vocabulary.yaml: wire number {} stands twice", entry.wire);
        let phase = match entry.phase.as_str() {
            "request" => "Request",
            "response" => "Response",
            other => panic!("vocabulary.yaml: unknown phase {other}"),
        };
        let constant = entry.name.replace('.', "_").to_uppercase();
        let name = &entry.name;
        writeln!(
            slots,
            "/// `{name}`: {}.\npub const {constant}: Slot = Slot({index});",
            entry.absent.replace('`', "'")
        )
        .unwrap();
        writeln!(
            table,
            "    Attribute {{ name: {name:?}, ty: Type::{}, slot: Slot({index}), wire: {}, phase: Phase::{phase}, volatile: {}, sensitive: {}, always: {}, from: {:?}, absent: {:?} }},",
            variant(&entry.r#type), entry.wire, entry.volatile, entry.sensitive, entry.always, entry.from, entry.absent,
        )
        .unwrap();
    }
    table.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let header = format!("/// How many attributes the vocabulary has.\npub const COUNT: usize = {};\n", entries.len());
    fs::write(Path::new(&out).join("slots.rs"), header + &slots).expect("OUT_DIR is writable");
    fs::write(Path::new(&out).join("table.rs"), table).expect("OUT_DIR is writable");
}
