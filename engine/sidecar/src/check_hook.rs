//! The check hook: one question to the engine for each request, unless the cache knows the answer.
//!
//! Whatever goes wrong on the way is an outcome of its own, and the caller fails closed on it.

mod circuit;
mod link;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::time::{Instant as Deadline, timeout_at};
use tonic::transport::Channel;
use weir_attributes::{Bag, Phase};
use weir_proto::v1::{self, policy_client::PolicyClient};

pub(crate) use link::{Link, State, Watch};

use crate::{
    cache::{self, Answer, Cache, Lease, Referenced},
    engine::Engine,
    options::{CheckMode, Options},
    wire::{self, Verdict},
};
use circuit::Circuit;

/// What became of one check.
#[derive(Clone, Debug)]
pub(crate) enum Checked {
    /// The engine decided, now or earlier.
    Decided { verdict: Arc<Verdict>, cached: bool },
    /// Nobody decided. The text says why, for the log.
    Undecided(Trouble),
}

/// Why the engine did not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No connection to it.
    Unreachable,
    /// It did not answer in time.
    Deadline,
    /// It did not answer in time often enough: it is not asked for a while.
    CircuitOpen,
    /// Too many checks wait already.
    Overload,
    /// It answered with an error.
    Refused,
    /// Its answer cannot be obeyed.
    Unreadable,
}

impl Trouble {
    pub(crate) const ALL: [Trouble; 6] = [
        Trouble::Unreachable,
        Trouble::Deadline,
        Trouble::CircuitOpen,
        Trouble::Overload,
        Trouble::Refused,
        Trouble::Unreadable,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Trouble::Unreachable => "unreachable",
            Trouble::Deadline => "deadline",
            Trouble::CircuitOpen => "circuit-open",
            Trouble::Overload => "overload",
            Trouble::Refused => "refused",
            Trouble::Unreadable => "unreadable",
        }
    }
}

enum Client {
    Unary(PolicyClient<Channel>),
    Stream(Arc<Link>),
}

/// The check hook of one worker.
pub(crate) struct CheckHook {
    client: Client,
    cache: Option<Arc<Cache>>,
    circuit: Circuit,
    workload: Arc<str>,
    proxy: String,
    deadline: Duration,
}

impl std::fmt::Debug for CheckHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckHook").field("workload", &self.workload).finish_non_exhaustive()
    }
}

impl CheckHook {
    /// Must be called on the worker's runtime: it starts the stream there.
    pub(crate) fn new(engine: &Engine, options: &Options, cache: &Arc<Cache>) -> Self {
        let client = match options.check_mode {
            CheckMode::Unary => Client::Unary(PolicyClient::new(engine.connect_lazy())),
            CheckMode::Stream => Client::Stream(Link::open(engine.clone(), Arc::clone(cache), None)),
        };
        Self {
            client,
            cache: options.cache.then(|| Arc::clone(cache)),
            circuit: Circuit::new(),
            workload: options.workload.as_str().into(),
            proxy: options.proxy.clone(),
            deadline: options.timeouts.check,
        }
    }

    /// Asks about one request; returns within the check deadline.
    pub(crate) async fn check(&self, bag: &Bag) -> Checked {
        let Some(cache) = &self.cache else { return self.ask(bag, None, "").await };
        let (chooser, generation) = (cache::chooser(&self.workload, bag), cache.generation());
        if let Some(verdict) = cache.find(&generation, &chooser, bag, Instant::now()) {
            return Checked::Decided { verdict, cached: true };
        }
        self.ask(bag, Some((cache, &generation)), &chooser).await
    }

    async fn ask(&self, bag: &Bag, cache: Option<(&Cache, &Arc<cache::Generation>)>, chooser: &str) -> Checked {
        if !self.circuit.lets_through() {
            return Checked::Undecided(Trouble::CircuitOpen);
        }
        let request = v1::CheckRequest {
            id: 0,
            workload: wire::workload(&self.workload),
            attributes: Some(wire::attributes(bag, Phase::Request)),
            proxy: self.proxy.clone(),
            known_referenced: Vec::new(),
        };
        let deadline = Deadline::now() + self.deadline;
        let answered = match timeout_at(deadline, self.send(request)).await {
            Ok(answered) => answered,
            Err(_) => Err(Trouble::Deadline),
        };
        self.circuit.saw(answered.as_ref().err().copied());
        let mut answer = match answered {
            Ok(answer) => answer,
            Err(trouble) => return Checked::Undecided(trouble),
        };
        let Some(verdict) = Verdict::read(&mut answer).map(Arc::new) else {
            return Checked::Undecided(Trouble::Unreadable);
        };
        if let Some((cache, generation)) = cache {
            let set = answer.referenced.take().and_then(|told| told.set);
            let answer = Answer {
                snapshot: &answer.snapshot,
                // We name no set as known, so one that is left out is no empty set: the verdict cannot be cached.
                referenced: set.as_ref().and_then(Referenced::read).map(Arc::new),
                lease: Lease { ttl: Duration::from_millis(answer.ttl_ms.into()), uses: answer.max_uses },
                verdict: Arc::clone(&verdict),
            };
            cache.store(generation, chooser, bag, answer);
        }
        Checked::Decided { verdict, cached: false }
    }

    /// Sends it, once more when the stream broke while we waited: a check has no effect that could happen twice.
    async fn send(&self, request: v1::CheckRequest) -> Result<v1::CheckResponse, Trouble> {
        match &self.client {
            Client::Stream(link) => match link.check(request.clone()).await {
                Err(Trouble::Unreachable) if link.was_up() => link.check(request).await,
                other => other,
            },
            Client::Unary(client) => match client.clone().check(request).await {
                Ok(response) => Ok(response.into_inner()),
                Err(status) => Err(match status.code() {
                    tonic::Code::Unavailable => Trouble::Unreachable,
                    tonic::Code::DeadlineExceeded => Trouble::Deadline,
                    _ => Trouble::Refused,
                }),
            },
        }
    }
}
