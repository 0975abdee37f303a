//! The hooks as the virtual machine does them.

use std::sync::Arc;

use bytes::Bytes;

use super::Place;
use crate::abi::MapType;
use crate::context::{Context, Signal, Verdict};
use crate::exports::HeadersCallback;
use crate::guest::Guest;
use crate::transaction::{Direction, Transaction};
use crate::vm::{Running, Work};
use crate::{BODY_BYTES_MAX, CONTEXTS_MAX};

/// Header callbacks answer with a number: 0 and 2 let the request go on.
fn holds(number: u32, stopped: bool) -> bool {
    stopped || !matches!(number, 0 | 2)
}

fn trailers_of(direction: Direction) -> MapType {
    match direction {
        Direction::Request => MapType::RequestTrailers,
        Direction::Response => MapType::ResponseTrailers,
    }
}

/// Makes the context the one whose callback runs; none when the request is not there any more.
fn speak(store: &mut wasmtime::Store<Guest>, context: u32) -> Option<&mut Context> {
    let deadline = store.data().deadline;
    Guest::begin(store, context, deadline);
    store.data_mut().contexts.get_mut(&context)
}

/// Header callbacks of both directions.
pub(super) struct HeadersHook {
    direction: Direction,
    end: bool,
    place: Option<Place>,
    transaction: Transaction,
    signal: Arc<Signal>,
}

/// What a header callback came to.
pub(super) struct SeenHeaders {
    pub(super) generation: u64,
    pub(super) context: u32,
    pub(super) held: bool,
}

impl HeadersHook {
    pub(super) fn new(
        direction: Direction,
        end: bool,
        place: Option<Place>,
        transaction: Transaction,
        signal: Arc<Signal>,
    ) -> Self {
        Self { direction, end, place, transaction, signal }
    }

    /// The context of the request, made now if there is none; none when there are too many.
    async fn context(&self, Running { store, exports }: &mut Running) -> wasmtime::Result<Option<u32>> {
        if let Some(place) = self.place {
            return Ok(store.data().contexts.contains_key(&place.context).then_some(place.context));
        }
        let guest = store.data_mut();
        if guest.contexts.len() >= CONTEXTS_MAX {
            return Ok(None);
        }
        let (id, root) = (guest.new_context(), guest.root);
        guest.contexts.insert(id, Context::new(self.transaction.clone(), Arc::clone(&self.signal)));
        if let Some(create) = &exports.context_create {
            speak(store, id);
            create.call_async(&mut *store, (id, root)).await?;
        }
        Ok(Some(id))
    }
}

impl Work for HeadersHook {
    type Output = Option<SeenHeaders>;

    fn generation(&self) -> Option<u64> {
        self.place.map(|place| place.generation)
    }

    async fn run(self, running: &mut Running) -> wasmtime::Result<Option<SeenHeaders>> {
        let Some(id) = self.context(running).await? else { return Ok(None) };
        let Running { store, exports } = running;
        let map = match self.direction {
            Direction::Request => MapType::RequestHeaders,
            Direction::Response => MapType::ResponseHeaders,
        };
        let lines = match self.direction {
            Direction::Request => self.transaction.scene().request_headers.len(),
            Direction::Response => self.transaction.scene().response_headers.len(),
        } as u32;
        if let Some(context) = speak(store, id) {
            context.open(map, true);
        }
        let callback = match self.direction {
            Direction::Request => &exports.request_headers,
            Direction::Response => &exports.response_headers,
        };
        let number = match callback {
            HeadersCallback::None => 0,
            HeadersCallback::Short(callback) => callback.call_async(&mut *store, (id, lines)).await?,
            HeadersCallback::Long(callback) => callback.call_async(&mut *store, (id, lines, self.end.into())).await?,
        };
        let guest = store.data_mut();
        let held = holds(number, guest.stopped);
        if let Some(context) = guest.contexts.get_mut(&id).filter(|_| !held) {
            context.open(map, false);
        }
        Ok(Some(SeenHeaders { generation: guest.generation, context: id, held }))
    }
}

/// Body callbacks of both directions.
pub(super) struct BodyHook {
    pub(super) direction: Direction,
    pub(super) place: Place,
    pub(super) chunk: Bytes,
    pub(super) end: bool,
}

/// What a body callback came to.
pub(super) enum Seen {
    Passed(Bytes),
    Held,
    /// The filter would hold back more than it may.
    TooMuch,
}

