//! A thread that turns records into lines and writes them, off the path of whoever has the records.
//!
//! Handing a record over costs one push into a queue without locks. Nobody wakes the thread for a record: it looks every
//! [`POLL`], and is woken only when many records wait ([`WAKE_RECORDS`], or a quarter of the queue's room).

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::Thread,
    time::{Duration, Instant},
};

use crossbeam_queue::ArrayQueue;

use crate::{
    Error,
    ledger::{Ledger, Loss},
    output::{Output, Target},
};

/// How often an idle writer looks into its queue.
const POLL: Duration = Duration::from_millis(50);
/// So many waiting records wake the writer early: few enough to be still in the processor's cache when it reads them.
const WAKE_RECORDS: usize = 1024;
/// Bytes that are gathered before they are written.
const CHUNK_BYTES: usize = 64 * 1024;
/// How long a writer that is dropped may take to write what it has.
const DROP_DEADLINE: Duration = Duration::from_secs(1);

/// How long a flush may take at most, whatever deadline it is given.
const FLUSH_MAX: Duration = Duration::from_secs(3600);

/// Says how much memory something holds, so that a queue can be limited in bytes too.
pub trait Weigh {
    /// About how many bytes it holds.
    fn weight(&self) -> usize;
}

/// How much a queue may hold.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Records.
    pub records: usize,
    /// Bytes, as records weigh themselves.
    pub bytes: usize,
}

/// Turns records into lines. It lives on the writer's thread.
pub trait Render<T>: Send + 'static {
    /// Appends the record as one line, ended by the only line feed in it.
    fn render(&mut self, record: &T, buffer: &mut Vec<u8>);
}

#[derive(Debug, Default)]
struct Progress {
    /// Flushes that were asked for, and the last one that was done.
    asked: u64,
    done: u64,
    finished: bool,
    last_error: Option<String>,
}

struct Shared<T> {
    queue: ArrayQueue<T>,
    room: Room,
    bytes: AtomicUsize,
    ledger: Arc<Ledger>,
    thread: OnceLock<Thread>,
    /// Somebody woke the writer and it has not looked yet.
    woken: AtomicBool,
    stop: AtomicBool,
    reopen: AtomicBool,
    progress: Mutex<Progress>,
    changed: Condvar,
}

/// The way to a writer's thread. Dropping it writes what it has, for at most a second.
pub struct Writer<T> {
    shared: Arc<Shared<T>>,
}

impl<T> fmt::Debug for Writer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("ledger", &self.shared.ledger).finish_non_exhaustive()
    }
}

