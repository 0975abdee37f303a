//! One check from start to end.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use weir_adapters::FailurePolicy;
use weir_attributes::{Bag, slot};
use weir_policy::{Answer, Ask, Claim, Evaluation, ReasonCode, Referenced, Ruleset, Step, Text, Verdict, prepare};
use weir_telemetry::AdapterOutcome;

use crate::{
    DecisionId, Door, Runtime,
    conclude::Reached,
    snapshot::{Bound, Snapshot},
};

/// A verdict and what a door must say with it.
#[derive(Debug)]
pub struct Checked {
    /// What was decided.
    pub verdict: Verdict,
    /// The name of this decision.
    pub id: DecisionId,
    /// The version of the configuration that decided; empty without one.
    pub snapshot: Arc<str>,
    /// What the verdict depends on; none: it must not be cached.
    pub referenced: Option<Arc<Referenced>>,
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
    /// Synchronous unless a check adapter is bound to the workload. The bag holds what the proxy told; everything that
    /// follows from it is derived here, the same for every door.
    pub async fn check(&self, mut bag: Bag, claim: &Claim<'_>, door: Door, proxy: &str) -> Checked {
        let asked = Asked { door, since: Instant::now() };
        let Some(snapshot) = self.snapshot.load_full() else {
            let verdict = Verdict::deny_because(ReasonCode::NoConfig, "no good configuration yet; see /status");
            return self.conclude(bag, verdict, Reached::default(), asked);
        };
        let mut reached = Reached { snapshot: Some(&snapshot), ..Reached::default() };
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
        let verdict = self.evaluate(&snapshot, &ruleset, &mut bag).await;
        self.conclude(bag, verdict, Reached { ruleset: Some(&ruleset), ..reached }, asked)
    }

    /// A request that its door could not read: denied, counted and logged like any other.
    pub fn refuse(&self, bag: Bag, verdict: Verdict, door: Door) -> Checked {
        let snapshot = self.snapshot.load_full();
        let reached = Reached { snapshot: snapshot.as_ref(), ..Reached::default() };
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

    async fn evaluate(&self, snapshot: &Snapshot, ruleset: &Arc<Ruleset>, bag: &mut Bag) -> Verdict {
        let keys = self.keys.load();
        let mut step = Evaluation::start(ruleset, bag, now(), &keys);
        loop {
            match step {
                Step::Done(verdict) => return verdict,
                Step::Ask(Ask::Provider { .. }, evaluation) => {
                    let detail = Text::Static("external authorizers cannot be asked by this build");
                    step = evaluation.resume(Answer::Failed { fail_open: false, detail }, bag, &keys);
                }
                Step::Ask(Ask::Adapter { binding, .. }, evaluation) => {
                    let answer = match snapshot.checks.get(binding) {
                        Some(bound) => answer(bound, bag).await,
                        None => Answer::Failed {
                            fail_open: false,
                            detail: Text::Static("its adapter is not in this snapshot"),
                        },
                    };
                    step = evaluation.resume(answer, bag, &keys);
                }
            }
        }
    }
}

/// Asks a check adapter; its failure policy decides what a failure means.
async fn answer(bound: &Bound, bag: &Bag) -> Answer {
    let since = Instant::now();
    let answered = bound.adapter.check(bag).await;
    let outcome = answered.as_ref().map_or_else(crate::report::failed, |_| AdapterOutcome::Ok);
    bound.metrics.call(outcome, since.elapsed());
    match answered {
        Ok(verdict) => crate::translate::verdict(verdict),
        Err(failure) => {
            tracing::warn!(%failure, "check adapter failed");
            let fail_open = bound.adapter.failure_policy() == FailurePolicy::Open;
            Answer::Failed { fail_open, detail: Text::Shared(failure.to_string().into()) }
        }
    }
}

/// Nanoseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}
