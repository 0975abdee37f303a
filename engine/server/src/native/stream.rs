//! Many checks on one stream: answered as they are decided, with a notice when the configuration changes.

use std::sync::Arc;

use futures::{
    FutureExt as _, Stream,
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt as _, unfold},
};
use tokio::sync::watch;
use tonic::{Status, Streaming};
use weir_proto::v1::{CheckRequest, CheckResponse, Notice, StreamResponse, stream_response::Message};
use weir_runtime::Door;

use super::Native;

/// Checks that wait for an adapter at the same time; the next is read when one is answered.
pub(crate) const IN_FLIGHT_MAX: usize = 256;
/// Referenced sets that one stream remembers its caller to know.
const KNOWN_MAX: usize = 1024;

struct State {
    native: Native,
    inbound: Streaming<CheckRequest>,
    in_flight: FuturesUnordered<BoxFuture<'static, Result<CheckResponse, Status>>>,
    snapshots: watch::Receiver<Arc<str>>,
    known: Vec<u64>,
    open: bool,
    failed: bool,
}

/// The answers of one stream. It begins with the version that serves, and ends when the caller has ended and every check
/// is answered, or at the first message that cannot be read.
pub(super) fn answers(
    native: Native,
    inbound: Streaming<CheckRequest>,
) -> impl Stream<Item = Result<StreamResponse, Status>> + Send {
    let mut snapshots = native.runtime.snapshots();
    snapshots.mark_changed();
    let state = State {
        native,
        inbound,
        in_flight: FuturesUnordered::new(),
        snapshots,
        known: vec![],
        open: true,
        failed: false,
    };
    unfold(state, |mut state| async move {
        let item = state.next().await?;
        state.failed = item.is_err();
        Some((item, state))
    })
}

impl State {
    async fn next(&mut self) -> Option<Result<StreamResponse, Status>> {
        while !self.failed {
            if !self.open && self.in_flight.is_empty() {
                return None;
            }
            let room = self.open && self.in_flight.len() < IN_FLIGHT_MAX;
            tokio::select! {
                biased;
                Some(answer) = self.in_flight.next(), if !self.in_flight.is_empty() => {
                    return Some(answer.map(Self::answered));
                }
                Ok(()) = self.snapshots.changed() => return Some(Ok(self.notice())),
                message = self.inbound.message(), if room => match message {
                    Ok(Some(request)) => {
                        if let Some(answer) = self.begin(request) {
                            return Some(answer.map(Self::answered));
                        }
                    }
                    Ok(None) => self.open = false,
                    Err(status) => return Some(Err(status)),
                },
            }
        }
        None
    }

    /// The answer at once, which is the rule; one that waits for an adapter joins those in flight.
    fn begin(&mut self, mut request: CheckRequest) -> Option<Result<CheckResponse, Status>> {
        for number in request.known_referenced.drain(..) {
            self.remember(number);
        }
        request.known_referenced.clone_from(&self.known);
        let native = self.native.clone();
        let mut answer = async move { native.answer(request, Door::NativeStream).await }.boxed();
        let ready = (&mut answer).now_or_never();
        if ready.is_none() {
            self.in_flight.push(answer);
        }
        ready
    }

    fn answered(answer: CheckResponse) -> StreamResponse {
        StreamResponse { message: Some(Message::Check(answer)) }
    }

    fn remember(&mut self, number: u64) {
        if self.known.len() < KNOWN_MAX && !self.known.contains(&number) {
            self.known.push(number);
        }
    }

    fn notice(&mut self) -> StreamResponse {
        let snapshot = self.snapshots.borrow_and_update().to_string();
        StreamResponse { message: Some(Message::Notice(Notice { snapshot })) }
    }
}
