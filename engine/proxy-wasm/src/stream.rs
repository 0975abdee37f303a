//! A request's way through one filter: its hooks, in the order in which a proxy meets them.

mod hooks;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;

use crate::context::{Signal, Turn};
use crate::effect::LocalResponse;
use crate::filter::{FailurePolicy, Filter};
use crate::stats::count;
use crate::transaction::{Direction, Transaction};
use crate::vm::{Gone, Vm};
use hooks::{BodyHook, EndHook, HeadersHook, ReleaseHook, TrailersHook};

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It goes on to the next.
    Continue,
    /// The filter holds it: wait for [`Transaction::rung`], then ask [`Stream::resumed`].
    Pause,
    /// The filter answers it.
    Respond(LocalResponse),
    /// It is broken off, without an answer.
    Reset,
}

/// What becomes of a piece of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// What becomes of the request.
    pub step: Step,
    /// What goes on to the next, in place of the chunk: with [`Step::Continue`] only.
    pub bytes: Bytes,
}

/// Where the request is inside the virtual machine.
#[derive(Clone, Copy, Debug)]
struct Place {
    generation: u64,
    context: u32,
}

/// A request's way through one filter.
#[derive(Debug)]
pub struct Stream {
    vm: Weak<Vm>,
    filter: Arc<Filter>,
    transaction: Transaction,
    signal: Arc<Signal>,
    place: OnceLock<Place>,
    /// A piece of the body is inside the virtual machine, by direction: it is lost with it.
    holding: [AtomicBool; 2],
}

impl Stream {
    pub(crate) fn new(vm: Weak<Vm>, filter: Arc<Filter>, transaction: Transaction) -> Self {
        Self { vm, filter, transaction, signal: Arc::default(), place: OnceLock::new(), holding: Default::default() }
    }

    /// The filter that it goes through.
    #[must_use]
    pub fn filter(&self) -> &Arc<Filter> {
        &self.filter
    }

    /// Whether the filter has seen the request: only then it sees the response.
    #[must_use]
    pub fn began(&self) -> bool {
        self.place.get().is_some()
    }

    /// The request's headers are in the scene; `end`: there is nothing behind them.
    pub async fn request_headers(&self, end: bool) -> Step {
        let hook = HeadersHook::new(Direction::Request, end, None, self.transaction.clone(), Arc::clone(&self.signal));
        match self.enter(hook).await {
            Ok(Some(seen)) => {
                let _ = self.place.set(Place { generation: seen.generation, context: seen.context });
                self.step(Direction::Request, seen.held)
            }
            Ok(None) | Err(Gone) => self.failure(),
        }
    }

    /// The response's headers are in the scene; `end`: there is nothing behind them.
    pub async fn response_headers(&self, end: bool) -> Step {
        let Some(place) = self.place.get() else { return Step::Continue };
        let (transaction, signal) = (self.transaction.clone(), Arc::clone(&self.signal));
        let hook = HeadersHook::new(Direction::Response, end, Some(*place), transaction, signal);
        match self.enter(hook).await {
            Ok(Some(seen)) => self.step(Direction::Response, seen.held),
            Ok(None) | Err(Gone) => self.failure(),
        }
    }

    /// A piece of a body; `end`: it is the last, and no trailers follow.
    pub async fn body(&self, direction: Direction, chunk: Bytes, end: bool) -> Data {
        let Some(place) = self.place.get() else { return Data { step: Step::Continue, bytes: chunk } };
        let held = self.holding.get(direction as usize).is_some_and(|held| held.load(Relaxed));
        let nothing = |step| Data { step, bytes: Bytes::new() };
        match self.enter(BodyHook { direction, place: *place, chunk: chunk.clone(), end }).await {
            Ok(hooks::Seen::Passed(bytes)) => {
                self.hold(direction, false);
                Data { step: self.step(direction, false), bytes }
            }
            Ok(hooks::Seen::Held) => {
                self.hold(direction, true);
                match self.step(direction, true) {
                    Step::Continue => self.release(direction).await,
                    step => nothing(step),
                }
            }
            Ok(hooks::Seen::TooMuch) => {
                nothing(Step::Respond(LocalResponse::too_large(direction == Direction::Request)))
            }
            Err(Gone) if held => nothing(Step::Respond(LocalResponse::failed())),
            Err(Gone) => match self.failure() {
                Step::Continue => Data { step: Step::Continue, bytes: chunk },
                step => nothing(step),
            },
        }
    }

    /// The trailers are in the scene.
    pub async fn trailers(&self, direction: Direction) -> Step {
        let Some(place) = self.place.get() else { return Step::Continue };
        match self.enter(TrailersHook { direction, place: *place }).await {
            Ok(held) => self.step(direction, held),
            Err(Gone) => self.failure(),
        }
    }

    /// What has become of a request that the filter holds: [`Step::Pause`] while it does.
    #[must_use]
    pub fn resumed(&self, direction: Direction) -> Step {
        self.step(direction, true)
    }

    /// What the filter has held back of a body, once it let go. A body that was lost with its virtual machine does not go
    /// on without the part, whatever the failure policy.
    pub async fn release(&self, direction: Direction) -> Data {
        let nothing = |step| Data { step, bytes: Bytes::new() };
        let held = self.holding.get(direction as usize).is_some_and(|held| held.swap(false, Relaxed));
        let Some(place) = self.place.get().filter(|_| held) else { return nothing(Step::Continue) };
        match self.enter(ReleaseHook { direction, place: *place }).await {
            Ok(bytes) => Data { step: Step::Continue, bytes },
            Err(Gone) => nothing(Step::Respond(LocalResponse::failed())),
        }
    }

    /// The request is over: the filter logs, then forgets it. What it does now has no effect on it.
    pub async fn end(&self) {
        if let Some(place) = self.place.get() {
            let _ = self.enter(EndHook { place: *place }).await;
        }
    }

    async fn enter<W: crate::vm::Work>(&self, work: W) -> Result<W::Output, Gone> {
        match self.vm.upgrade() {
            Some(vm) => vm.enter(work).await,
            None => Err(Gone),
        }
    }

    /// What the filter has decided, if it has.
    fn step(&self, direction: Direction, held: bool) -> Step {
        let mut turn = self.signal.turn();
        let Turn { continued, respond, reset, failed } = &mut *turn;
        if std::mem::take(reset) {
            return Step::Reset;
        }
        if let Some(response) = respond.take() {
            self.filter.counters.local_responses.fetch_add(1, Relaxed);
            return Step::Respond(response);
        }
        if *failed {
            drop(turn);
            return self.failure();
        }
        let went_on = continued.get_mut(direction as usize).is_some_and(std::mem::take);
        if held && !went_on { Step::Pause } else { Step::Continue }
    }

    fn hold(&self, direction: Direction, held: bool) {
        if let Some(holding) = self.holding.get(direction as usize) {
            holding.store(held, Relaxed);
        }
    }

    fn failure(&self) -> Step {
        count(&self.filter.counters.failed_requests);
        match self.filter.spec.failure_policy {
            FailurePolicy::FailOpen => Step::Continue,
            FailurePolicy::FailClosed => Step::Respond(LocalResponse::failed()),
        }
    }
}
