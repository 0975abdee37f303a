//! Rust: cargo makes the component, the SDK's macro puts the manifest in.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value as Json;

use crate::failure::Failure;
use crate::plugin::Language;
use crate::plugin::project::Project;
use crate::plugin::toolchain::{RUST_TARGET, tool};

pub(super) fn build(project: &Project) -> Result<Vec<u8>, Failure> {
    let mut cargo = tool(Language::Rust).map_err(Failure::Unreachable)?;
    cargo.args(["build", "--release", "--target", RUST_TARGET, "--message-format", "json-render-diagnostics"]);
    // Flags of the environment are meant for a host.
    cargo.current_dir(&project.root).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let failed = |e: std::io::Error| Failure::unreachable(format!("cargo: {e}"));
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let lines = child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok);
    let component = lines.filter_map(|line| artifact(&line)).last();
    if !child.wait().map_err(failed)?.success() {
        return Err(Failure::Finding);
    }
    let file = component.ok_or_else(|| {
        Failure::Usage("cargo built no component; Cargo.toml needs [lib] crate-type = [\"cdylib\"]".to_owned())
    })?;
    std::fs::read(&file).map_err(|e| Failure::unreachable(format!("{}: {e}", file.display())))
}

/// The component that this line of cargo's says was made.
fn artifact(line: &str) -> Option<PathBuf> {
    let message: Json = serde_json::from_str(line).ok()?;
    let files = message.get("filenames")?.as_array()?.iter().filter_map(Json::as_str);
    files.filter(|file| file.ends_with(".wasm")).map(PathBuf::from).next()
}
