//! Why the doors do not open.

use std::net::SocketAddr;

/// Why the doors do not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A port or certificate.
    #[error(transparent)]
    Listen(#[from] weir_listen::Error),
    /// Plaintext where others can read and write it.
    #[error(
        "--grpc {0} is not loopback and has no TLS: anybody could ask and read verdicts; give --tls-cert and --tls-key, or --insecure if the network is trusted"
    )]
    Plaintext(SocketAddr),
    /// The reflection service could not be built.
    #[error("gRPC reflection: {0}; this is a bug, report it")]
    Reflection(String),
}
