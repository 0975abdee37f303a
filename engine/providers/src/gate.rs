//! How many questions one provider has at a time, and how many wait.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use crate::{
    Failure,
    limits::{CONCURRENT_MAX, WAITING_MAX},
};

/// Lets so many in; so many more wait.
#[derive(Debug)]
pub(crate) struct Gate {
    places: Semaphore,
    waiting: AtomicUsize,
    waiting_max: usize,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(CONCURRENT_MAX, WAITING_MAX)
    }
}

impl Gate {
    fn new(places: usize, waiting_max: usize) -> Self {
        Self { places: Semaphore::new(places), waiting: AtomicUsize::new(0), waiting_max }
    }

    /// A place, kept until it is dropped.
    pub(crate) async fn enter(&self, until: Instant) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let waiting = Waiting(&self.waiting);
        if waiting.0.fetch_add(1, Relaxed) >= self.waiting_max {
            return Err(Failure::Busy);
        }
        match timeout_at(until, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            // Nobody closes the semaphore.
            Ok(Err(_)) => Err(Failure::Busy),
            Err(_) => Err(Failure::Late),
        }
    }
}

/// One that waits; gone when it is dropped, also when the check is.
struct Waiting<'g>(&'g AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests;
