//! Everything that applies to one workload, ready to be asked.

mod custom;
mod dry_run;
mod index;
mod set;

use std::{ops::ControlFlow, sync::Arc};

use weir_attributes::Bag;
use weir_cel::{Candidates, Scratch};

pub(crate) use custom::{Asked, Custom, Matched};
pub(crate) use set::Parts;
pub use set::{PolicySet, RULESETS_MAX};

use crate::{
    authentication::{Authentication, Keys},
    facts::Facts,
    peer::PeerModes,
    policy::{Effect, Holds, Policy},
    referenced::Referenced,
    truth::Truth,
    verdict::{AUDIT_MARKS_MAX, AuditMark, Decision, REUSE, Reason, ReasonCode, Verdict},
};
use dry_run::DryRun;
use index::{Candidate, Index};

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
    /// No policy applies that may deny.
    silent: bool,
    /// Policies apply that only observe.
    watches: bool,
    /// A verdict may be used again.
    lasting: bool,
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
        policies.iter().for_each(|policy| referenced.add(&policy.referenced));
        let enforced = |effect| move |policy: &&Arc<Policy>| policy.effect == effect && !policy.dry_run;
        let of = |effect: Effect, previous: Option<&Index>| {
            Index::after(previous, policies.iter().filter(enforced(effect)).cloned().collect())
        };
        Self {
            custom: Custom::default(),
            audit: of(Effect::Audit, previous.map(|previous| &previous.audit)),
            deny: of(Effect::Deny, previous.map(|previous| &previous.deny)),
            allow: of(Effect::Allow, previous.map(|previous| &previous.allow)),
            dry_run: DryRun::new(&policies, previous.and_then(|previous| previous.dry_run.as_ref())),
            default_deny: policies.iter().any(|policy| enforced(Effect::Allow)(&policy)),
            silent: policies.iter().all(|policy| policy.effect == Effect::Audit || policy.dry_run),
            watches: policies.iter().any(|policy| policy.effect == Effect::Audit || policy.dry_run),
            lasting: !referenced.volatile(),
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

    /// Whether it asks nobody, of no request.
    #[inline]
    pub(crate) fn asks_nobody(&self) -> bool {
        self.custom.is_empty() && self.adapters.is_empty()
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

    /// Validates the tokens, so that the bag becomes the request as the workload will see it, and asks the policies.
    #[inline]
    pub(crate) fn judge(&self, bag: &mut Bag, now: i64, keys: &Keys) -> Verdict {
        if self.authentication.is_empty() { self.decide(bag) } else { self.judge_tokens(bag, now, keys) }
    }

    #[inline(never)]
    fn judge_tokens(&self, bag: &mut Bag, now: i64, keys: &Keys) -> Verdict {
        match self.authentication.admit(bag, now, keys) {
            Ok(admitted) => {
                let mut verdict = self.decide(bag);
                admitted.onto(&mut verdict);
                verdict
            }
            Err(verdict) => *verdict,
        }
    }

    /// The verdict of the pure phases: AUDIT, DENY, ALLOW, in every reading of the path; the worst of them.
    // In place: a verdict is large to hand on.
    #[inline(always)]
    fn decide(&self, bag: &Bag) -> Verdict {
        if bag.paths() > 1 || self.watches { self.decide_at_length(bag) } else { self.decide_once(bag) }
    }

    /// With one reading and policies that decide.
    #[inline(always)]
    fn decide_once(&self, bag: &Bag) -> Verdict {
        let (facts, mut scratch) = (Facts::new(bag.as_told()), None);
        let outcome = if self.peer.refuses(bag) { Outcome::Peer } else { self.outcome(&facts, &mut scratch) };
        self.verdict(outcome, &facts, &mut scratch)
    }

    /// With several readings, or with policies that only observe.
    #[inline(never)]
    fn decide_at_length(&self, bag: &Bag) -> Verdict {
        let refused = self.peer.refuses(bag);
        let in_world = |path| {
            let (facts, mut scratch) = (Facts::new(bag.as_told().with_path(path)), None);
            if refused {
                return self.verdict(Outcome::Peer, &facts, &mut scratch);
            }
            let outcome = self.outcome(&facts, &mut scratch);
            let mut verdict = self.verdict(outcome, &facts, &mut scratch);
            self.mark(&mut verdict, &facts, &mut scratch);
            verdict.shadows = self.dry_run.as_ref().map(|dry_run| Box::new(dry_run.decide(&facts, &mut scratch)));
            verdict
        };
        (1..bag.paths()).fold(in_world(0), |worst, path| worse(worst, in_world(path)))
    }

    fn mark(&self, verdict: &mut Verdict, facts: &Facts<'_>, scratch: &mut Option<Scratch>) {
        self.audit.visit(facts, |candidate| {
            if candidate.holds(Effect::Audit, facts, scratch).truth != Truth::No {
                verdict.audit.push(AuditMark { policy: candidate.policy_id(), rule: candidate.rule_id() });
            }
            if verdict.audit.len() < AUDIT_MARKS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }

    #[inline(always)]
    fn outcome(&self, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Outcome<'_> {
        if !self.deny.is_empty()
            && let Some(found) = search(&self.deny, Effect::Deny, facts, scratch)
        {
            return Outcome::Denied(found);
        }
        if !self.default_deny {
            return Outcome::NotDenied;
        }
        match search(&self.allow, Effect::Allow, facts, scratch) {
            Some(Found { candidate, holds: Holds { truth: Truth::Yes, .. } }) => Outcome::Allowed(candidate),
            doubtful => Outcome::Default { in_doubt: doubtful.is_some() },
        }
    }

    /// An outcome as it is told.
    #[inline(always)]
    fn verdict(&self, outcome: Outcome<'_>, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Verdict {
        let mut verdict = match outcome {
            Outcome::Allowed(candidate) => Verdict::allow(because(ReasonCode::AllowedByRule, &candidate)),
            Outcome::Default { in_doubt } => Verdict::deny(Reason { in_doubt, ..ReasonCode::DefaultDeny.into() }),
            Outcome::Denied(found) => found.denial(facts, scratch),
            Outcome::NotDenied if self.silent => Verdict::allow(ReasonCode::NoPolicy),
            Outcome::NotDenied => Verdict::allow(ReasonCode::NotDenied),
            Outcome::Peer => Verdict::deny(ReasonCode::PeerNotAuthenticated),
        };
        verdict.ttl = self.lasting.then_some(REUSE);
        verdict
    }
}

/// What the enforced policies decide in one reading.
enum Outcome<'r> {
    /// The peer is not authenticated.
    Peer,
    Denied(Found<'r>),
    /// And no ALLOW policy applies.
    NotDenied,
    Allowed(Candidate<'r>),
    /// No ALLOW rule surely holds.
    Default {
        /// One may.
        in_doubt: bool,
    },
}

/// A rule that holds, in all readings or in some.
struct Found<'r> {
    candidate: Candidate<'r>,
    holds: Holds,
}

impl Found<'_> {
    /// What a client reads may be computed from the request.
    #[inline(never)]
    fn denial(&self, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Verdict {
        let Found { candidate, holds } = self;
        let code = if holds.by_error { ReasonCode::ErrorInRule } else { ReasonCode::DeniedByRule };
        let reason = Reason { in_doubt: holds.truth == Truth::Maybe, ..because(code, candidate) };
        match candidate.rule() {
            Some(rule) => Verdict::new(Decision::Deny, rule.status, rule.message(facts, scratch), reason),
            None => Verdict::deny(reason),
        }
    }
}

/// The first rule that surely holds, else the first that may.
#[inline(never)]
fn search<'r>(index: &'r Index, effect: Effect, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Option<Found<'r>> {
    let Some(segment) = index.unchanged() else { return search_changed(index, effect, facts, scratch) };
    let (mut room, mut doubtful) = (Candidates::new(), None);
    for number in segment.find(facts, &mut room) {
        let Some(candidate) = segment.candidate(*number, &[]) else { continue };
        let holds = candidate.holds(effect, facts, scratch);
        match holds.truth {
            Truth::Yes => return Some(Found { candidate, holds }),
            Truth::Maybe if doubtful.is_none() => doubtful = Some(Found { candidate, holds }),
            _ => {}
        }
    }
    doubtful
}

/// The same in an index that was changed since it was made.
#[inline(never)]
fn search_changed<'r>(
    index: &'r Index,
    effect: Effect,
    facts: &Facts<'_>,
    scratch: &mut Option<Scratch>,
) -> Option<Found<'r>> {
    let mut doubtful = None;
    let sure = index.visit(facts, |candidate| {
        let holds = candidate.holds(effect, facts, scratch);
        match holds.truth {
            Truth::Yes => return ControlFlow::Break(Found { candidate, holds }),
            Truth::Maybe if doubtful.is_none() => doubtful = Some(Found { candidate, holds }),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    sure.or(doubtful)
}

#[inline(always)]
fn because(code: ReasonCode, candidate: &Candidate<'_>) -> Reason {
    Reason { policy: Some(candidate.policy_id()), rule: Some(candidate.rule_id()), ..code.into() }
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
