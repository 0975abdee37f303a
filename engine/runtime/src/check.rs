//! One check from start to end.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use weir_adapters::FailurePolicy;
use weir_attributes::{Bag, slot};
use weir_policy::{
    Answer, Ask, Claim, Evaluation, Keys, ReasonCode, Referenced, Ruleset, Step, Text, Verdict, prepare,
};
use weir_telemetry::AdapterOutcome;

use crate::{
    DecisionId, Door, Runtime,
    conclude::Reached,
    said::{Said, Told},
    snapshot::{Bound, Snapshot},
};

/// How long a check may take at most, whatever its caller and the timeouts of external authorizers say.
pub const CHECK_TIME_MAX: Duration = Duration::from_secs(60);

/// A verdict and what a door must say with it.
#[derive(Debug)]
pub struct Checked {
    /// What was decided.
    pub verdict: Verdict,
    /// The name of this decision.
    pub id: DecisionId,
    /// The version of what decided, as [`Runtime::snapshot_version`]; empty without a good configuration.
    pub snapshot: Arc<str>,
    /// What the verdict depends on; none: it must not be cached.
    pub referenced: Option<Arc<Referenced>>,
    /// What check adapters said beside their decisions, in the order in which they were asked.
    pub said: Vec<Said>,
}

/// Who asks: what the counters and the log say of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) door: Door,
    pub(crate) since: Instant,
}

impl Runtime {
    /// Decides on one request. Never fails: what cannot be decided is denied, and the reason says why.
    ///
    /// Synchronous unless a check adapter or an external authorizer must be asked. The bag holds what the proxy told;
    /// everything that follows from it is derived here, the same for every door.
    pub async fn check(&self, bag: Bag, claim: &Claim<'_>, door: Door, proxy: &str) -> Checked {
        self.check_within(CHECK_TIME_MAX, bag, claim, door, proxy).await
    }

    /// As [`Runtime::check`], for a caller that waits only so long; never longer than [`CHECK_TIME_MAX`]. External
    /// authorizers that have not answered by then have not answered.
    pub async fn check_within(
        &self,
        patience: Duration,
        mut bag: Bag,
        claim: &Claim<'_>,
        door: Door,
        proxy: &str,
    ) -> Checked {
        let asked = Asked { door, since: Instant::now() };
        let deadline = asked.since + patience.min(CHECK_TIME_MAX);
        let Some(snapshot) = self.snapshot.load_full() else {
            let verdict = Verdict::deny_because(ReasonCode::NoConfig, "no good configuration yet; see /status");
            return self.conclude(bag, verdict, Reached::default(), asked);
        };
        let keys = self.keys.load_full();
        let version = self.version_of(&snapshot, &keys);
        let mut reached = Reached { snapshot: Some(&snapshot), version: Some(&version), ..Reached::default() };
        let claim = self.claim(claim, &bag);
        let workload = match snapshot.policies.workloads().resolve(&claim) {
            Ok(workload) => workload,
            Err(unknown) => {
                let verdict = Verdict::deny_because(ReasonCode::UnknownWorkload, unknown.to_string());
                return self.conclude(bag, verdict, reached, asked);
            }
        };
        reached.workload = Some(&workload);
        match prepare(&mut bag, snapshot.policies.mesh(), &workload) {
            Ok(doubts) => self.count_doubts(doubts, proxy),
            Err(invalid) => return self.conclude(bag, Verdict::invalid_path(invalid), reached, asked),
        }
        let ruleset = snapshot.policies.ruleset(&workload);
        // Boxed, as enriching is rare: every check would carry its size.
        let enriched = match snapshot.enriches.is_empty() {
            true => Ok(false),
            false => Box::pin(crate::enrich::enrich(&snapshot, &mut bag)).await,
        };
        let mut told = Told::default();
        let verdict = match enriched {
            Ok(asked) => {
                let verdict = self.evaluate(&snapshot, &keys, &ruleset, &mut bag, deadline, &mut told).await;
                // What was decided by something that has changed meanwhile, or that the key does not hold, is not reused.
                let stale = !told.is_empty() && self.version_of(&snapshot, &keys) != version;
                let reusable = !asked && !stale && !told.by_custom;
                Verdict { ttl: verdict.ttl.filter(|_| reusable), ..verdict }
            }
            Err(denial) => denial,
        };
        self.conclude(bag, verdict, Reached { ruleset: Some(&ruleset), said: told.said, ..reached }, asked)
    }

