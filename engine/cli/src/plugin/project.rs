//! A plugin's folder.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use clap::Args;
use weir_manifest::Manifest;

use super::{Language, sdk};
use crate::failure::Failure;

/// The file that makes a folder a plugin's.
pub(super) const MANIFEST: &str = "weir-plugin.toml";

/// Folders that hold what was made from the sources.
const MADE: [&str; 5] = ["dist", "target", ".weir", "node_modules", ".git"];

#[derive(Debug, Args)]
pub(super) struct Folder {
    /// The plugin's folder.
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

/// A plugin that is being written.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) root: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) language: Language,
}

impl Folder {
    pub(super) fn open(&self) -> Result<Project, Failure> {
        Project::open(&self.folder)
    }
}

impl Project {
    pub(super) fn open(root: &Path) -> Result<Project, Failure> {
        if !root.join(MANIFEST).is_file() {
            let shown = root.display();
            return Err(Failure::Usage(format!(
                "{shown}: no {MANIFEST} here; go to a plugin's folder, or make one: weir plugin new --lang rust --world check acme/geo"
            )));
        }
        let (manifest, _) = Manifest::read(root, MANIFEST).map_err(Failure::Usage)?;
        let file = |language| match language {
            Language::Rust => "Cargo.toml",
            Language::C => "plugin.c",
            Language::Js => "plugin.js",
            Language::Py => "plugin.py",
        };
        let there = Language::ALL.into_iter().find(|language| root.join(file(*language)).is_file());
        let language = there.ok_or_else(|| {
            Failure::Usage(format!(
                "{}: neither Cargo.toml nor plugin.c, plugin.js or plugin.py; one of them is the plugin",
                root.display()
            ))
        })?;
        Ok(Project { root: root.to_owned(), manifest, language })
    }

    /// The part of its name after the publisher.
    pub(super) fn name(&self) -> &str {
        self.manifest.name.split_once('/').map_or(&*self.manifest.name, |(_, name)| name)
    }

    /// Where its component is, or will be.
    pub(super) fn component(&self) -> PathBuf {
        self.root.join("dist").join(format!("{}.wasm", self.name()))
    }

    /// Writes this binary's SDK into it, where its build looks for it.
    pub(super) fn write_sdk(&self) -> Result<PathBuf, Failure> {
        let folder = self.root.join(".weir/sdk");
        sdk::write(self.language, &folder).map_err(|e| Failure::unreachable(format!("{}: {e}", folder.display())))?;
        Ok(folder)
    }

    /// Whether a source is newer than the component, or there is none.
    pub(super) fn is_stale(&self) -> bool {
        let built = fs::metadata(self.component()).and_then(|file| file.modified());
        match (built, newest(&self.root)) {
            (Ok(built), Ok(newest)) => newest > built,
            _ => true,
        }
    }
}

/// When the last change was made to a file that a component is built from.
pub(super) fn newest(folder: &Path) -> io::Result<SystemTime> {
    let mut last = SystemTime::UNIX_EPOCH;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let time = match entry.file_type()?.is_dir() {
            true if MADE.contains(&&*name) || name == "tests" => continue,
            true => newest(&entry.path())?,
            // Tests, the operator's side and the lock file are no sources.
            false if [".yaml", ".lock", ".md"].iter().any(|end| name.ends_with(end)) => continue,
            false => entry.metadata()?.modified()?,
        };
        last = last.max(time);
    }
    Ok(last)
}

/// The name of an input in the languages: every character that no name may have is `_`.
pub(super) fn ident(input: &weir_manifest::Input) -> String {
    let spoken = input.to_string();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    spoken.trim_end_matches(']').chars().map(plain).collect()
}
