//! The operating system's notifications about a folder, reduced to "look again".

use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Wakes one waiter; many notifications between two waits are one, so nothing queues up.
pub(super) struct Notifier {
    dir: PathBuf,
    wake: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    armed: Option<Identity>,
    complained: bool,
}

/// Which folder a path means at the moment; another one after a swap.
#[derive(PartialEq, Eq)]
struct Identity {
    canonical: PathBuf,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl Notifier {
    /// For `dir`, which need not exist. Does not watch before [`Notifier::arm`].
    pub(super) fn new(dir: &Path) -> Self {
        Notifier { dir: dir.to_owned(), wake: Arc::default(), watcher: None, armed: None, complained: false }
    }

    /// Watches the folder that the path now means, if it does not already. Without a watch (no folder, no more watches, a file
    /// system that has none) the poll alone must do; that is logged once.
    pub(super) fn arm(&mut self) {
        let identity = identity(&self.dir);
        if identity == self.armed && (self.watcher.is_some() || self.complained) {
            return;
        }
        self.watcher = None;
        if identity.is_some() {
            match self.watch() {
                Ok(watcher) => self.watcher = Some(watcher),
                Err(error) if !self.complained => {
                    self.complained = true;
                    tracing::warn!(%error, "no notifications for the configuration folder: it is polled instead");
                }
                Err(_) => {}
            }
            // What happened between the last read and this watch was not notified.
            self.wake.notify_one();
        }
        self.armed = identity;
    }

    fn watch(&self) -> notify::Result<RecommendedWatcher> {
        let wake = self.wake.clone();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| !is_reading(event.kind)) {
                wake.notify_one();
            }
        })?;
        watcher.watch(&self.dir, RecursiveMode::Recursive)?;
        Ok(watcher)
    }

    /// Waits for a notification since the last wait. Safe to cancel.
    pub(super) async fn notified(&self) {
        self.wake.notified().await;
    }

    #[cfg(test)]
    pub(super) fn waker(&self) -> Arc<Notify> {
        self.wake.clone()
    }
}

/// Whether the event is of someone who reads: we do, so answering it would never end.
fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

fn identity(dir: &Path) -> Option<Identity> {
    Some(Identity {
        canonical: std::fs::canonicalize(dir).ok()?,
        #[cfg(unix)]
        inode: {
            use std::os::unix::fs::MetadataExt;
            let metadata = std::fs::metadata(dir).ok()?;
            (metadata.dev(), metadata.ino())
        },
    })
}
