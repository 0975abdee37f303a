//! What a listener has seen: atomics that connections write and a scrape reads, no lock between them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// The counters of one listener.
#[derive(Debug, Default)]
pub struct Counts {
    pub(crate) open: AtomicUsize,
    pub(crate) accepted: AtomicU64,
    pub(crate) over_limit: AtomicU64,
    pub(crate) accept_errors: AtomicU64,
    pub(crate) silent: AtomicU64,
    pub(crate) handshake_failed: AtomicU64,
    pub(crate) plaintext_refused: AtomicU64,
    pub(crate) tls_refused: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Connections open now.
    pub open: usize,
    /// Connections accepted so far.
    pub accepted: u64,
    /// Connections closed at once because too many were open.
    pub over_limit: u64,
    /// Times the system could not give a connection (out of file descriptors, aborted by the peer).
    pub accept_errors: u64,
    /// Connections closed because they said nothing in time.
    pub silent: u64,
    /// TLS handshakes that failed or took too long.
    pub handshake_failed: u64,
    /// Plaintext connections closed on a port that wants TLS.
    pub plaintext_refused: u64,
    /// TLS connections closed on a port that wants plaintext.
    pub tls_refused: u64,
}

impl Counts {
    /// The counters now.
    #[must_use]
    pub fn read(&self) -> Reading {
        Reading {
            open: self.open.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            over_limit: self.over_limit.load(Relaxed),
            accept_errors: self.accept_errors.load(Relaxed),
            silent: self.silent.load(Relaxed),
            handshake_failed: self.handshake_failed.load(Relaxed),
            plaintext_refused: self.plaintext_refused.load(Relaxed),
            tls_refused: self.tls_refused.load(Relaxed),
        }
    }
}

pub(crate) fn add_one(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
