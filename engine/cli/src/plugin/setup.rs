//! `weir plugin setup`: installs what it takes to build in a language.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use clap::Args;

use super::toolchain::{RUST_TARGET, c_cache, folder, package, run, runs, tool};
use super::{Language, build, new};
use crate::failure::Failure;
use crate::terminal::{say, tell};

/// Installs what it takes to build in a language: one tested version, into a cache folder, nothing system-wide.
///
/// Rust's target comes through rustup. For C it is the package ziglang (a C compiler) from Python's index, for Python
/// componentize-py from there, for JavaScript componentize-qjs from npm.
#[derive(Debug, Args)]
#[command(after_help = "The folder is WEIR_CACHE, or weir in the user's cache folder; removing it undoes setup.")]
pub(super) struct Setup {
    /// The language.
    #[arg(long, value_enum)]
    lang: Language,
}

impl Setup {
    pub(super) fn run(self) -> Result<(), Failure> {
        let began = Instant::now();
        match self.lang {
            Language::Rust => rust()?,
            language if tool(language).is_ok() => {}
            language => install(language)?,
        }
        if self.lang == Language::C {
            c_library()?;
        }
        tool(self.lang).map_err(Failure::Unreachable)?;
        let place = folder(self.lang).map_or_else(|| format!("target {RUST_TARGET}"), |f| f.display().to_string());
        let (language, seconds) = (self.lang.title(), began.elapsed().as_secs());
        say(&format!("ready for {language}: {place} ({seconds} s)\n"));
        Ok(())
    }
}

fn rust() -> Result<(), Failure> {
    if tool(Language::Rust).is_err() {
        if runs("rustup", &["--version"]).is_none() {
            let fix = "neither the target nor rustup is here; install Rust with rustup, then run this again";
            return Err(Failure::Unreachable(format!("{RUST_TARGET}: {fix}")));
        }
        step(&format!("rustup target add {RUST_TARGET}"));
        run(Command::new("rustup").args(["target", "add", RUST_TARGET]), "rustup")?;
    }
    step("crates that plugins are built with");
    let place = tempfile::tempdir().map_err(Failure::unreachable)?;
    new::make(Language::Rust, new::World::Check, "weir", "probe", place.path())?;
    let mut fetch = Command::new("cargo");
    fetch.args(["fetch", "--quiet", "--target", RUST_TARGET]).current_dir(place.path().join("probe"));
    run(&mut fetch, "cargo fetch")
}

/// Zig builds the C library from its sources at the first use: now, rather than in somebody's first build.
fn c_library() -> Result<(), Failure> {
    step("the C library");
    let place = tempfile::tempdir().map_err(Failure::unreachable)?;
    let probe = place.path().join("probe.c");
    std::fs::write(
        &probe,
        "#include <stdio.h>\n__attribute__((export_name(\"f\"))) int f(char *to) { return sprintf(to, \"%d\", 1); }\n",
    )
    .map_err(Failure::unreachable)?;
    let mut zig = tool(Language::C).map_err(Failure::Unreachable)?;
    zig.args(build::c::FLAGS).arg("-o").arg(place.path().join("probe.wasm")).arg(&probe).envs(c_cache());
    run(&mut zig, "zig cc")
}

/// Into a folder beside the right one, which is renamed when it is whole.
fn install(language: Language) -> Result<(), Failure> {
    let (Some((name, version)), Some(folder)) = (package(language), folder(language)) else { return Ok(()) };
    let failed = |e: std::io::Error| Failure::unreachable(format!("{}: {e}", folder.display()));
    let half = folder.with_extension("half");
    let _ = std::fs::remove_dir_all(&half);
    std::fs::create_dir_all(&half).map_err(failed)?;
    step(&format!("{name} {version} into {}", folder.display()));
    match language {
        Language::Js => npm(&half, name, version)?,
        _ => pip(&half, name, version)?,
    }
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::rename(&half, &folder).map_err(failed)
}

fn pip(folder: &Path, name: &str, version: &str) -> Result<(), Failure> {
    let python = "python3";
    if runs(python, &["-m", "pip", "--version"]).is_none() {
        return Err(Failure::Unreachable(
            "python3 with pip is not here; install it (on Debian: python3-pip), then run this again".to_owned(),
        ));
    }
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--progress-bar", "on", "--target"]);
    run(pip.arg(folder).arg(format!("{name}=={version}")), "pip install")
}

fn npm(folder: &Path, name: &str, version: &str) -> Result<(), Failure> {
    if runs("npm", &["--version"]).is_none() {
        return Err(Failure::Unreachable(
            "npm is not here; install Node.js 20 or later, then run this again".to_owned(),
        ));
    }
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(folder).arg(format!("{name}@{version}"));
    run(&mut npm, "npm install")
}

fn step(what: &str) {
    tell(&format!("== {what}\n"));
}
