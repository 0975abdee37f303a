//! The end of every check: counted, logged, named.

use std::sync::Arc;

use weir_attributes::Bag;
use weir_policy::{Decision, Doubts, ReasonCode, Ruleset, Text, Verdict};
use weir_telemetry::{CheckOutcome, Decision as Record, DecisionId, Outcome, Reads};

use crate::{
    Checked, Door, Runtime,
    check::{Asked, now},
    snapshot::Snapshot,
};

impl Runtime {
    /// Counts and logs a verdict. The ruleset is missing when none was reached; then nothing may be cached.
    pub(crate) fn conclude(
        &self,
        bag: Bag,
        verdict: Verdict,
        snapshot: Option<&Arc<Snapshot>>,
        ruleset: Option<&Arc<Ruleset>>,
        asked: Asked,
    ) -> Checked {
        let took = asked.since.elapsed();
        self.metrics.check(outcome(&verdict), verdict.reason.code as usize, asked.door as usize, took);
        let id = DecisionId::random();
        let version = snapshot.map_or_else(|| "".into(), |snapshot| snapshot.version.clone());
        let referenced = ruleset.map(|ruleset| ruleset.referenced().clone());
        let reads = match (snapshot, &referenced) {
            (Some(snapshot), Some(referenced)) => snapshot.reads.of(referenced),
            _ => Arc::default(),
        };
        self.decisions.record(record(id, &verdict, version.clone(), reads, took, asked, bag));
        let cacheable = verdict.ttl.is_some_and(|ttl| !ttl.is_zero());
        Checked { verdict, id, snapshot: version, referenced: referenced.filter(|_| cacheable) }
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
            ReasonCode::ErrorInRule | ReasonCode::AdapterFailed | ReasonCode::NoConfig | ReasonCode::UnknownWorkload,
        ) => CheckOutcome::Error,
        (Decision::Deny, _) => CheckOutcome::Deny,
    }
}

fn record(
    id: DecisionId,
    verdict: &Verdict,
    snapshot: Arc<str>,
    reads: Arc<Reads>,
    duration: std::time::Duration,
    asked: Asked,
    bag: Bag,
) -> Record {
    let reason = &verdict.reason;
    Record {
        id,
        time: now(),
        duration,
        snapshot,
        workload: workload(&bag),
        door: asked.door.as_str(),
        outcome: match verdict.decision {
            Decision::Allow => Outcome::Allow,
            Decision::Deny => Outcome::Deny,
        },
        status: verdict.status,
        reason: reason.code.as_str(),
        policy: reason.policy.clone(),
        rule: reason.rule.as_ref().map(|rule| rule.name.clone().unwrap_or_else(|| rule.to_string().into())),
        message: reason.message.as_ref().or(Some(&verdict.message)).map(shared).filter(|text| !text.is_empty()),
        audit: verdict.audit.iter().map(|mark| format!("{}#{}", mark.policy, mark.rule).into()).collect(),
        in_doubt: reason.in_doubt,
        reads,
        bag,
    }
}

fn shared(text: &Text) -> Arc<str> {
    match text {
        Text::Shared(text) => text.clone(),
        Text::Static(text) => (*text).into(),
    }
}

/// The workload that was decided for, as `NAMESPACE/NAME`.
fn workload(bag: &Bag) -> Option<Arc<str>> {
    use weir_attributes::slot::{DESTINATION_NAMESPACE, DESTINATION_WORKLOAD};
    let namespace = bag.str(DESTINATION_NAMESPACE)?;
    Some(match bag.str(DESTINATION_WORKLOAD) {
        Some(name) => format!("{namespace}/{name}").into(),
        None => namespace.into(),
    })
}
