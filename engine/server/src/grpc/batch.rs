//! Answers together what arrived together.
//!
//! HTTP/2 hands over one request after the other and flushes in between. Spawning a task for each costs more than most
//! answers do, and answering in between costs a write for each. So the requests that one read brought are kept until the
//! connection has no more, each is tried once on the connection's own task, and one flush takes all the answers. What has
//! to wait goes on as a task of its own.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use hyper::rt::Executor;

/// One request under way.
type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The requests of one connection that nobody has tried yet: at most as many as it may have in flight.
#[derive(Clone, Default)]
pub(crate) struct Batch(Arc<Mutex<Vec<Answering>>>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Batch {
    fn execute(&self, answering: F) {
        self.lock().push(Box::pin(answering));
    }
}

impl Batch {
    /// Drives the connection and what it brings until neither can go on.
    pub(crate) fn poll<C: Future + Unpin>(&self, connection: &mut C, cx: &mut Context<'_>) -> Poll<C::Output> {
        loop {
            if let Poll::Ready(ended) = Pin::new(&mut *connection).poll(cx) {
                self.lock().drain(..).for_each(|answering| drop(tokio::spawn(answering)));
                return Poll::Ready(ended);
            }
            let batch = std::mem::take(&mut *self.lock());
            if batch.is_empty() {
                return Poll::Pending;
            }
            for mut answering in batch {
                // As in a task of its own, a panic ends one request, not the others of its connection.
                if let Ok(Poll::Pending) = catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(cx))) {
                    tokio::spawn(answering);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Answering>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
