//! One stream to the engine: many checks on it, answered in any order; notices flush the cache. One of the links also
//! watches what the engine tells of our workload.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};
use weir_proto::v1::{self, policy_client::PolicyClient, snapshots_client::SnapshotsClient, stream_response::Message};

use super::Trouble;
use crate::{cache::Cache, engine::Engine, limits, peers::Peers, random};

/// How long connecting and opening the stream may take.
const OPEN: Duration = Duration::from_secs(2);

/// How the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Being opened: worth waiting for.
    Opening,
    /// Open.
    Up,
    /// The engine could not be reached; it is tried again soon.
    Down,
}

/// What a link watches beside its checks, and whom it tells.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) request: v1::WatchRequest,
    pub(crate) peers: Arc<Peers>,
}

/// A stream to the engine that is opened again whenever it breaks, for as long as somebody holds this.
#[derive(Debug)]
pub(crate) struct Link {
    state: watch::Sender<State>,
    outgoing: Mutex<Option<mpsc::Sender<v1::CheckRequest>>>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<v1::CheckResponse>>>,
    next: AtomicU64,
    was_up: AtomicBool,
}

/// Takes a check off the list of those that wait, however its wait ends.
struct Waiting<'a>(&'a Link, u64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.0.waiting).remove(&self.1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// Opens the stream in the background, on the current runtime. With something to watch it is up when that was told.
    pub(crate) fn open(engine: Engine, cache: Arc<Cache>, watch: Option<Watch>) -> Arc<Self> {
        let link = Arc::new(Self {
            state: watch::Sender::new(State::Opening),
            outgoing: Mutex::default(),
            waiting: Mutex::default(),
            next: AtomicU64::new(1),
            was_up: AtomicBool::new(false),
        });
        tokio::spawn(run(Arc::downgrade(&link), engine, cache, watch));
        link
    }

    /// How the stream is, and when that changes.
    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Whether the engine was ever reached.
    pub(crate) fn was_up(&self) -> bool {
        self.was_up.load(Relaxed)
    }

    /// Sends a check and waits for its answer, for as long as the caller does. A stream that is being opened is waited for.
    pub(crate) async fn check(&self, mut request: v1::CheckRequest) -> Result<v1::CheckResponse, Trouble> {
        let outgoing = self.outgoing().await?;
        let id = self.next.fetch_add(1, Relaxed);
        request.id = id;
        let (sender, answer) = oneshot::channel();
        {
            let mut waiting = lock(&self.waiting);
            if waiting.len() >= limits::CHECKS_WAITING_MAX {
                return Err(Trouble::Overload);
            }
            waiting.insert(id, sender);
        }
        let _waiting = Waiting(self, id);
        outgoing.try_send(request).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Trouble::Overload,
            mpsc::error::TrySendError::Closed(_) => Trouble::Unreachable,
        })?;
        answer.await.map_err(|_| Trouble::Unreachable)
    }

    async fn outgoing(&self) -> Result<mpsc::Sender<v1::CheckRequest>, Trouble> {
        if let Some(outgoing) = &*lock(&self.outgoing) {
            return Ok(outgoing.clone());
        }
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| *state != State::Opening).await.map(|state| *state);
        match settled {
            Ok(State::Up) => lock(&self.outgoing).clone().ok_or(Trouble::Unreachable),
            _ => Err(Trouble::Unreachable),
        }
    }

    /// The stream is gone: those that wait are told, and no new one joins them.
    fn lost(&self) {
        *lock(&self.outgoing) = None;
        self.state.send_replace(State::Opening);
        lock(&self.waiting).clear();
    }

    fn deliver(&self, message: Option<Message>, cache: &Cache) {
        match message {
            Some(Message::Check(answer)) => {
                if let Some(sender) = lock(&self.waiting).remove(&answer.id) {
                    // Whoever asked may have left meanwhile.
                    let _ = sender.send(answer);
                }
            }
            Some(Message::Notice(notice)) => cache.notice(&notice.snapshot),
            None => {}
        }
    }
}

