//! What one listener puts up with.

use std::time::Duration;

/// The limits of one listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections; one more is closed at once and counted.
    pub connections: usize,
    /// How long a new connection may say nothing.
    pub first_byte: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 10_000, first_byte: Duration::from_secs(10), handshake: Duration::from_secs(10) }
    }
}
