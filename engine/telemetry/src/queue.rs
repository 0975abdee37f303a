//! Bounded queues between the request path and the workers, and the queue of reports.
//!
//! Pushing never waits; a batch goes in whole or not at all. A worker takes batches by size or by time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crossbeam_queue::ArrayQueue;
use tokio::{sync::Notify, time::timeout};
use weir_attributes::Bag;

use crate::{
    ledger::{Ledger, Loss, Open},
    writer::{Room, Weigh},
};

/// Most reported entries that wait for a worker.
pub const REPORTS_MAX: usize = 10_000;
/// Most bytes of reported entries that wait for a worker.
pub const REPORTS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most entries of one batch.
pub const BATCH_MAX: usize = 500;
/// How long an entry may wait for its batch to fill.
pub const BATCH_WAIT: Duration = Duration::from_millis(200);

impl Weigh for Bag {
    fn weight(&self) -> usize {
        self.size()
    }
}

/// A bounded queue with many pushers and asynchronous takers.
pub(crate) struct Bounded<T> {
    queue: ArrayQueue<T>,
    room: Room,
    /// Reserved by pushers and by what is queued: never above the room, so a push that has reserved finds a place.
    records: AtomicUsize,
    bytes: AtomicUsize,
    batch: usize,
    ready: Notify,
    closed: AtomicBool,
}

impl<T> fmt::Debug for Bounded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded").field("room", &self.room).field("queued", &self.queue.len()).finish_non_exhaustive()
    }
}

impl<T: Weigh> Bounded<T> {
    /// With that room, for batches of at most `batch`.
    pub(crate) fn new(room: Room, batch: usize) -> Self {
        Self {
            queue: ArrayQueue::new(room.records.max(1)),
            room,
            records: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            batch: batch.clamp(1, room.records.max(1)),
            ready: Notify::new(),
            closed: AtomicBool::new(false),
        }
    }

    /// Queues all of them or, when there is no room or the queue is closed, none.
    pub(crate) fn push_all(&self, records: Vec<T>) -> Result<(), Loss> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Loss::Shutdown);
        }
        let count = records.len();
        let bytes = records.iter().map(Weigh::weight).sum();
        let before = reserve(&self.records, count, self.room.records).ok_or(Loss::QueueFull)?;
        if reserve(&self.bytes, bytes, self.room.bytes).is_none() {
            self.records.fetch_sub(count, Ordering::AcqRel);
            return Err(Loss::QueueFull);
        }
        for record in records {
            // INVARIANT: a place is reserved.
            let _ = self.queue.push(record);
        }
        // One wake for a batch, not for an entry; what does not fill a batch is found when the taker's time is over.
        if before < self.batch && before + count >= self.batch {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Takes up to a batch: as soon as it is full, else after `wait` what there is. Waits on while there is nothing;
    /// none once it is closed and empty.
    pub(crate) async fn take(&self, wait: Duration) -> Option<Vec<T>> {
        loop {
            let closed = self.closed.load(Ordering::Acquire);
            if !closed && self.queue.len() < self.batch {
                let _ = timeout(wait, self.ready.notified()).await;
            }
            let taken = self.pop();
            if !taken.is_empty() {
                if self.queue.len() >= self.batch {
                    // Another taker may be asleep while there is work for it.
                    self.ready.notify_one();
                }
                return Some(taken);
            }
            if closed {
                self.ready.notify_one();
                return None;
            }
        }
    }

    fn pop(&self) -> Vec<T> {
        let taken: Vec<T> = std::iter::from_fn(|| self.queue.pop()).take(self.batch).collect();
        self.records.fetch_sub(taken.len(), Ordering::AcqRel);
        self.bytes.fetch_sub(taken.iter().map(Weigh::weight).sum(), Ordering::AcqRel);
        taken
    }

    /// Takes everything that is left at once.
    pub(crate) fn rest(&self) -> Vec<T> {
        std::iter::from_fn(|| Some(self.pop()).filter(|taken| !taken.is_empty())).flatten().collect()
    }

    /// Takes no more; what is queued can still be taken.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.ready.notify_waiters();
        self.ready.notify_one();
    }

    /// Whether nothing is queued.
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

