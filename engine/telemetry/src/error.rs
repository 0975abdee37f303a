//! What can go wrong when telemetry is set up; at run time a loss is counted, never returned.

use std::{io, path::PathBuf};

/// Why telemetry could not be started or a metric family was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file to write to could not be opened.
    #[error("cannot open {path} for appending ({source}); check that its folder exists and is writable")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A writer thread could not be started.
    #[error("cannot start the thread `{name}` ({source}); raise the limit on threads")]
    Thread {
        /// The thread's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The redaction key could not be read.
    #[error("cannot read the redaction key {path} ({source}); check the path and its permissions")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The redaction key is so short that its hashes could be reversed by trying.
    #[error("the redaction key has {len} bytes; give at least {least}, for instance from /dev/urandom")]
    KeyTooShort {
        /// Bytes that were given.
        len: usize,
        /// Bytes that are needed.
        least: usize,
    },
    /// The system gave no randomness for a key.
    #[error("the system gave no random bytes ({0}); give a redaction key in a file")]
    Random(getrandom::Error),
    /// A metric family that cannot be exposed.
    #[error("metric `{name}` of {owner}: {problem}")]
    Family {
        /// Who declared it.
        owner: String,
        /// Its name as declared.
        name: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The OTLP endpoint or a header for it is malformed.
    #[error("OTLP endpoint `{endpoint}`: {problem}")]
    Otlp {
        /// The endpoint as given.
        endpoint: String,
        /// What is wrong and what to do.
        problem: String,
    },
}
