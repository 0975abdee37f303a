//! CPU time of this thread: other work on the machine does not count, though it still disturbs the caches.

use rustix::time::{ClockId, clock_gettime};

/// How long a batch is, about: long enough for the clock, short enough to fit between two interruptions.
const BATCH_NANOSECONDS: f64 = 2e6;

fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Something that is run many times, and the batches of it so far.
pub(crate) struct Timed<'w> {
    work: Box<dyn FnMut(u64) + 'w>,
    runs: u64,
    batches: Vec<f64>,
}

impl<'w> Timed<'w> {
    /// Finds out how many runs a batch needs.
    pub(crate) fn new(mut work: impl FnMut() + 'w) -> Self {
        // The loop is in here, so that only a batch is a call that cannot be inlined.
        let mut timed =
            Self { work: Box::new(move |runs| (0..runs).for_each(|_| work())), runs: 1, batches: Vec::new() };
        loop {
            let took = timed.took();
            if took > BATCH_NANOSECONDS / 4.0 {
                timed.runs = ((timed.runs as f64 * BATCH_NANOSECONDS / took) as u64).max(1);
                return timed;
            }
            timed.runs *= 2;
        }
    }

    fn took(&mut self) -> f64 {
        let before = now();
        (self.work)(self.runs);
        now() - before
    }

    /// Runs one batch.
    pub(crate) fn batch(&mut self) {
        let took = self.took();
        self.batches.push(took / self.runs as f64);
    }

    /// The nanoseconds of one run in the best batch.
    pub(crate) fn minimum(&self) -> f64 {
        self.batches.iter().copied().fold(f64::INFINITY, f64::min)
    }
}