impl Work for BodyHook {
    type Output = Seen;

    fn generation(&self) -> Option<u64> {
        Some(self.place.generation)
    }

    async fn run(self, Running { store, exports }: &mut Running) -> wasmtime::Result<Seen> {
        let Self { direction, place, chunk, end } = self;
        let callback = match direction {
            Direction::Request => &exports.request_body,
            Direction::Response => &exports.response_body,
        };
        let (Some(context), Some(callback)) = (speak(store, place.context), callback) else {
            return Ok(Seen::Passed(chunk));
        };
        let passage = context.passage(direction);
        if passage.buffering && passage.waiting() + chunk.len() > BODY_BYTES_MAX {
            return Ok(Seen::TooMuch);
        }
        let size = passage.arrive(&chunk) as u32;
        context.let_make(end.then_some(trailers_of(direction)));
        let number = callback.call_async(&mut *store, (place.context, size, end.into())).await?;
        let guest = store.data_mut();
        let verdict = Verdict::read(number, guest.stopped);
        let Some(context) = guest.contexts.get_mut(&place.context) else { return Ok(Seen::Held) };
        context.let_make(None);
        let passage = context.passage(direction);
        Ok(match passage.settle(verdict) {
            Some(bytes) => Seen::Passed(bytes.into()),
            None if passage.waiting() > BODY_BYTES_MAX => Seen::TooMuch,
            None => Seen::Held,
        })
    }
}

/// Trailer callbacks of both directions. Gives whether the filter holds the request.
pub(super) struct TrailersHook {
    pub(super) direction: Direction,
    pub(super) place: Place,
}

impl Work for TrailersHook {
    type Output = bool;

    fn generation(&self) -> Option<u64> {
        Some(self.place.generation)
    }

    async fn run(self, Running { store, exports }: &mut Running) -> wasmtime::Result<bool> {
        let Self { direction, place } = self;
        let (map, callback) = (
            trailers_of(direction),
            match direction {
                Direction::Request => &exports.request_trailers,
                Direction::Response => &exports.response_trailers,
            },
        );
        let (Some(context), Some(callback)) = (speak(store, place.context), callback) else { return Ok(false) };
        let lines = match direction {
            Direction::Request => context.transaction.scene().request_trailers.len(),
            Direction::Response => context.transaction.scene().response_trailers.len(),
        } as u32;
        context.open(map, true);
        let number = callback.call_async(&mut *store, (place.context, lines)).await?;
        let guest = store.data_mut();
        let held = guest.stopped || number != 0;
        if let Some(context) = guest.contexts.get_mut(&place.context).filter(|_| !held) {
            context.open(map, false);
        }
        Ok(held)
    }
}

/// Takes what is held back of a body.
pub(super) struct ReleaseHook {
    pub(super) direction: Direction,
    pub(super) place: Place,
}

impl Work for ReleaseHook {
    type Output = Bytes;

    fn generation(&self) -> Option<u64> {
        Some(self.place.generation)
    }

    async fn run(self, Running { store, .. }: &mut Running) -> wasmtime::Result<Bytes> {
        let context = store.data_mut().contexts.get_mut(&self.place.context);
        Ok(context.map(|context| context.passage(self.direction).release().into()).unwrap_or_default())
    }
}

/// Logs, then forgets.
pub(super) struct EndHook {
    pub(super) place: Place,
}

impl Work for EndHook {
    type Output = ();

    fn generation(&self) -> Option<u64> {
        Some(self.place.generation)
    }

    async fn run(self, Running { store, exports }: &mut Running) -> wasmtime::Result<()> {
        let id = self.place.context;
        let Some(context) = speak(store, id) else { return Ok(()) };
        for map in
            [MapType::RequestHeaders, MapType::RequestTrailers, MapType::ResponseHeaders, MapType::ResponseTrailers]
        {
            context.open(map, false);
        }
        context.over = true;
        if let Some(log) = &exports.log {
            log.call_async(&mut *store, id).await?;
        }
        if let Some(context) = speak(store, id) {
            context.over = false;
        }
        if let Some(done) = &exports.done {
            // As Envoy for requests: whatever it says, it is deleted now.
            done.call_async(&mut *store, id).await?;
        }
        if let Some(delete) = &exports.delete {
            speak(store, id);
            delete.call_async(&mut *store, id).await?;
        }
        if let Some(mut context) = store.data_mut().contexts.remove(&id) {
            context.forgotten = true;
        }
        Ok(())
    }
}
