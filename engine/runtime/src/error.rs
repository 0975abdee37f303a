//! Why a runtime does not start.

/// Why a runtime does not start. A bad configuration is no such reason: it starts, is not ready and denies.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state folder cannot be used.
    #[error("{0}; give another folder with --state")]
    State(#[from] weir_config::Error),
    /// A sink or log cannot be opened.
    #[error(transparent)]
    Telemetry(#[from] weir_telemetry::Error),
    /// The plugin host does not start.
    #[error(transparent)]
    Adapters(#[from] weir_adapters::Error),
    /// The system gives no randomness for the key of hashes.
    #[error("the system gives no randomness: {0}")]
    Random(String),
}
