//! What can go wrong beside the configuration itself.

use std::path::{Path, PathBuf};

/// What can go wrong beside the configuration itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk refused.
    #[error("cannot use the state file {path}: {source}; check the permissions and the space of its folder", path = path.display())]
    State {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The last good configuration is not what was written.
    #[error("the last good configuration {path} is damaged: {why}; it is ignored, and replaced when a configuration is accepted", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What shows it.
        why: String,
    },
    /// The last good configuration is that of another folder.
    #[error("the last good configuration {path} is that of {root}, not of this folder; it is ignored: give each engine a state folder of its own", path = path.display(), root = root.display())]
    Elsewhere {
        /// The file.
        path: PathBuf,
        /// The folder it was read from.
        root: PathBuf,
    },
}

impl Error {
    pub(crate) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Error::Damaged { path: path.to_owned(), why: why.into() }
    }
}
