//! What a proxy must know of its workload: told at once, and again with each new configuration.

use std::sync::Arc;

use futures::{Stream, stream::unfold};
use tokio::sync::watch;
use tonic::{Status, Streaming};
use weir_policy::{Claim, PeerModes, document::PeerMode};
use weir_proto::v1::{self, WatchRequest, WatchResponse};

use super::{Native, Told};

struct State {
    native: Native,
    inbound: Streaming<WatchRequest>,
    snapshots: watch::Receiver<Arc<str>>,
    /// The newest question.
    asked: Option<WatchRequest>,
    failed: bool,
}

/// The answers of one stream. It ends with the caller's, or at the first message that cannot be read.
pub(super) fn answers(
    native: Native,
    inbound: Streaming<WatchRequest>,
) -> impl Stream<Item = Result<WatchResponse, Status>> + Send {
    let snapshots = native.runtime.snapshots();
    unfold(State { native, inbound, snapshots, asked: None, failed: false }, |mut state| async move {
        let item = state.next().await?;
        state.failed = item.is_err();
        Some((item, state))
    })
}

impl State {
    async fn next(&mut self) -> Option<Result<WatchResponse, Status>> {
        if self.failed {
            return None;
        }
        tokio::select! {
            message = self.inbound.message() => match message {
                Ok(Some(request)) => self.asked = Some(request),
                Ok(None) => return None,
                Err(status) => return Some(Err(status)),
            },
            Ok(()) = self.snapshots.changed(), if self.asked.is_some() => {}
        }
        // Seen before it is read: a configuration that comes in between is told once more.
        self.snapshots.mark_unchanged();
        self.asked.as_ref().map(|request| Ok(self.told(request)))
    }

    fn told(&self, request: &WatchRequest) -> WatchResponse {
        let told = Told::of(request.workload.as_ref());
        let claim = Claim {
            principal: Some(request.destination_principal.as_str()).filter(|text| !text.is_empty()),
            address: Some(request.destination_address.as_str()).filter(|text| !text.is_empty()),
            ..told.claim()
        };
        let watched = self.native.runtime.watched(&claim);
        WatchResponse { snapshot: watched.snapshot.to_string(), peers: watched.peers.as_ref().map(modes) }
    }
}

fn modes(peers: &PeerModes) -> v1::PeerModes {
    let ports = peers.ports().iter().map(|(port, said)| (u32::from(*port), mode(*said).into()));
    v1::PeerModes { mode: mode(peers.said()).into(), ports: ports.collect() }
}

fn mode(said: PeerMode) -> v1::PeerMode {
    match said {
        PeerMode::Unset => v1::PeerMode::Unset,
        PeerMode::Disable => v1::PeerMode::Disable,
        PeerMode::Permissive => v1::PeerMode::Permissive,
        PeerMode::Strict => v1::PeerMode::Strict,
    }
}
