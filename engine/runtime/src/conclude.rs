//! The end of every check: counted, logged, named.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use weir_attributes::Bag;
use weir_policy::{
    DENIED, Decision, Doubts, ReasonCode, RuleId, Ruleset, Shadow, Shadows, Text, Verdict, WorkloadIdentity,
};
use weir_telemetry::{CheckOutcome, Decision as Record, DecisionId, DryRun, Outcome};

use crate::{
    Checked, Door, Runtime,
    check::{Asked, now},
    said::Said,
    snapshot::Snapshot,
};

impl Runtime {
    /// Counts and logs a verdict. Without a ruleset nothing was read, and nothing may be cached.
    pub(crate) fn conclude(&self, bag: Bag, verdict: Verdict, reached: Reached<'_>, asked: Asked) -> Checked {
        let took = asked.since.elapsed();
        self.metrics.check(outcome(&verdict), verdict.reason.code as usize, asked.door as usize, took);
        let id = DecisionId::random();
        let snapshot = reached.version.cloned().unwrap_or_default();
        if self.decisions.wants(id, is_urgent(&verdict)) {
            let decided = reached.snapshot.zip(reached.ruleset);
            let reads = decided.map(|(snapshot, ruleset)| snapshot.reads.of(ruleset.referenced()));
            self.decisions.record(Record {
                snapshot: snapshot.clone(),
                workload: reached.workload.map(|workload| workload.id.clone()),
                reads: reads.unwrap_or_default(),
                adapters: reached.said.iter().map(Said::logged).collect(),
                ..record(id, &verdict, took, asked, bag)
            });
        }
        let cacheable = reached.snapshot.zip(reached.ruleset).filter(|_| verdict.ttl.is_some_and(|ttl| !ttl.is_zero()));
        let referenced = cacheable.map(|(snapshot, ruleset)| snapshot.referenced(ruleset));
        Checked { referenced, verdict, id, snapshot, said: reached.said }
    }

    /// A message of that door could not be read; it was answered with an error, not with a verdict.
    pub fn count_frame_error(&self, door: Door) {
        self.frame_errors.cell(&[door.as_str()]).add(1);
    }

    /// A proxy left something open.
    pub(crate) fn count_doubts(&self, doubts: Doubts, proxy: &str) {
        if doubts.path {
            self.metrics.doubt("path", proxy);
        }
        if doubts.headers {
            self.metrics.doubt("headers", proxy);
        }
    }
}

fn outcome(verdict: &Verdict) -> CheckOutcome {
    match (verdict.decision, verdict.reason.code) {
        (Decision::Allow, _) => CheckOutcome::Allow,
        (
            Decision::Deny,
            ReasonCode::ErrorInRule
            | ReasonCode::AdapterFailed
            | ReasonCode::ProviderFailed
            | ReasonCode::NoProvider
            | ReasonCode::NoConfig
            | ReasonCode::UnknownWorkload,
        ) => CheckOutcome::Error,
        (Decision::Deny, _) => CheckOutcome::Deny,
    }
}

/// How far a check came.
#[derive(Debug, Default)]
pub(crate) struct Reached<'a> {
    pub(crate) snapshot: Option<&'a Arc<Snapshot>>,
    /// That of the snapshot and the keys.
    pub(crate) version: Option<&'a Arc<str>>,
    pub(crate) workload: Option<&'a WorkloadIdentity>,
    pub(crate) ruleset: Option<&'a Arc<Ruleset>>,
    /// What adapters said.
    pub(crate) said: Vec<Said>,
}

fn record(id: DecisionId, verdict: &Verdict, duration: Duration, asked: Asked, bag: Bag) -> Record {
    let reason = &verdict.reason;
    Record {
        id,
        time: now(),
        duration,
        snapshot: Arc::default(),
        workload: None,
        door: asked.door.as_str(),
        outcome: logged(verdict.decision),
        status: verdict.status,
        reason: reason.code.as_str(),
        policy: reason.policy.clone(),
        rule: reason.rule.as_ref().map(rule),
        message: reason
            .message
            .as_ref()
            .or(Some(&verdict.message))
            .filter(|text| !text.as_str().is_empty())
            .map(shared),
        audit: verdict.audit.iter().map(|mark| format!("{}#{}", mark.policy, mark.rule).into()).collect(),
        dry_run: verdict.shadows.as_deref().map(dry_run).unwrap_or_default(),
        in_doubt: reason.in_doubt,
        adapters: Vec::new(),
        reads: Arc::default(),
        bag,
    }
}

/// Whether a decision is logged whatever the sampling says.
fn is_urgent(verdict: &Verdict) -> bool {
    let sides = verdict.shadows.iter().flat_map(|shadows| [&shadows.deny, &shadows.allow]).flatten();
    !verdict.is_allow() || !verdict.audit.is_empty() || sides.into_iter().any(|side| side.decision == Decision::Deny)
}

fn dry_run(shadows: &Shadows) -> Vec<DryRun> {
    let sides = [("deny", &shadows.deny), ("allow", &shadows.allow)];
    let told = |(side, shadow): (&'static str, &Option<Shadow>)| {
        let shadow = shadow.as_ref()?;
        let rule = shadow.policy.as_ref().zip(shadow.rule.as_ref());
        Some(DryRun {
            side,
            outcome: logged(shadow.decision),
            rule: rule.map(|(policy, rule)| format!("{policy}#{rule}").into()),
        })
    };
    sides.into_iter().filter_map(told).collect()
}

fn logged(decision: Decision) -> Outcome {
    match decision {
        Decision::Allow => Outcome::Allow,
        Decision::Deny => Outcome::Deny,
    }
}

/// A rule's name, or its place.
fn rule(rule: &RuleId) -> Arc<str> {
    /// The places of all but the largest policies, written once.
    static PLACES: LazyLock<Vec<Arc<str>>> =
        LazyLock::new(|| (0..64).map(|place: u32| place.to_string().into()).collect());
    match (&rule.name, PLACES.get(rule.index as usize)) {
        (Some(name), _) => name.clone(),
        (None, Some(place)) => place.clone(),
        (None, None) => rule.index.to_string().into(),
    }
}

fn shared(text: &Text) -> Arc<str> {
    /// What almost every denial says, made once.
    static USUAL: LazyLock<Arc<str>> = LazyLock::new(|| DENIED.into());
    match text {
        Text::Shared(text) => text.clone(),
        Text::Static(DENIED) => USUAL.clone(),
        Text::Static(text) => (*text).into(),
    }
}
