//! The breaker: a plugin that keeps failing is left alone for a while.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{QUARANTINE, QUARANTINE_FAILURES, QUARANTINE_MAX, QUARANTINE_WINDOW};

/// Opens after [`QUARANTINE_FAILURES`] in [`QUARANTINE_WINDOW`]; each time at once again it stays open twice as long, and one
/// failure within the window after it closed is enough. A call that succeeds touches one atomic.
#[derive(Debug)]
pub(crate) struct Breaker {
    began: Instant,
    /// Milliseconds since `began`; 0 when it never opened.
    open_until: AtomicU64,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Failures {
    recent: VecDeque<u64>,
    /// How often it has opened without a quiet window in between.
    times: u32,
}

impl Breaker {
    pub(crate) fn new() -> Breaker {
        Breaker { began: Instant::now(), open_until: AtomicU64::new(0), failures: Mutex::default() }
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// How long it is still open; none when calls may pass.
    pub(crate) fn left(&self) -> Option<Duration> {
        let until = self.open_until.load(Relaxed);
        if until == 0 {
            return None;
        }
        until.checked_sub(self.now()).filter(|left| *left > 0).map(Duration::from_millis)
    }

    /// Counts a failure; says for how long it opened, if it did.
    pub(crate) fn failed(&self) -> Option<Duration> {
        self.failed_at(self.now())
    }

    fn failed_at(&self, now: u64) -> Option<Duration> {
        let window = QUARANTINE_WINDOW.as_millis() as u64;
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let until = self.open_until.load(Relaxed);
        if now < until {
            // A call that was under way when it opened.
            return None;
        }
        let on_probation = until > 0 && now < until + window;
        if until > 0 && !on_probation {
            failures.times = 0;
        }
        while failures.recent.front().is_some_and(|at| at + window < now) {
            failures.recent.pop_front();
        }
        failures.recent.push_back(now);
        if failures.recent.len() < QUARANTINE_FAILURES && !on_probation {
            return None;
        }
        failures.recent.clear();
        let length = QUARANTINE.saturating_mul(1 << failures.times.min(16)).min(QUARANTINE_MAX);
        failures.times += 1;
        // Never 0, which means never.
        self.open_until.store((now + length.as_millis() as u64).max(1), Relaxed);
        Some(length)
    }

    /// A new generation is not to blame for the old one.
    pub(crate) fn reset(&self) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures = Failures::default();
        self.open_until.store(0, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_window_open_it_and_it_stays_open_twice_as_long_each_time() {
        let breaker = Breaker::new();
        let second = 1000;
        assert_eq!(breaker.failed_at(0), None);
        assert_eq!(breaker.failed_at(11 * second), None, "the first is forgotten");
        assert_eq!(breaker.failed_at(12 * second), None);
        assert_eq!(breaker.failed_at(13 * second), Some(QUARANTINE));
        assert_eq!(breaker.failed_at(13 * second + 1), None, "it was under way");
        assert_eq!(breaker.failed_at(15 * second), Some(2 * QUARANTINE), "on probation one is enough");
        assert_eq!(breaker.failed_at(18 * second), Some(4 * QUARANTINE));
        assert_eq!(breaker.failed_at(60 * second), None, "a quiet window makes up for it");
        breaker.failed_at(61 * second);
        assert_eq!(breaker.failed_at(62 * second), Some(QUARANTINE));
        breaker.reset();
        assert_eq!(breaker.left(), None);
    }
}
