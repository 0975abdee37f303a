//! Everything that applies to one workload, ready to be asked.

mod custom;
mod dry_run;
mod index;
mod set;

use std::sync::Arc;

use weir_attributes::Bag;
use weir_cel::Scratch;

pub(crate) use custom::{Asked, Custom, Matched};
pub(crate) use set::Parts;
pub use set::{PolicySet, RULESETS_MAX};

use crate::{
    authentication::{Admitted, Authentication, Keys},
    facts::Facts,
    peer::PeerModes,
    policy::{Effect, Holds, Policy, Rule},
    referenced::Referenced,
    truth::Truth,
    verdict::{AUDIT_MARKS_MAX, AuditMark, Decision, REUSE, Reason, ReasonCode, Verdict},
};
use dry_run::DryRun;
use index::Index;

/// A check adapter that applies to a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterRef {
    /// Its place in [`crate::document::Documents::check_adapters`].
    pub binding: usize,
    /// `NAMESPACE/NAME`.
    pub name: Arc<str>,
}

/// All policies and check adapters that apply to a workload. Workloads to which the same ones apply share it.
#[derive(Debug)]
pub struct Ruleset {
    policies: Box<[Arc<Policy>]>,
    custom: Custom,
    audit: Index,
    deny: Index,
    allow: Index,
    dry_run: Option<DryRun>,
    /// An ALLOW policy applies: what no rule allows is denied.
    default_deny: bool,
    adapters: Box<[AdapterRef]>,
    peer: PeerModes,
    authentication: Authentication,
    referenced: Arc<Referenced>,
}

impl Ruleset {
    /// `previous` is the workload's ruleset before a change: its indexes are kept where they are nearly the same.
    pub(crate) fn new(
        policies: Vec<Arc<Policy>>,
        authentication: Authentication,
        adapters: Vec<AdapterRef>,
        peer: PeerModes,
        previous: Option<&Ruleset>,
    ) -> Self {
        let mut referenced = Referenced::default();
        peer.refer(&mut referenced);
        authentication.refer(&mut referenced);
        policies.iter().flat_map(|policy| &policy.rules).for_each(|rule| rule.refer(&mut referenced));
        let enforced = |effect| move |policy: &&Arc<Policy>| policy.effect == effect && !policy.dry_run;
        let of = |effect: Effect, previous: Option<&Index>| {
            Index::after(previous, policies.iter().filter(enforced(effect)).cloned().collect())
        };
        Self {
            custom: Custom::default(),
            audit: of(Effect::Audit, previous.map(|previous| &previous.audit)),
            deny: of(Effect::Deny, previous.map(|previous| &previous.deny)),
            allow: of(Effect::Allow, previous.map(|previous| &previous.allow)),
            dry_run: DryRun::new(&policies),
            default_deny: policies.iter().any(|policy| enforced(Effect::Allow)(&policy)),
            policies: policies.into(),
            adapters: adapters.into(),
            peer,
            authentication,
            referenced: Arc::new(referenced),
        }
    }

    /// With CUSTOM policies.
    pub(crate) fn asking(self, custom: Custom) -> Self {
        Self { custom, ..self }
    }

    pub(crate) fn custom(&self) -> &Custom {
        &self.custom
    }

    /// Whose providers must be asked about a request before the policies are, in order; nobody's when it is refused
    /// already.
    pub(crate) fn providers(&self, bag: &Bag) -> Vec<Matched> {
        let matched = self.custom.matched(bag);
        if matched.is_empty() || self.peer.refuses(bag) { Vec::new() } else { matched }
    }

    /// Everything that its pure phases can read.
    #[must_use]
    pub fn referenced(&self) -> &Arc<Referenced> {
        &self.referenced
    }

    /// The check adapters that are asked after an allow, in order.
    #[must_use]
    pub fn adapters(&self) -> &[AdapterRef] {
        &self.adapters
    }

    /// Whether peers of the workload must be authenticated, by port.
    #[must_use]
    pub fn peer(&self) -> &PeerModes {
        &self.peer
    }

