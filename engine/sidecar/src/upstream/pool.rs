//! Idle connections of one worker, the youngest used first.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use hyper::client::conn::http1::SendRequest;

use crate::{body::RequestBody, limits};

/// A connection that is out for one request.
#[derive(Debug)]
pub(crate) struct Returning {
    pub(super) sender: SendRequest<RequestBody>,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
}

/// The mutex is never contended: a pool belongs to one thread.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<VecDeque<(Returning, Instant)>>);

impl Pool {
    fn idle(&self) -> MutexGuard<'_, VecDeque<(Returning, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that is ready; none when there is none.
    pub(super) async fn take(&self) -> Option<Returning> {
        loop {
            let (mut kept, _) = self.idle().pop_back()?;
            // Its last response is read to the end, so this is a matter of one turn; a closed one says so.
            if kept.sender.is_ready() || kept.sender.ready().await.is_ok() {
                return Some(kept);
            }
        }
    }

    pub(super) fn put(&self, returning: Returning) {
        if returning.sender.is_closed() {
            return;
        }
        let now = Instant::now();
        let mut idle = self.idle();
        while idle.front().is_some_and(|(_, since)| now - *since > limits::UPSTREAM_IDLE_FOR)
            || idle.len() >= limits::UPSTREAM_IDLE_MAX
        {
            idle.pop_front();
        }
        idle.push_back((returning, now));
    }
}
