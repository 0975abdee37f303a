//! A named way out: a bounded queue and one task that empties it.

mod deliver;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::client::HttpClient;
use crate::{SINK_BATCH, SINK_BYTES_MAX, SINK_MESSAGES_MAX, SinkTarget};
use deliver::Delivery;

/// A sink's queue. What it does not take, and what the receiver does not take, is counted as lost.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) target: SinkTarget,
    queue: Sender<Vec<u8>>,
    account: Arc<Account>,
}

/// Observed = delivered + lost + in flight.
#[derive(Debug, Default)]
struct Account {
    observed: AtomicU64,
    delivered: AtomicU64,
    lost: AtomicU64,
    /// Bytes that are in the queue or on their way.
    bytes: AtomicUsize,
}

/// What became of a sink's messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SinkStats {
    /// Messages that a plugin gave it, in calls that succeeded.
    pub observed: u64,
    /// Messages that went out.
    pub delivered: u64,
    /// Messages that did not.
    pub lost: u64,
}

impl Sink {
    /// Opens nothing before the first message. Ends when the last adapter that holds it is gone.
    pub(crate) fn start(name: &str, target: &SinkTarget, client: &HttpClient, runtime: &Handle) -> Sink {
        let (queue, messages) = channel(SINK_MESSAGES_MAX);
        let account = Arc::<Account>::default();
        runtime.spawn(work(name.to_owned(), Delivery::new(target, client), messages, account.clone()));
        Sink { target: target.clone(), queue, account }
    }

    /// Never waits.
    pub(crate) fn send(&self, message: Vec<u8>) {
        self.account.observed.fetch_add(1, Relaxed);
        let size = message.len();
        let held = self.account.bytes.fetch_add(size, Relaxed);
        if held + size > SINK_BYTES_MAX || self.queue.try_send(message).is_err() {
            self.account.bytes.fetch_sub(size, Relaxed);
            self.account.lost.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn stats(&self) -> SinkStats {
        SinkStats {
            observed: self.account.observed.load(Relaxed),
            delivered: self.account.delivered.load(Relaxed),
            lost: self.account.lost.load(Relaxed),
        }
    }
}

async fn work(name: String, mut delivery: Delivery, mut messages: Receiver<Vec<u8>>, account: Arc<Account>) {
    let mut batch = Vec::with_capacity(SINK_BATCH);
    let mut well = true;
    while messages.recv_many(&mut batch, SINK_BATCH).await > 0 {
        let (count, bytes) = (batch.len() as u64, batch.iter().map(Vec::len).sum());
        let (delivered, error) = delivery.deliver(&batch).await;
        account.delivered.fetch_add(delivered, Relaxed);
        account.lost.fetch_add(count - delivered, Relaxed);
        account.bytes.fetch_sub(bytes, Relaxed);
        batch.clear();
        // Once, and again when it was well in between: a receiver that is gone says the same for hours.
        match error {
            Some(error) if well => tracing::warn!(sink = name, lost = count - delivered, "sink failed: {error}"),
            _ => {}
        }
        well = delivered == count;
    }
}
