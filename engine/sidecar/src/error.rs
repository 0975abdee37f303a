//! Why the sidecar does not start.

use std::path::PathBuf;

/// Why the sidecar does not start. Each text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port cannot be bound, or the certificate files cannot be used.
    #[error(transparent)]
    Listen(#[from] weir_listen::Error),
    /// `upstream` is not an address to forward to.
    #[error("upstream `{0}` is not of the form http://HOST:PORT or HOST:PORT; give --upstream such an address")]
    Upstream(String),
    /// `engine` is not an address to ask.
    #[error("engine `{0}` is not of the form http://HOST:PORT or https://HOST:PORT; give --engine such a URL")]
    Engine(String),
    /// The access log cannot be opened, or its thread not started.
    #[error("the access log: {0}")]
    AccessLog(#[from] weir_telemetry::Error),
    /// The file of `--filters`, or a module that it names, cannot be used.
    #[error("{path}: {what}", path = path.display())]
    Filters {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A filter cannot be loaded or does not start.
    #[error(transparent)]
    Filter(#[from] weir_proxy_wasm::Error),
    /// A file that names who the engine is or who we are cannot be used.
    #[error("cannot use {path}: {what}; give a PEM file", path = path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}
