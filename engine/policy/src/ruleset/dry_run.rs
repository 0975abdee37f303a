//! Dry-run policies: they decide nothing, and say what they would have decided.

use std::sync::Arc;

use weir_cel::Scratch;

use super::{Found, index::Index, search};
use crate::{
    facts::Facts,
    policy::{Effect, Policy},
    truth::Truth,
    verdict::{Decision, Shadow, Shadows},
};

/// The dry-run policies of a workload.
#[derive(Debug)]
pub(super) struct DryRun {
    deny: Option<Index>,
    allow: Option<Index>,
}

impl DryRun {
    /// None when there is no such policy. `previous` are the workload's before a change: their indexes are kept where
    /// they are nearly the same.
    pub(super) fn new(policies: &[Arc<Policy>], previous: Option<&DryRun>) -> Option<Self> {
        let of = |effect, previous: Option<&Index>| {
            let mut side = policies.iter().filter(move |policy| policy.dry_run && policy.effect == effect).peekable();
            side.peek().is_some().then(|| Index::after(previous, side.cloned().collect()))
        };
        let deny = of(Effect::Deny, previous.and_then(|previous| previous.deny.as_ref()));
        let allow = of(Effect::Allow, previous.and_then(|previous| previous.allow.as_ref()));
        (deny.is_some() || allow.is_some()).then_some(Self { deny, allow })
    }

    /// Each side by itself: a DENY rule that may hold denies, and so does it when no ALLOW rule surely holds.
    pub(super) fn decide(&self, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Shadows {
        let mut side = |index: &Option<Index>, effect| {
            let found = search(index.as_ref()?, effect, facts, scratch);
            let sure = found.as_ref().is_some_and(|found| found.holds.truth == Truth::Yes);
            let denies = if effect == Effect::Deny { found.is_some() } else { !sure };
            let found = found.filter(|_| sure || effect == Effect::Deny);
            let (policy, rule) =
                found.map(|Found { candidate, .. }| (candidate.policy_id(), candidate.rule_id())).unzip();
            Some(Shadow { decision: if denies { Decision::Deny } else { Decision::Allow }, policy, rule })
        };
        Shadows { deny: side(&self.deny, Effect::Deny), allow: side(&self.allow, Effect::Allow) }
    }
}

/// The worse of two readings, side by side.
pub(super) fn worse(mine: Shadows, its: Option<Shadows>) -> Shadows {
    let Some(its) = its else { return mine };
    let side = |mine: Option<Shadow>, its: Option<Shadow>| match (mine, its) {
        (Some(mine), Some(its)) if mine.decision == Decision::Allow => Some(its),
        (mine, its) => mine.or(its),
    };
    Shadows { deny: side(mine.deny, its.deny), allow: side(mine.allow, its.allow) }
}
