//! The clock that interrupts running guests: it ticks only while something runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// Length of one tick: how long a guest holds a worker before it yields.
pub const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call after which the clock stops: waking it costs a system call.
const IDLE_TICKS: u32 = 1000;

/// Advances the engine's epoch once a millisecond while calls run, and for a second after the last.
#[derive(Debug)]
pub struct Ticker {
    shared: Arc<Shared>,
    handle: Option<JoinHandle<()>>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    running: AtomicUsize,
    called: AtomicBool,
    asleep: AtomicBool,
    stopped: AtomicBool,
}

/// While it lives the clock ticks.
#[derive(Debug)]
pub struct Running<'a>(&'a Ticker);

impl Ticker {
    /// Starts the thread that advances that engine's epoch.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(engine: &Engine) -> std::io::Result<Ticker> {
        let (shared, engine) = (Arc::new(Shared::default()), engine.clone());
        let handle = {
            let shared = shared.clone();
            thread::Builder::new().name("weir-ticker".into()).spawn(move || tick(&shared, &engine))?
        };
        Ok(Ticker { shared, thread: handle.thread().clone(), handle: Some(handle) })
    }

    /// Says that a call runs. Costs two atomic operations unless the clock stands.
    pub fn running(&self) -> Running<'_> {
        self.shared.running.fetch_add(1, SeqCst);
        self.shared.called.store(true, SeqCst);
        if self.shared.asleep.load(SeqCst) {
            self.thread.unpark();
        }
        Running(self)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.shared.running.fetch_sub(1, SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        self.thread.unpark();
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}

fn tick(shared: &Shared, engine: &Engine) {
    let mut idle = 0;
    while !shared.stopped.load(SeqCst) {
        let busy = shared.running.load(SeqCst) > 0 || shared.called.swap(false, SeqCst);
        idle = if busy { 0 } else { idle + 1 };
        if idle < IDLE_TICKS {
            thread::park_timeout(TICK);
            engine.increment_epoch();
            continue;
        }
        // A call that begins now sees `asleep` and wakes us, or we see it here.
        shared.asleep.store(true, SeqCst);
        if shared.running.load(SeqCst) == 0 && !shared.stopped.load(SeqCst) {
            thread::park();
        }
        shared.asleep.store(false, SeqCst);
        idle = 0;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Instant;

    use super::*;

    fn until(condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it never happened");
            thread::yield_now();
        }
    }

    #[test]
    fn the_clock_stands_when_nothing_runs_and_a_call_wakes_it() {
        let ticker = Ticker::start(&Engine::default()).unwrap();
        let asleep = || ticker.shared.asleep.load(SeqCst);
        until(asleep);
        let running = ticker.running();
        until(|| !asleep());
        drop(running);
        until(asleep);
    }
}
