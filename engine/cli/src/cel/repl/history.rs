//! The lines of earlier sessions.

use std::path::{Path, PathBuf};

use rustyline::{Editor, Helper, error::ReadlineError, history::FileHistory};

use crate::terminal::tell;

/// How many lines are kept.
pub(super) const ENTRIES_MAX: usize = 1000;

/// A larger file is not what this wrote: it is neither read nor touched.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Where the history is kept; none when the user has no home.
pub(super) fn file() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("weir/cel-history"))
}

pub(super) fn load<H: Helper>(editor: &mut Editor<H, FileHistory>, file: &Path) {
    if is_too_large(file) {
        tell(&format!("{}: over {FILE_BYTES_MAX} bytes, so the history is not used\n", file.display()));
        return;
    }
    match editor.load_history(file) {
        Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => tell(&format!("{}: {error}; the history is not read\n", file.display())),
        Ok(()) => {}
    }
}

pub(super) fn save<H: Helper>(editor: &mut Editor<H, FileHistory>, file: &Path) {
    if is_too_large(file) {
        return;
    }
    let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(ReadlineError::Io);
    if let Err(error) = folder.and_then(|()| editor.append_history(file)) {
        tell(&format!("{}: {error}; the history is not kept\n", file.display()));
    }
}

fn is_too_large(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| metadata.len() > FILE_BYTES_MAX)
}
