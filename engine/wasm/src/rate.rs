//! So many in a second, and no more.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// Counts the present second. Two threads at the turn of a second may let one more pass.
#[derive(Debug)]
pub struct Rate {
    per_second: u32,
    since: Instant,
    second: AtomicU64,
    taken: AtomicU32,
}

impl Rate {
    /// So many in each second.
    #[must_use]
    pub fn new(per_second: u32) -> Rate {
        Rate { per_second, since: Instant::now(), second: AtomicU64::new(0), taken: AtomicU32::new(0) }
    }

    /// Whether one more may pass in this second.
    #[must_use]
    pub fn take(&self) -> bool {
        let now = self.since.elapsed().as_secs();
        if self.second.swap(now, Relaxed) != now {
            self.taken.store(0, Relaxed);
        }
        self.taken.load(Relaxed) < self.per_second && self.taken.fetch_add(1, Relaxed) < self.per_second
    }
}
