//! What can go wrong before anything is served.

use std::{net::SocketAddr, path::PathBuf};

/// Why a listener, a worker or a certificate could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody else listens there.
    #[error("{address} is in use: stop what listens there, or choose another port with {flag} (0 picks a free one)")]
    Busy {
        /// The address that was asked for.
        address: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
    },
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {source}; choose another with {flag}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A worker's thread or its runtime did not start.
    #[error("cannot start a worker thread: {0}; lower the number of workers or raise the process limit")]
    Worker(std::io::Error),
    /// A certificate, key or CA file cannot be used.
    #[error("{}: {problem}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
}
