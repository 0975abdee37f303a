//! Where things lie in the repository and in its target folder.

use crate::Outcome;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where `weir plugin` keeps its tools when stories run it.
pub fn plugin_tools() -> PathBuf {
    std::env::var_os("WEIR_CACHE").map_or_else(|| target().join("tools/weir"), PathBuf::from)
}

/// The top folder of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The target folder, where `cargo` of this very build put its results.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// `target/plugins/dist`, with the plugins that ship with Weir as `NAME.wasm`.
///
/// Built by `make plugins`; the error says so when they are not there.
pub fn plugins() -> Outcome<PathBuf> {
    let folder = std::env::var_os("WEIR_PLUGINS").map_or_else(|| target().join("plugins/dist"), PathBuf::from);
    match folder.join("access-log.wasm").is_file() {
        true => Ok(folder),
        false => Err(format!("no plugins in {}: run `make plugins` first", folder.display()).into()),
    }
}

/// The built `weir`: `WEIR_BIN`, else the one next to this test or demo, built (once a process) when it is stale.
pub fn weir() -> Outcome<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    if let Some(path) = std::env::var_os("WEIR_BIN") {
        return Ok(PathBuf::from(path));
    }
    BUILT.get_or_init(|| build().map_err(|trouble| trouble.to_string())).clone().map_err(Into::into)
}

/// `cargo build -p weir` in the profile that this process was built in: a stale binary would test yesterday's engine.
fn build() -> Outcome<PathBuf> {
    let me = std::env::current_exe()?;
    let folder = me.parent().map(|dir| if dir.ends_with("deps") { dir.parent().unwrap_or(dir) } else { dir });
    let folder = folder.ok_or("this program has no folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    command.current_dir(root()).args(["build", "--quiet", "-p", "weir"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    if !command.status()?.success() {
        return Err("`cargo build -p weir` failed: see its messages above".into());
    }
    Ok(folder.join(format!("weir{}", std::env::consts::EXE_SUFFIX)))
}
