//! Why a filter is not loaded.

/// Why a filter is not loaded. Each text says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This machine cannot run WebAssembly, or not start the clock.
    #[error("no engine for filters: {0}")]
    Engine(String),
    /// The module or its configuration is larger than the limit.
    #[error("filter {name}: the {what} has {bytes} bytes, more than the limit of {limit}; make it smaller")]
    Size {
        /// The filter's name.
        name: String,
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// It is no WebAssembly that this engine can compile.
    #[error("filter {name}: not a module that can be compiled: {message}; build it for wasm32-wasip1")]
    Compile {
        /// The filter's name.
        name: String,
        /// What the compiler said.
        message: String,
    },
    /// It does not speak the ABI.
    #[error("filter {name}: {message}; build it with a proxy-wasm SDK for ABI 0.1.0, 0.2.0 or 0.2.1")]
    Abi {
        /// The filter's name.
        name: String,
        /// What is missing.
        message: String,
    },
    /// It did not start, or refused its configuration.
    #[error("filter {name}: {message}")]
    Start {
        /// The filter's name.
        name: String,
        /// What it did.
        message: String,
    },
}
