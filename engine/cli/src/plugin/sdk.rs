//! The SDK, as it is in this binary.

use std::path::Path;
use std::{fs, io};

use super::Language;

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The files whose path begins with `prefix`, by what comes after it.
pub(super) fn under(prefix: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().filter_map(move |(path, bytes)| Some((path.strip_prefix(prefix)?, *bytes)))
}

/// Writes what a language needs of the SDK into `folder`; files that are the same stay as they are, so that nothing is
/// built again for nothing.
pub(super) fn write(language: Language, folder: &Path) -> io::Result<()> {
    let parts: &[&str] = match language {
        Language::Rust => &["Cargo.toml", "manifest/", "rust/", "wit/"],
        Language::C => &["c/", "wit/"],
        Language::Js => &["js/", "wit/"],
        Language::Py => &["python/", "wit/"],
    };
    for part in parts {
        for (rest, bytes) in under(part) {
            put(&folder.join(format!("{part}{rest}")), bytes)?;
        }
    }
    Ok(())
}

/// Writes a file and its folders, unless it is there already.
pub(super) fn put(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(file).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, bytes)
}
