//! The repository keeps its own style: arrows one way, small files, short functions, nothing of this machine.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use weir_tests::repository::root;

/// A file longer than this needs its reason in the first comment, with the word `long`.
const LINES_A_FILE: usize = 400;

/// No function is longer, not counting lines that are one text of a list: those are data that rustfmt laid out.
const LINES_A_FUNCTION: usize = 70;

/// How high each crate stands; a crate may know only crates that stand lower. `listen` and `proto` know nobody and are
/// known by doors alone; the binary stands on top.
const FLOORS: [(&str, u8); 18] = [
    ("weir-attributes", 0),
    ("weir-cel", 1),
    ("weir-policy", 2),
    ("weir-config", 3),
    ("weir-wasm", 0),
    ("weir-adapters", 3),
    ("weir-proxy-wasm", 3),
    ("weir-providers", 3),
    ("weir-telemetry", 3),
    ("weir-runtime", 4),
    ("weir-listen", 4),
    ("weir-proto", 4),
    ("weir-server", 5),
    ("weir-sidecar", 5),
    ("weir", 6),
    ("weir-manifest", 0),
    ("weir-sdk-macros", 1),
    ("weir-sdk", 2),
];

/// Crates that stand beside the house and measure it.
const STANDS_BESIDE: [&str; 6] =
    ["weir-bench", "weir-bench-adapters", "weir-bench-cel", "weir-bench-policy", "weir-conformance", "weir-issuer"];

/// Crates that only the named ones may depend on.
const RESERVED: [(&str, &[&str]); 7] = [
    // Components in one, core modules in the other, what both need in the third.
    ("wasmtime", &["weir-adapters", "weir-proxy-wasm", "weir-wasm"]),
    ("wasmtime-wasi", &["weir-adapters"]),
    ("opentelemetry", &["weir-telemetry"]),
    ("opentelemetry_sdk", &["weir-telemetry"]),
    ("opentelemetry-otlp", &["weir-telemetry"]),
    // The door speaks it, and so do the authorizers that are asked.
    ("envoy-types", &["weir-server", "weir-providers"]),
    ("axum", &["weir-server", "weir-sidecar"]),
];

