//! How a connection learns that it should end.

use tokio::sync::watch;

/// What a listener wants of its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Carry on.
    Serve,
    /// Finish what is in flight, take nothing new.
    Drain,
    /// End now.
    Cut,
}

/// Tells one connection when its listener drains. A clone is a second ear.
#[derive(Clone, Debug)]
pub struct Drain(pub(crate) watch::Receiver<Phase>);

impl Drain {
    /// Returns when the listener drains; at once when it already does.
    pub async fn signalled(&mut self) {
        self.reached(Phase::Drain).await;
    }

    /// Whether the listener drains.
    #[must_use]
    pub fn is_signalled(&self) -> bool {
        *self.0.borrow() >= Phase::Drain || self.0.has_changed().is_err()
    }

    pub(crate) async fn reached(&mut self, phase: Phase) {
        // An error means that the listener is gone, which is more than drained.
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}
