//! What fuzzing starts from: expressions of every form, and the words of the language.

use std::{collections::BTreeSet, fs, path::Path};

use crate::differential::generate::{ALL, Random, expression};
use weir_cel::{Env, Type, functions};

/// Where `make fuzz` wants them: as files in `corpus`, and as `cel.dict`.
const FOLDER: &str = "WEIR_CEL_SEEDS";

const COUNT: u64 = 600;

const SYMBOLS: &[&str] = &[
    "==",
    "!=",
    "<=",
    ">=",
    "&&",
    "||",
    ".?",
    "[?",
    "{?",
    "in",
    "true",
    "false",
    "null",
    "b'",
    "r'",
    "'''",
    "0x",
    "1u",
    "1e9",
    "-9223372036854775808",
    "google.protobuf.Struct{",
    "google.protobuf.Int64Value{value: 1}",
    "request.headers",
    "request.method",
    "source.principal",
    "destination.labels",
    "dyn(",
    "//",
    "\\u00e9",
];

fn seeds() -> Vec<String> {
    let attribute = |attribute: &weir_attributes::Attribute| format!("has({0}) && {0} == {0}", attribute.name);
    let generated = (0..COUNT).map(|seed| {
        let mut random = Random::new(seed);
        expression(*random.pick(&ALL), &mut random, 1 + (seed % 3) as usize)
    });
    generated.chain(weir_attributes::vocabulary().iter().map(attribute)).collect()
}

fn words() -> BTreeSet<String> {
    let called = |signature: weir_cel::Signature| {
        if signature.is_method() { format!(".{}(", signature.name()) } else { format!("{}(", signature.name()) }
    };
    functions().map(called).chain(SYMBOLS.iter().map(|symbol| (*symbol).to_owned())).collect()
}

/// A word as libFuzzer reads it.
fn quoted(word: &str) -> String {
    format!("\"{}\"\n", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[test]
fn most_seeds_are_expressions() {
    let names = ["i", "j", "u", "d", "b", "c", "s", "t", "y", "l", "ts", "m", "n", "absent"];
    let env = names.iter().fold(Env::builder().vocabulary_all(), |env, name| env.variable(name, Type::Dyn)).build();
    let seeds = seeds();
    let compiled = seeds.iter().filter(|seed| env.compile(seed).is_ok()).count();
    assert!(compiled * 10 > seeds.len() * 9, "of {} only {compiled}", seeds.len());
    assert!(words().len() > 120, "{}", words().len());
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let corpus = Path::new(&folder).join("corpus");
    fs::create_dir_all(&corpus).unwrap();
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(corpus.join(number.to_string()), seed).unwrap();
    }
    fs::write(Path::new(&folder).join("cel.dict"), words().iter().map(|word| quoted(word)).collect::<String>())
        .unwrap();
}