#[test]
fn the_arrows_point_one_way() {
    let floors = BTreeMap::from(FLOORS);
    let mut wrong = Vec::new();
    for (name, needs) in dependencies() {
        let Some(&floor) = floors.get(name.as_str()) else { continue };
        for need in needs {
            let Some(&below) = floors.get(need.as_str()) else { continue };
            if below >= floor {
                wrong.push(format!("{name} (floor {floor}) must not know {need} (floor {below})"));
            }
            if ["weir-listen", "weir-proto"].contains(&need.as_str()) && floor < 5 {
                wrong.push(format!("{name} is no door, so it must not know {need}"));
            }
            if ["weir-listen", "weir-proto"].contains(&name.as_str()) {
                wrong.push(format!("{name} knows nobody, but {need}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_engine_crate_has_a_floor() {
    let floors = BTreeMap::from(FLOORS);
    let unknown: Vec<_> = dependencies()
        .into_keys()
        .filter(|name| {
            !name.starts_with("weir-tests")
                && !STANDS_BESIDE.contains(&name.as_str())
                && !floors.contains_key(name.as_str())
        })
        .collect();
    assert!(unknown.is_empty(), "say in FLOORS where these stand: {unknown:?}");
}

#[test]
fn a_crates_folder_is_its_name_without_the_prefix() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let (name, manifest) = (package["name"].as_str().unwrap(), package["manifest_path"].as_str().unwrap());
        let folder = PathBuf::from(manifest).parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let expected = match name {
            "weir" => "cli",
            "weir-sdk" => "rust",
            "weir-sdk-macros" => "macros",
            name => name.strip_prefix("weir-").unwrap_or(name),
        };
        assert_eq!(folder, expected, "{name}");
    }
}

#[test]
fn only_its_owner_knows_a_reserved_library() {
    let dependencies = dependencies();
    for (library, owners) in RESERVED {
        for (name, needs) in &dependencies {
            let test = ["weir-tests", "weir-bench", "weir-bench-adapters", "weir-conformance"].contains(&name.as_str());
            assert!(
                test || !needs.contains(library) || owners.contains(&name.as_str()),
                "{name} must not depend on {library}: only {owners:?} may"
            );
        }
    }
}

#[test]
fn one_telemetry_file_knows_opentelemetry() {
    let knowing: Vec<_> = sources()
        .into_iter()
        .filter(|(path, _)| path.starts_with("engine/telemetry/src"))
        .filter(|(path, _)| !path.contains("/tests"))
        .filter(|(_, text)| {
            code_lines(text).any(|line| line.contains("opentelemetry_") || line.contains("opentelemetry::"))
        })
        .map(|(path, _)| path)
        .collect();
    assert!(knowing.len() <= 1, "only one file may name the library: {knowing:?}");
}

#[test]
fn no_file_is_called_mod_rs_or_utils() {
    for (path, _) in sources() {
        let name = path.rsplit('/').next().unwrap();
        for bad in ["mod.rs", "utils.rs", "util.rs", "common.rs", "manager.rs", "helper.rs", "helpers.rs", "misc.rs"] {
            assert_ne!(name, bad, "{path}");
        }
    }
}

#[test]
fn a_file_of_over_400_lines_says_why() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let first: String = text.lines().take_while(|line| line.starts_with("//")).collect();
        if text.lines().count() > LINES_A_FILE
            && !["long", "length"].iter().any(|word| first.to_lowercase().contains(word))
        {
            wrong.push(format!("{path}: {} lines", text.lines().count()));
        }
    }
    assert!(wrong.is_empty(), "split them, or say in the first comment why they are long:\n{}", wrong.join("\n"));
}

#[test]
fn no_function_is_longer_than_70_lines() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (name, length) in functions(&text) {
            if length > LINES_A_FUNCTION {
                wrong.push(format!("{path}: {name} has {length} lines"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_names_this_machine() {
    let mut marks = vec![root().display().to_string()];
    for folder in ["HOME", "CARGO_HOME", "RUSTUP_HOME"] {
        marks.extend(std::env::var(folder).ok().filter(|path| path.len() > 1).map(|path| format!("{path}/.")));
    }
    // Registries are named by clients' settings, never by us.
    for host in [["index.crates", "io"], ["static.crates", "io"], ["files.pythonhosted", "org"], ["deb.debian", "org"]]
    {
        marks.push(host.join("."));
    }
    let mut wrong = Vec::new();
    for path in files() {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        wrong.extend(marks.iter().filter(|mark| text.contains(*mark)).map(|mark| format!("{path} names {mark}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_ruler_measures_functions() {
    let list = "fn list() -> [&'static str; 2] {\n    [\n        \"a\",\n        \"b, c\",\n    ]\n}\n";
    assert_eq!(functions(list), [("list", 4)]);
    let text = "impl A {\n    fn short() {}\n\n    pub async fn long(\n        a: u8,\n    ) -> u8 {\n        a\n    }\n}\nconst fn last() {\n}\n";
    assert_eq!(functions(text), [("short", 1), ("long", 5), ("last", 2)]);
}

/// Each function of a file that rustfmt laid out, with its length: from its `fn` to the brace of the same indent.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let Some(name) = name_of_function(code) else { continue };
        if code.ends_with('}') || code.ends_with(';') {
            found.push((name, 1));
            continue;
        }
        let end = lines[at..].iter().position(|line| {
            let code = line.trim_start();
            line.len() - code.len() == indent && (code.starts_with('}') || code.ends_with(';'))
        });
        let data = |line: &&&str| line.trim().starts_with('"') && line.ends_with("\",");
        found.extend(end.map(|end| (name, end + 1 - lines[at..at + end].iter().filter(data).count())));
    }
    found
}

fn name_of_function(code: &str) -> Option<&str> {
    let (before, after) = code.split_once("fn ")?;
    let words = ["pub", "async", "const", "unsafe", "extern", "\"C\"", "pub(crate)", "pub(super)"];
    before.split_whitespace().all(|word| words.contains(&word)).then_some(())?;
    after.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// The files that git knows; a copy without git is walked by nobody, so these rules hold in a clone only.
fn files() -> Vec<String> {
    let output = std::process::Command::new("git").current_dir(root()).args(["ls-files"]).output().unwrap();
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Path and text of every Rust file that git knows and that still is there.
fn sources() -> Vec<(String, String)> {
    let rust = files().into_iter().filter(|path| path.ends_with(".rs"));
    rust.filter_map(|path| Some((path.clone(), std::fs::read_to_string(root().join(path)).ok()?))).collect()
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = std::process::Command::new(cargo)
        .current_dir(root())
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What each crate of the workspace depends on, for its code and its build, not for its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let needs = package["dependencies"].as_array().unwrap().iter();
            let needs =
                needs.filter(|need| need["kind"] != "dev").map(|need| need["name"].as_str().unwrap().to_owned());
            (package["name"].as_str().unwrap().to_owned(), needs.collect())
        })
        .collect()
}