impl<T: Weigh + Send + 'static> Writer<T> {
    /// Opens the target and starts the thread. No more than `room` is queued.
    ///
    /// # Errors
    /// When the file cannot be opened or the thread not started.
    pub fn start(
        name: &str,
        room: Room,
        target: Target,
        ledger: Arc<Ledger>,
        render: impl Render<T>,
    ) -> Result<Self, Error> {
        let output = Output::open(target)?;
        let shared = Arc::new(Shared {
            queue: ArrayQueue::new(room.records.max(1)),
            room,
            bytes: AtomicUsize::new(0),
            ledger,
            thread: OnceLock::new(),
            woken: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            reopen: AtomicBool::new(false),
            progress: Mutex::default(),
            changed: Condvar::new(),
        });
        let worker = Arc::clone(&shared);
        let handle = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || worker.run(output, render))
            .map_err(|source| Error::Thread { name: name.to_owned(), source })?;
        let _ = shared.thread.set(handle.thread().clone());
        Ok(Self { shared })
    }

    /// Hands a record over; never blocks. False when the queue has no room, or for a record that is not `urgent` when
    /// only the last eighth is left, which is kept for urgent ones; then it is counted as lost.
    pub fn push(&self, record: T, urgent: bool) -> bool {
        let shared = &*self.shared;
        let (records, room) = (shared.queue.len(), shared.room);
        let share = |whole: usize| if urgent { whole } else { whole - whole / 8 };
        let weight = record.weight();
        let bytes = shared.bytes.fetch_add(weight, Ordering::Relaxed);
        // Counted first: the writer may settle it before this thread goes on.
        shared.ledger.accept(1);
        let fits = records < share(room.records) && bytes + weight <= share(room.bytes);
        if !fits || shared.queue.push(record).is_err() {
            shared.bytes.fetch_sub(weight, Ordering::Relaxed);
            shared.ledger.lose(1, Loss::QueueFull);
            shared.wake();
            return false;
        }
        if records >= (room.records / 4).min(WAKE_RECORDS) {
            shared.wake();
        }
        true
    }

    /// Waits until everything that was handed over before is written or lost; false when the deadline passed first.
    pub fn flush(&self, deadline: Duration) -> bool {
        let until = Instant::now() + deadline.min(FLUSH_MAX);
        let mut progress = self.shared.progress();
        progress.asked += 1;
        let mine = progress.asked;
        self.shared.unpark();
        while progress.done < mine && !progress.finished {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            progress = self.shared.changed.wait_timeout(progress, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        progress.done >= mine
    }

    /// Opens the file again by its name before the next line.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Release);
        self.shared.unpark();
    }

    /// What the last failed write or reopening said; none after one that succeeded.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.shared.progress().last_error.clone()
    }

    /// The account of its records.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.shared.ledger
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.unpark();
        // A pipe that nobody reads may hold the thread for ever: it is left behind then.
        let finished = |progress: &mut Progress| !progress.finished;
        let progress = self.shared.progress();
        drop(self.shared.changed.wait_timeout_while(progress, DROP_DEADLINE, finished));
    }
}

impl<T> Shared<T> {
    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the writer, once until it looks.
    fn wake(&self) {
        if !self.woken.load(Ordering::Relaxed) && !self.woken.swap(true, Ordering::AcqRel) {
            self.unpark();
        }
    }

    fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    fn run(&self, mut output: Output, mut render: impl Render<T>)
    where
        T: Weigh,
    {
        let mut buffer = Vec::with_capacity(2 * CHUNK_BYTES);
        loop {
            let stop = self.stop.load(Ordering::Acquire);
            let asked = self.progress().asked;
            self.woken.store(false, Ordering::Release);
            if self.reopen.swap(false, Ordering::AcqRel) {
                let error = output.reopen().err();
                self.note(error.map(|error| format!("cannot reopen: {error}")));
            }
            // One round takes no more than the queue holds: whoever waits for a flush waits for no newcomer.
            for _ in 0..self.queue.capacity() {
                let Some(record) = self.queue.pop() else { break };
                render.render(&record, &mut buffer);
                self.bytes.fetch_sub(record.weight(), Ordering::Relaxed);
                if buffer.len() >= CHUNK_BYTES {
                    self.write(&mut output, &mut buffer);
                }
            }
            self.write(&mut output, &mut buffer);
            let mut progress = self.progress();
            progress.done = asked;
            progress.finished = stop;
            drop(progress);
            self.changed.notify_all();
            if stop {
                return;
            }
            if !self.woken.load(Ordering::Acquire) {
                std::thread::park_timeout(POLL);
            }
        }
    }

    fn write(&self, output: &mut Output, buffer: &mut Vec<u8>) {
        if buffer.is_empty() {
            return;
        }
        let written = output.write(buffer);
        buffer.clear();
        self.ledger.deliver(written.lines);
        self.ledger.lose(written.lost, Loss::WriteFailed);
        self.note(written.error.map(|error| format!("cannot write: {error}")));
    }

    fn note(&self, error: Option<String>) {
        let mut progress = self.progress();
        if progress.last_error != error {
            progress.last_error = error;
        }
    }
}

#[cfg(test)]
mod tests;