async fn run(link: Weak<Link>, engine: Engine, cache: Arc<Cache>, watch: Option<Watch>) {
    let mut wait = limits::RECONNECT_MIN;
    loop {
        let opened = timeout(OPEN, open(&engine, watch.as_ref())).await;
        let Some(alive) = link.upgrade() else { return };
        if let Ok(Ok((outgoing, mut incoming, mut watched))) = opened {
            if alive.was_up.swap(true, Relaxed) {
                // While we were away the engine may have got another configuration, or be another engine.
                cache.flush();
            }
            tracing::info!(engine = engine.address(), "the engine is reached");
            *lock(&alive.outgoing) = Some(outgoing);
            alive.state.send_replace(State::Up);
            wait = limits::RECONNECT_MIN;
            drop(alive);
            tokio::select! {
                () = pump(&link, &mut incoming, &cache) => {}
                () = follow(watched.as_mut(), watch.as_ref(), &cache) => {}
            }
            let Some(alive) = link.upgrade() else { return };
            alive.lost();
            tracing::warn!(engine = engine.address(), "the stream to the engine broke; it is opened again");
        } else {
            if alive.state.send_replace(State::Down) != State::Down {
                tracing::warn!(engine = engine.address(), "the engine cannot be reached; checks fail until it can");
            }
            drop(alive);
            sleep(random::jittered(wait)).await;
            wait = (wait * 2).min(limits::RECONNECT_MAX);
        }
    }
}

/// Delivers answers until the stream breaks or nobody holds the link any more.
async fn pump(link: &Weak<Link>, incoming: &mut Streaming<v1::StreamResponse>, cache: &Cache) {
    while let Ok(Some(response)) = incoming.message().await {
        let Some(link) = link.upgrade() else { return };
        link.deliver(response.message, cache);
    }
}

/// Tells what is watched until its stream breaks; for ever when nothing is.
async fn follow(watched: Option<&mut Watched>, watch: Option<&Watch>, cache: &Cache) {
    let (Some(watched), Some(watch)) = (watched, watch) else { return std::future::pending().await };
    while let Ok(Some(told)) = watched.told.message().await {
        // Before the modes: no verdict of an older configuration outlives what is told here.
        cache.notice(&told.snapshot);
        watch.peers.tell(told.peers.as_ref());
    }
}

/// What the engine tells of our workload.
struct Watched {
    told: Streaming<v1::WatchResponse>,
    /// The stream lives as long as our side of it.
    _questions: mpsc::Sender<v1::WatchRequest>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Opened = (mpsc::Sender<v1::CheckRequest>, Streaming<v1::StreamResponse>, Option<Watched>);

async fn open(engine: &Engine, watch: Option<&Watch>) -> Result<Opened, Failure> {
    let channel = engine.connect().await?;
    let watched = match watch {
        Some(watch) => begin(channel.clone(), watch).await?,
        None => None,
    };
    let (outgoing, requests) = mpsc::channel(limits::CHECK_QUEUE_MAX);
    let incoming = PolicyClient::new(channel).check_stream(ReceiverStream::new(requests)).await?.into_inner();
    Ok((outgoing, incoming, watched))
}

/// Asks what is to be watched, and tells the first answer. An engine of an older version tells nothing.
async fn begin(channel: Channel, watch: &Watch) -> Result<Option<Watched>, Failure> {
    let (questions, asked) = mpsc::channel(1);
    questions.send(watch.request.clone()).await?;
    let opened = async {
        let mut told = SnapshotsClient::new(channel).watch(ReceiverStream::new(asked)).await?.into_inner();
        let first = told.message().await?;
        Ok::<_, tonic::Status>((told, first))
    };
    match opened.await {
        Ok((told, first)) => {
            watch.peers.tell(first.and_then(|first| first.peers).as_ref());
            Ok(Some(Watched { told, _questions: questions }))
        }
        Err(status) if status.code() == tonic::Code::Unimplemented => {
            tracing::warn!("the engine does not tell how peers must be authenticated: the flags decide; upgrade it");
            watch.peers.tell(None);
            Ok(None)
        }
        Err(status) => Err(status.into()),
    }
}
