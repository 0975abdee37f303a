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

/// Reads the history; false, and the reason is told, when it cannot be used.
pub(super) fn load<H: Helper>(editor: &mut Editor<H, FileHistory>, file: &Path) -> bool {
    let refused = |why: &dyn std::fmt::Display| {
        tell(&format!("{}: {why}; there is no history in this session\n", file.display()));
        false
    };
    if std::fs::metadata(file).is_ok_and(|metadata| metadata.len() > FILE_BYTES_MAX) {
        return refused(&format!("over {FILE_BYTES_MAX} bytes"));
    }
    if let Err(error) = file.parent().map_or(Ok(()), std::fs::create_dir_all) {
        return refused(&error);
    }
    match editor.load_history(file) {
        Err(ReadlineError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => refused(&error),
        Ok(()) => true,
    }
}

/// Adds what is new to the file, after each line: a session may end without a farewell.
pub(super) fn keep<H: Helper>(editor: &mut Editor<H, FileHistory>, file: &Path) {
    // What cannot be kept now was kept so far, and is asked for next time.
    let _ = editor.append_history(file);
}
