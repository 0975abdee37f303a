//! Changes of a configuration folder, reported when they have settled.
//!
//! The operating system's notifications make it quick and a poll every [`POLL_INTERVAL`] makes it sure: network file
//! systems, a folder removed and created again, and exhausted watches all end in a read of the content, and only the
//! content's digest decides whether something changed. A change is reported when two reads in a row agree; content that
//! does not parse, and a folder that is gone, get [`PATIENCE`] to become better first.

use std::path::{Path, PathBuf};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::limits::{PATIENCE, POLL_INTERVAL, SETTLE_LIMIT, SETTLE_STEP};
use crate::source::{Sources, Version};

mod notifier;
#[cfg(test)]
mod tests;

use notifier::Notifier;

/// What happened to the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It has other content than was last known. The content may be wrong: [`crate::load_sources`] says.
    Settled(Sources),
    /// It does not exist (any more). What serves should go on serving.
    Gone(PathBuf),
}

/// A watch over one folder. Ends with its drop.
#[derive(Debug)]
pub struct Watch {
    changes: watch::Receiver<Option<Change>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Watches `dir`. `known` is the version that the caller already has: it is not reported, anything else is. Must be
    /// called inside a tokio runtime.
    pub fn start(dir: &Path, known: Option<Version>) -> Self {
        let dir = dir.to_owned();
        let notifier = Notifier::new(&dir);
        let read = move || Sources::read(&dir);
        Self::spawn(read, notifier, known)
    }

    fn spawn(
        read: impl Fn() -> Sources + Clone + Send + Sync + 'static,
        notifier: Notifier,
        known: Option<Version>,
    ) -> Self {
        let (sender, changes) = watch::channel(None);
        let observer = Observer { read, notifier, sender };
        Watch { changes, task: tokio::spawn(observer.run(known)) }
    }

    /// Waits for the next change. Changes that nobody waited for are dropped for the newest. None when the watch has ended,
    /// which happens only when the runtime shuts down. Safe to cancel.
    pub async fn next(&mut self) -> Option<Change> {
        self.changes.changed().await.ok()?;
        self.changes.borrow_and_update().clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Observer<R> {
    read: R,
    notifier: Notifier,
    sender: watch::Sender<Option<Change>>,
}

impl<R: Fn() -> Sources + Clone + Send + Sync + 'static> Observer<R> {
    async fn run(mut self, mut known: Option<Version>) {
        while let Some(sources) = self.read().await {
            if known.as_ref() != Some(sources.version()) {
                let Some(settled) = self.settle(sources).await else {
                    return;
                };
                // It may have settled where it was before: a file written and restored.
                if known.as_ref() != Some(settled.version()) {
                    known = Some(settled.version().clone());
                    self.report(settled);
                }
            }
            self.notifier.arm();
            tokio::select! {
                () = self.notifier.notified() => {}
                () = tokio::time::sleep(POLL_INTERVAL) => {}
            }
            // Many notifications make one read.
            tokio::time::sleep(SETTLE_STEP).await;
        }
    }

    /// Reads until the content stands still, for at most [`SETTLE_LIMIT`].
    async fn settle(&self, mut sources: Sources) -> Option<Sources> {
        let started = tokio::time::Instant::now();
        let mut still_since = started;
        loop {
            tokio::time::sleep(SETTLE_STEP).await;
            let next = self.read().await?;
            let now = tokio::time::Instant::now();
            if next.version() != sources.version() {
                still_since = now;
            } else if still_since + PATIENCE <= now || next.is_well_formed() {
                return Some(next);
            }
            if started + SETTLE_LIMIT <= now {
                return Some(next);
            }
            sources = next;
        }
    }

    /// Reads the folder off the runtime's threads. None when the runtime is shutting down.
    async fn read(&self) -> Option<Sources> {
        tokio::task::spawn_blocking(self.read.clone()).await.ok()
    }

    fn report(&self, sources: Sources) {
        let change = if sources.is_gone() { Change::Gone(sources.root().to_owned()) } else { Change::Settled(sources) };
        self.sender.send_replace(Some(change));
    }
}
