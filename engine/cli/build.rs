//! Puts the SDK into the binary, so that `weir plugin new` works anywhere: every file of `sdk`, and a manifest for the
//! workspace that the Rust crates become in a project, with what the house's own says of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use toml::{Table, Value};

/// What of `sdk` goes in.
const FOLDERS: [&str; 7] = ["wit", "manifest/src", "rust/src", "rust/macros/src", "c", "js", "python"];
/// Files of it.
const FILES: [&str; 3] = ["manifest/Cargo.toml", "rust/Cargo.toml", "rust/macros/Cargo.toml"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let sdk = root.join("sdk");
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in FOLDERS.iter().chain(&["templates"]).map(|folder| sdk.join(folder)).filter(|folder| folder.is_dir()) {
        println!("cargo:rerun-if-changed={}", folder.display());
        walk(&folder, &mut found)?;
    }
    found.sort();
    let mut list = String::from("pub(crate) static FILES: &[(&str, &[u8])] = &[\n");
    for file in &found {
        println!("cargo:rerun-if-changed={}", file.display());
        writeln!(list, "    ({:?}, include_bytes!({:?})),", file.strip_prefix(&sdk)?.display().to_string(), file)?;
    }
    for file in FILES {
        let whole = sdk.join(file);
        println!("cargo:rerun-if-changed={}", whole.display());
        // Its tests stay here.
        let mut package: Table = fs::read_to_string(whole)?.parse()?;
        package.remove("dev-dependencies");
        let part = out.join(file.replace('/', "-"));
        fs::write(&part, toml::to_string(&package)?)?;
        writeln!(list, "    ({file:?}, include_bytes!({part:?})),")?;
    }
    fs::write(out.join("Cargo.toml"), workspace(&root)?)?;
    writeln!(list, "    (\"Cargo.toml\", include_bytes!({:?})),\n];", out.join("Cargo.toml"))?;
    fs::write(out.join("sdk.rs"), list)?;
    Ok(())
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// The house's manifest, less what is not the SDK's.
fn workspace(root: &Path) -> Result<String, Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={}", root.join("Cargo.toml").display());
    let house: Table = fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    let house = house.get("workspace").and_then(Value::as_table).ok_or("the workspace is gone")?;
    let mut wanted: Vec<String> = Vec::new();
    for file in FILES {
        let package: Table = fs::read_to_string(root.join("sdk").join(file))?.parse()?;
        wanted
            .extend(package.get("dependencies").and_then(Value::as_table).into_iter().flat_map(|t| t.keys().cloned()));
    }
    let mut dependencies = house.get("dependencies").and_then(Value::as_table).cloned().unwrap_or_default();
    dependencies.retain(|name, _| wanted.iter().any(|wanted| wanted == name));
    for (_, dependency) in dependencies.iter_mut() {
        if let Some(Value::String(path)) = dependency.get_mut("path") {
            *path = path.trim_start_matches("sdk/").to_owned();
        }
    }
    let mut sdk = Table::new();
    sdk.insert("resolver".into(), "3".into());
    sdk.insert("members".into(), vec!["manifest", "rust", "rust/macros"].into());
    for part in ["package", "lints"] {
        sdk.insert(part.into(), house.get(part).cloned().ok_or("a part of the workspace is gone")?);
    }
    sdk.insert("dependencies".into(), dependencies.into());
    let mut whole = Table::new();
    whole.insert("workspace".into(), sdk.into());
    Ok(toml::to_string(&whole)?)
}
