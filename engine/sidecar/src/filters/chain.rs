//! One request's way through all filters: forth in their order, back in the reverse.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;
use weir_proxy_wasm::{Direction, LocalResponse, Step, Stream, Transaction};

/// A filter has ended the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Respond(LocalResponse),
    Reset,
}

/// One request's way through all filters.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(super) transaction: Transaction,
    pub(super) streams: Vec<Stream>,
    /// How a filter ended the request while its body was on the way.
    interrupted: Mutex<Option<Ended>>,
    bell: Notify,
}

impl Chain {
    /// What is known of the request.
    pub(crate) fn scene(&self) -> std::sync::MutexGuard<'_, weir_proxy_wasm::Scene> {
        self.transaction.scene()
    }

    pub(super) fn new(transaction: Transaction, streams: Vec<Stream>) -> Self {
        Self { transaction, streams, interrupted: Mutex::default(), bell: Notify::new() }
    }

    /// Shows the request's headers to those filters.
    pub(super) async fn request_headers(&self, filters: Range<usize>, end: bool) -> Result<(), Ended> {
        for stream in self.streams.get(filters).unwrap_or_default() {
            let step = stream.request_headers(end).await;
            self.settle(stream, Direction::Request, step).await?;
        }
        Ok(())
    }

    /// Shows the response's headers to all filters that have seen the request.
    pub(super) async fn response_headers(&self, end: bool) -> Result<(), Ended> {
        for stream in self.streams.iter().rev() {
            let step = stream.response_headers(end).await;
            self.settle(stream, Direction::Response, step).await?;
        }
        Ok(())
    }

    /// Waits while the filter holds the request.
    async fn settle(&self, stream: &Stream, direction: Direction, mut step: Step) -> Result<(), Ended> {
        loop {
            match step {
                Step::Continue => return Ok(()),
                Step::Respond(response) => return Err(Ended::Respond(response)),
                Step::Reset => return Err(Ended::Reset),
                Step::Pause => {
                    self.transaction.rung(direction).await;
                    step = stream.resumed(direction);
                }
            }
        }
    }

    /// A filter has ended the request while its body was on the way.
    pub(super) fn interrupt(&self, ended: Ended) {
        *self.interrupted.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        self.bell.notify_one();
    }

    /// Returns when one has.
    pub(super) async fn interrupted(&self) -> Ended {
        loop {
            if let Some(ended) = self.interrupted.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return ended;
            }
            self.bell.notified().await;
        }
    }

    /// The request is over: the filters log and forget it, beside what else the worker does.
    pub(crate) fn end(self: Arc<Self>) {
        // A worker that ends takes its filters with it.
        let Ok(worker) = tokio::runtime::Handle::try_current() else { return };
        worker.spawn(async move {
            for stream in &self.streams {
                stream.end().await;
            }
        });
    }

    /// Whether any filter looks at bodies that go this way.
    pub(super) fn reads(&self, direction: Direction) -> bool {
        self.streams.iter().any(|stream| match direction {
            Direction::Request => stream.filter().reads_request(),
            Direction::Response => stream.began() && stream.filter().reads_response(),
        })
    }
}
