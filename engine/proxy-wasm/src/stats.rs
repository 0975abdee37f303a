//! What is counted of a filter, over all workers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A filter's counters as they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Virtual machines that run.
    pub machines: u64,
    /// Virtual machines that failed and were dropped: traps, overlong calls, too much memory.
    pub failures: u64,
    /// Those of them that ran longer than they may.
    pub timeouts: u64,
    /// Virtual machines that were started in place of failed ones.
    pub restarts: u64,
    /// Requests that met a failed filter.
    pub failed_requests: u64,
    /// Requests that the filter answered itself.
    pub local_responses: u64,
    /// HTTP calls made.
    pub calls: u64,
    /// HTTP calls refused: unknown upstream, or too many.
    pub calls_refused: u64,
    /// Lines of its log that were dropped.
    pub log_lines_dropped: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) machines: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    pub(crate) restarts: AtomicU64,
    pub(crate) failed_requests: AtomicU64,
    pub(crate) local_responses: AtomicU64,
    pub(crate) calls: AtomicU64,
    pub(crate) calls_refused: AtomicU64,
    pub(crate) log_lines_dropped: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Stats {
        Stats {
            machines: self.machines.load(Relaxed),
            failures: self.failures.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            restarts: self.restarts.load(Relaxed),
            failed_requests: self.failed_requests.load(Relaxed),
            local_responses: self.local_responses.load(Relaxed),
            calls: self.calls.load(Relaxed),
            calls_refused: self.calls_refused.load(Relaxed),
            log_lines_dropped: self.log_lines_dropped.load(Relaxed),
        }
    }
}

/// Adds one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
