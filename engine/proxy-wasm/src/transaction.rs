//! One request and its response, as all filters on its way see them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use weir_attributes::Bag;

use crate::headers::Headers;

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the upstream.
    Request,
    /// To the client.
    Response,
}

/// What is known of a request and its response. Filters read it, and write the headers.
#[derive(Debug, Default)]
pub struct Scene {
    /// Pseudo-headers first.
    pub request_headers: Headers,
    /// Empty until they are here.
    pub request_trailers: Headers,
    /// Empty until they are here; `:status` first.
    pub response_headers: Headers,
    /// Empty until they are here.
    pub response_trailers: Headers,
    /// What properties are read from, beside the headers above.
    pub facts: Bag,
    /// What filters have set as properties, by name.
    pub(crate) set: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Scene {
    /// A request whose headers are here.
    #[must_use]
    pub fn new(request_headers: Headers, facts: Bag) -> Self {
        Self { request_headers, facts, ..Self::default() }
    }
}

/// A request and its response: shared by its filters and whoever carries it. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Transaction(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    scene: Mutex<Scene>,
    request: Notify,
    response: Notify,
}

impl Transaction {
    /// Begins one.
    #[must_use]
    pub fn new(scene: Scene) -> Self {
        Self(Arc::new(Inner { scene: Mutex::new(scene), ..Inner::default() }))
    }

    /// What is known of it. Never hold it over an await: filters wait for it.
    pub fn scene(&self) -> MutexGuard<'_, Scene> {
        self.0.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when a filter that held this direction may have let go: ask [`crate::Stream::resumed`]. One waiter for each
    /// direction.
    pub async fn rung(&self, direction: Direction) {
        self.bell(direction).notified().await;
    }

    pub(crate) fn ring(&self, direction: Direction) {
        self.bell(direction).notify_one();
    }

    fn bell(&self, direction: Direction) -> &Notify {
        match direction {
            Direction::Request => &self.0.request,
            Direction::Response => &self.0.response,
        }
    }
}
