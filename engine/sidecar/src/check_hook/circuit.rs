//! The circuit breaker: an engine that hangs is not waited for by every request.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::Instant,
};

use super::Trouble;
use crate::limits;

/// Closed until [`limits::CIRCUIT_TIMEOUTS`] deadlines in a row have passed; then one check is let through each
/// [`limits::CIRCUIT_PROBE_EVERY`] until one is answered.
#[derive(Debug)]
pub(super) struct Circuit {
    timeouts: AtomicU32,
    open: AtomicBool,
    probe_at: Mutex<Instant>,
}

impl Circuit {
    pub(super) fn new() -> Self {
        Self { timeouts: AtomicU32::new(0), open: AtomicBool::new(false), probe_at: Mutex::new(Instant::now()) }
    }

    /// Whether this check may be sent.
    pub(super) fn lets_through(&self) -> bool {
        !self.open.load(Relaxed) || self.is_probe(Instant::now())
    }

    fn is_probe(&self, now: Instant) -> bool {
        let mut probe_at = self.probe_at.lock().unwrap_or_else(PoisonError::into_inner);
        let probe = now >= *probe_at;
        if probe {
            *probe_at = now + limits::CIRCUIT_PROBE_EVERY;
        }
        probe
    }

    /// Learns what became of a check.
    pub(super) fn saw(&self, trouble: Option<Trouble>) {
        match trouble {
            Some(Trouble::Deadline) => {
                if self.timeouts.fetch_add(1, Relaxed) + 1 == limits::CIRCUIT_TIMEOUTS {
                    let mut probe_at = self.probe_at.lock().unwrap_or_else(PoisonError::into_inner);
                    *probe_at = Instant::now() + limits::CIRCUIT_PROBE_EVERY;
                    self.open.store(true, Relaxed);
                    tracing::warn!("the engine does not answer in time; it is asked once a second until it does");
                }
            }
            // Not reached says nothing about hanging, and costs nobody any time.
            Some(Trouble::Unreachable | Trouble::Overload) => {}
            _ => {
                self.timeouts.store(0, Relaxed);
                if self.open.swap(false, Relaxed) {
                    tracing::info!("the engine answers again");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hanging_engine_is_probed_once_a_second() {
        let circuit = Circuit::new();
        for _ in 1..limits::CIRCUIT_TIMEOUTS {
            circuit.saw(Some(Trouble::Deadline));
        }
        circuit.saw(None);
        for _ in 0..limits::CIRCUIT_TIMEOUTS {
            assert!(circuit.lets_through(), "an answer in between starts the count anew");
            circuit.saw(Some(Trouble::Deadline));
        }
        assert!(!circuit.lets_through());
        let later = Instant::now() + limits::CIRCUIT_PROBE_EVERY;
        assert!(circuit.is_probe(later));
        assert!(!circuit.is_probe(later), "one probe at a time");
        circuit.saw(Some(Trouble::Deadline));
        assert!(!circuit.lets_through());
        circuit.saw(None);
        assert!(circuit.lets_through());
    }
}