    /// The policies in it, as `NAMESPACE/NAME`, sorted.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<str>> {
        self.policies.iter().map(|policy| &policy.id)
    }

    /// Validates the tokens; the bag becomes the request as the workload will see it.
    pub(crate) fn admit(&self, bag: &mut Bag, now: i64, keys: &Keys) -> Result<Admitted, Box<Verdict>> {
        self.authentication.admit(bag, now, keys)
    }

    /// The verdict of the pure phases: AUDIT, DENY, ALLOW, in every reading of the path; the worst of them.
    pub(crate) fn decide(&self, bag: &Bag) -> Verdict {
        let mut scratch = None;
        if self.peer.refuses(bag) {
            let verdict = Verdict::deny(ReasonCode::PeerNotAuthenticated);
            return Verdict { ttl: (!self.referenced.volatile()).then_some(REUSE), ..verdict };
        }
        let mut worst = self.decide_in(&Facts::new(bag.as_told()), &mut scratch);
        for path in 1..bag.paths() {
            scratch = None;
            let other = self.decide_in(&Facts::new(bag.as_told().with_path(path)), &mut scratch);
            worst = worse(worst, other);
        }
        if !self.referenced.volatile() {
            worst.ttl = Some(REUSE);
        }
        worst
    }

    fn decide_in(&self, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Verdict {
        let mut verdict = self.deny_or_allow(facts, scratch);
        for (policy, rule) in self.audit.candidates(facts) {
            if rule.holds(Effect::Audit, facts, scratch).truth != Truth::No && verdict.audit.len() < AUDIT_MARKS_MAX {
                verdict.audit.push(AuditMark { policy: policy.id.clone(), rule: rule.id.clone() });
            }
        }
        verdict.shadows = self.dry_run.as_ref().map(|dry_run| Box::new(dry_run.decide(facts, scratch)));
        verdict
    }

    fn deny_or_allow(&self, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Verdict {
        let denied = search(&self.deny, Effect::Deny, facts, scratch);
        if let Some(Found { policy, rule, holds }) = denied {
            let code = if holds.by_error { ReasonCode::ErrorInRule } else { ReasonCode::DeniedByRule };
            let reason = Reason { in_doubt: holds.truth == Truth::Maybe, ..because(code, policy, rule) };
            return Verdict::new(Decision::Deny, rule.status, rule.message(facts, scratch), reason);
        }
        if !self.default_deny {
            let silent = self.policies.iter().all(|policy| policy.effect == Effect::Audit || policy.dry_run);
            return Verdict::allow(if silent { ReasonCode::NoPolicy } else { ReasonCode::NotDenied });
        }
        match search(&self.allow, Effect::Allow, facts, scratch) {
            Some(Found { policy, rule, holds: Holds { truth: Truth::Yes, .. } }) => {
                Verdict::allow(because(ReasonCode::AllowedByRule, policy, rule))
            }
            doubtful => Verdict::deny(Reason { in_doubt: doubtful.is_some(), ..ReasonCode::DefaultDeny.into() }),
        }
    }
}

/// A rule that holds, in all readings or in some.
struct Found<'r> {
    policy: &'r Policy,
    rule: &'r Rule,
    holds: Holds,
}

/// The first rule that surely holds, else the first that may.
fn search<'r>(index: &'r Index, effect: Effect, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Option<Found<'r>> {
    let mut doubtful = None;
    for (policy, rule) in index.candidates(facts) {
        let holds = rule.holds(effect, facts, scratch);
        match holds.truth {
            Truth::Yes => return Some(Found { policy, rule, holds }),
            Truth::Maybe if doubtful.is_none() => doubtful = Some(Found { policy, rule, holds }),
            _ => {}
        }
    }
    doubtful
}

fn because(code: ReasonCode, policy: &Policy, rule: &Rule) -> Reason {
    Reason { policy: Some(policy.id.clone()), rule: Some(rule.id.clone()), ..code.into() }
}

/// The worse of the verdicts of two readings, with the audit marks of both.
fn worse(a: Verdict, b: Verdict) -> Verdict {
    let differ = a.decision != b.decision;
    let (mut worse, other) = if a.is_allow() { (b, a) } else { (a, b) };
    worse.reason.in_doubt |= differ;
    worse.shadows = worse.shadows.map(|mine| Box::new(dry_run::worse(*mine, other.shadows.map(|its| *its))));
    for mark in other.audit {
        if !worse.audit.contains(&mark) && worse.audit.len() < AUDIT_MARKS_MAX {
            worse.audit.push(mark);
        }
    }
    worse
}
