//! What it takes to build in each language: where it is, which version, and how it gets there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Language;
use crate::failure::Failure;

/// The target that Rust builds components for.
pub(super) const RUST_TARGET: &str = "wasm32-wasip2";
/// Packages by language, with the one version that this weir was tested with.
const C: (&str, &str) = ("ziglang", "0.17.0");
const JS: (&str, &str) = ("componentize-qjs", "0.4.5");
const PY: (&str, &str) = ("componentize-py", "0.25.1");

/// Where weir keeps what it downloads and compiles for plugins: `WEIR_CACHE`, or the user's cache folder.
pub(super) fn cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("WEIR_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("weir")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/weir")))
        .unwrap_or_else(|| std::env::temp_dir().join("weir-cache"))
}

/// Where that language's tools are; nothing for Rust, whose own installer keeps them.
pub(super) fn folder(language: Language) -> Option<PathBuf> {
    let (package, version) = package(language)?;
    Some(cache().join("toolchains").join(format!("{package}-{version}")))
}

/// The package that brings a language's tools, and its version.
pub(super) fn package(language: Language) -> Option<(&'static str, &'static str)> {
    match language {
        Language::Rust => None,
        Language::C => Some(C),
        Language::Js => Some(JS),
        Language::Py => Some(PY),
    }
}

/// Where zig keeps the C library that it has built: with the tools, and for what is built of a plugin in its folder.
pub(super) fn c_cache() -> [(&'static str, PathBuf); 2] {
    let folder = folder(Language::C).unwrap_or_default().join("cache");
    [("ZIG_GLOBAL_CACHE_DIR", folder.clone()), ("ZIG_LOCAL_CACHE_DIR", folder)]
}

/// What builds, ready to be given arguments; the error says what is missing and how to get it.
pub(super) fn tool(language: Language) -> Result<Command, String> {
    let missing = || {
        format!(
            "the tools for {} are not here; get them: weir plugin setup --lang {}",
            language.title(),
            language.name()
        )
    };
    match language {
        Language::Rust => rust(),
        Language::C => {
            let zig = folder(language).unwrap_or_default().join("ziglang/zig");
            if zig.is_file() { Ok(Command::new(zig)) } else { Err(missing()) }
        }
        Language::Js => {
            let folder = folder(language).unwrap_or_default();
            let tool = folder.join("node_modules/.bin/componentize-qjs");
            if !tool.exists() {
                return Err(missing());
            }
            runs("node", &["--version"]).ok_or("node is not here; install Node.js 20 or later")?;
            Ok(Command::new(tool))
        }
        Language::Py => {
            let folder = folder(language).unwrap_or_default();
            let tool = folder.join("bin/componentize-py");
            if !tool.is_file() {
                return Err(missing());
            }
            let mut command = Command::new(tool);
            command.env("PYTHONPATH", &folder);
            Ok(command)
        }
    }
}

fn rust() -> Result<Command, String> {
    runs("cargo", &["--version"]).ok_or("cargo is not here; install Rust 1.95 or later with rustup")?;
    let sysroot = runs("rustc", &["--print", "sysroot"]).ok_or("rustc is not here; install Rust with rustup")?;
    if !Path::new(sysroot.trim()).join("lib/rustlib").join(RUST_TARGET).is_dir() {
        return Err(format!("Rust's target {RUST_TARGET} is not here; get it: rustup target add {RUST_TARGET}"));
    }
    Ok(Command::new("cargo"))
}

/// What a program prints, if it is there and ends well.
pub(super) fn runs(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command, with what it says on standard error; what fails is said with the command.
pub(super) fn run(command: &mut Command, what: &str) -> Result<(), Failure> {
    // Data goes to standard output, and what a tool says is none.
    command.stdin(Stdio::null()).stdout(std::io::stderr());
    let ended = command.status().map_err(|e| Failure::unreachable(format!("{what}: {e}")))?;
    if ended.success() { Ok(()) } else { Err(Failure::Unreachable(format!("{what} failed: {ended}"))) }
}
