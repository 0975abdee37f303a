//! What an adapter has done so far.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::{Cause, Failure, SinkStats};

/// What an adapter has done since it was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Calls of `check` and `report` that reached an instance.
    pub calls: u64,
    /// Calls without a usable answer, by the kind of the cause: as [`Cause::KINDS`].
    pub failures: [u64; Cause::KINDS.len()],
    /// Of these, calls that ended in a trap, memory included.
    pub traps: u64,
    /// Calls that hit their time limit, waiting for an instance included.
    pub timeouts: u64,
    /// Calls that failed for other reasons.
    pub errors: u64,
    /// Calls that were not made because the plugin is quarantined or not ready.
    pub held_back: u64,
    /// Times that it was quarantined.
    pub quarantines: u64,
    /// Instances that had to be replaced.
    pub restarts: u64,
    /// Rows that no report plugin saw because a required input was absent.
    pub rows_skipped: u64,
    /// Lines of the plugin's own log that were over its rate.
    pub log_lines_dropped: u64,
    /// Bytes of linear memory of all instances now.
    pub memory_bytes: usize,
    /// Instances that are ready or busy now.
    pub instances: usize,
    /// Work of all calls, in wasmtime's units of about one instruction; 0 unless [`crate::HostOptions::fuel`] is set.
    pub fuel: u64,
    /// What became of the messages for each sink.
    pub sinks: Vec<(String, SinkStats)>,
    /// The last failure of a call that was made.
    pub last_error: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) calls: AtomicU64,
    failures: [AtomicU64; Cause::KINDS.len()],
    pub(crate) quarantines: AtomicU64,
    pub(crate) restarts: AtomicU64,
    pub(crate) rows_skipped: AtomicU64,
    pub(crate) log_lines_dropped: AtomicU64,
    pub(crate) memory_bytes: AtomicUsize,
    pub(crate) instances: AtomicUsize,
    pub(crate) fuel: AtomicU64,
    /// Held for the length of a string copy, and only by calls that failed and scrapes.
    last_error: Mutex<Option<String>>,
}

impl Counters {
    pub(crate) fn failed(&self, failure: &Failure) {
        if let Some(counter) = self.failures.get(failure.cause.kind()) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if failure.cause.is_held_back() {
            return;
        }
        let mut last = self.last_error.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *last = Some(failure.to_string());
    }

    pub(crate) fn read(&self) -> Stats {
        let last = self.last_error.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let failures: [u64; Cause::KINDS.len()] =
            std::array::from_fn(|kind| self.failures.get(kind).map_or(0, |counter| counter.load(Ordering::Relaxed)));
        let [trap, timeout, memory, output, absent, doubt, refused, busy, world, pending, quarantined, expression] =
            failures;
        Stats {
            calls: self.calls.load(Ordering::Relaxed),
            failures,
            traps: trap + memory,
            timeouts: timeout + busy,
            errors: output + absent + doubt + refused + world + expression,
            held_back: pending + quarantined,
            quarantines: self.quarantines.load(Ordering::Relaxed),
            restarts: self.restarts.load(Ordering::Relaxed),
            rows_skipped: self.rows_skipped.load(Ordering::Relaxed),
            log_lines_dropped: self.log_lines_dropped.load(Ordering::Relaxed),
            memory_bytes: self.memory_bytes.load(Ordering::Relaxed),
            instances: self.instances.load(Ordering::Relaxed),
            fuel: self.fuel.load(Ordering::Relaxed),
            sinks: Vec::new(),
            last_error: last.clone(),
        }
    }
}