    /// A request that its door could not read: denied, counted and logged like any other.
    pub fn refuse(&self, bag: Bag, verdict: Verdict, door: Door) -> Checked {
        let snapshot = self.snapshot.load_full();
        let version = snapshot.as_ref().map(|snapshot| self.version_of(snapshot, &self.keys.load()));
        let reached = Reached { snapshot: snapshot.as_ref(), version: version.as_ref(), ..Reached::default() };
        self.conclude(bag, verdict, reached, Asked { door, since: Instant::now() })
    }

    /// What names the workload: the door's extensions, else the destination, else the default.
    pub(crate) fn claim<'a>(&'a self, claim: &Claim<'a>, bag: &'a Bag) -> Claim<'a> {
        Claim {
            principal: bag.str(slot::DESTINATION_PRINCIPAL),
            address: bag.str(slot::DESTINATION_ADDRESS),
            default: self.setup.default_workload.as_deref(),
            ..*claim
        }
    }

    async fn evaluate(
        &self,
        snapshot: &Snapshot,
        keys: &Keys,
        ruleset: &Arc<Ruleset>,
        bag: &mut Bag,
        deadline: Instant,
        told: &mut Told,
    ) -> Verdict {
        let mut step = Evaluation::start(ruleset, bag, now(), keys);
        loop {
            match step {
                Step::Done(verdict) => return verdict,
                Step::Ask(Ask::Provider { provider, name }, evaluation) => {
                    // Boxed, as asking is rare: every check would carry its size.
                    let answer = Box::pin(self.ask_provider(snapshot, provider, &name, bag, deadline)).await;
                    step = evaluation.resume(answer, bag, keys);
                }
                Step::Ask(Ask::Adapter { binding, .. }, evaluation) => {
                    told.asked(ruleset, binding);
                    let answer = match snapshot.checks.get(binding) {
                        Some(bound) => Box::pin(answer(bound, bag, told)).await,
                        None => Answer::Failed {
                            fail_open: false,
                            detail: Text::Static("its adapter is not in this snapshot"),
                        },
                    };
                    step = evaluation.resume(answer, bag, keys);
                }
            }
        }
    }
}

impl Runtime {
    /// Asks an external authorizer; its `failOpen` decides what no answer means.
    async fn ask_provider(
        &self,
        snapshot: &Snapshot,
        provider: usize,
        name: &str,
        bag: &Bag,
        deadline: Instant,
    ) -> Answer {
        let Some(client) = snapshot.providers.get(provider) else {
            let detail = Text::Static("its service and port make no address");
            return Answer::Failed { fail_open: false, detail };
        };
        let since = Instant::now();
        let answered = client.ask(bag, deadline.into()).await;
        self.provider_seconds.cell(&[name]).observe(since.elapsed().as_secs_f64());
        let outcome = match &answered {
            Ok(Answer::Allow { .. }) => "allowed",
            Ok(_) => "denied",
            Err(failure) => failure.as_str(),
        };
        self.provider_calls.cell(&[name, outcome]).add(1);
        answered.unwrap_or_else(|failure| {
            tracing::warn!(provider = name, %failure, "external authorizer gave no answer");
            let fail_open = client.provider().fail_open;
            Answer::Failed { fail_open, detail: Text::Shared(failure.to_string().into()) }
        })
    }
}

/// Asks a check adapter; its failure policy decides what a failure means.
async fn answer(bound: &Bound, bag: &Bag, told: &mut Told) -> Answer {
    let since = Instant::now();
    let answered = bound.adapter.check(bag).await;
    let outcome = answered.as_ref().map_or_else(crate::report::failed, |_| AdapterOutcome::Ok);
    bound.metrics.call(outcome, since.elapsed());
    match answered {
        Ok(mut verdict) => {
            told.heard(&bound.adapter, &mut verdict);
            crate::translate::verdict(verdict)
        }
        Err(failure) => {
            // Of what is held back, quarantining it told.
            if !failure.cause.is_held_back() {
                tracing::warn!(%failure, "check adapter failed");
            }
            let fail_open = bound.failure_policy == FailurePolicy::Open;
            Answer::Failed { fail_open, detail: Text::Shared(failure.to_string().into()) }
        }
    }
}

/// Nanoseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}