/// Adds `n` if the sum stays within `most`; gives what it was before.
fn reserve(used: &AtomicUsize, n: usize, most: usize) -> Option<usize> {
    used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| used.checked_add(n).filter(|sum| *sum <= most)).ok()
}

/// The queue had no room for a submission, or is closed: nothing of it was taken, all of it was counted as lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// How many entries were lost.
    pub lost: usize,
    /// Why.
    pub reason: Loss,
}

/// How much the report queue holds and how it is taken.
#[derive(Clone, Copy, Debug)]
pub struct ReportOptions {
    /// Most entries that wait.
    pub entries: usize,
    /// Most bytes that wait.
    pub bytes: usize,
    /// Most entries of a batch.
    pub batch: usize,
    /// How long an entry waits for its batch to fill.
    pub wait: Duration,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self { entries: REPORTS_MAX, bytes: REPORTS_BYTES_MAX, batch: BATCH_MAX, wait: BATCH_WAIT }
    }
}

/// Reported requests on their way to the workers. Every entry is accounted for (`weir_report_…`).
#[derive(Debug)]
pub struct Reports {
    queue: Bounded<Bag>,
    wait: Duration,
    ledger: Arc<Ledger>,
}

impl Reports {
    /// An empty queue.
    #[must_use]
    pub fn new(options: &ReportOptions) -> Self {
        let room = Room { records: options.entries, bytes: options.bytes };
        let reasons = &[Loss::QueueFull, Loss::Adapter, Loss::Abandoned, Loss::Shutdown];
        Self {
            queue: Bounded::new(room, options.batch),
            wait: options.wait,
            ledger: Ledger::new("weir_report", "Reported requests", reasons),
        }
    }

    /// Queues all entries or none; never waits.
    ///
    /// # Errors
    /// [`Full`]: the caller should tell the proxy to slow down. A proxy that sends them again is counted again.
    pub fn submit(&self, entries: Vec<Bag>) -> Result<(), Full> {
        let count = entries.len();
        // Counted first: a worker may settle them before this thread goes on.
        self.ledger.accept(count as u64);
        self.queue.push_all(entries).map_err(|reason| {
            self.ledger.lose(count as u64, reason);
            Full { lost: count, reason }
        })
    }

    /// The next batch: when it is full, else after a while what there is. None once the queue is closed and empty. Any
    /// number of workers may wait here.
    pub async fn drain(&self) -> Option<Batch> {
        let entries = self.queue.take(self.wait).await?;
        Some(Batch { open: Open::new(&self.ledger, entries.len()), entries })
    }

    /// Takes no more entries; the workers get what is queued and then none.
    pub fn close(&self) {
        self.queue.close();
    }

    /// Whether no entry waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The account of all entries, also a source of metrics.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        // A submission that raced with the end may have come in after the last worker left.
        self.ledger.lose(self.queue.rest().len() as u64, Loss::Shutdown);
    }
}

/// Entries that a worker has taken. They are in flight until it says what became of them; what it drops without a word is
/// counted as [`Loss::Abandoned`].
#[derive(Debug)]
pub struct Batch {
    entries: Vec<Bag>,
    open: Open,
}

impl Batch {
    /// The entries, in the order in which they were submitted.
    #[must_use]
    pub fn entries(&self) -> &[Bag] {
        &self.entries
    }

    /// The entries, to be changed before the adapters see them.
    pub fn entries_mut(&mut self) -> &mut [Bag] {
        &mut self.entries
    }

    /// `n` of them are lost; more than are open counts as all that are.
    pub fn lose(&mut self, n: usize, loss: Loss) {
        self.open.lose(n as u64, loss);
    }

    /// All that are still open have reached the sinks.
    pub fn deliver(mut self) {
        self.open.deliver(u64::MAX);
    }
}

#[cfg(test)]
mod tests;
