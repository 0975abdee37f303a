//! Policies whose rules are looked up together.
//!
//! What most requests need of a rule is copied here, so that a check touches few places of memory: where the rule is, its
//! chain, and its policy's name.

use std::sync::Arc;

use weir_cel::{Candidates, Scratch};

use super::{Subject, alternatives};
use crate::{
    chain::{Chains, Start},
    facts::Facts,
    policy::{Effect, Holds, Policy, Rule},
    truth::Truth,
    verdict::RuleId,
};

/// Policies in the order of their names, and an index over all their rules.
#[derive(Debug)]
pub(crate) struct Segment {
    policies: Box<[Arc<Policy>]>,
    /// Each policy's `NAMESPACE/NAME`, and whether rules of it have names.
    names: Box<[(Arc<str>, bool)]>,
    rules: Box<[Place]>,
    index: weir_cel::Index<Subject>,
    chains: Chains,
}

/// Where a rule is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Its policy's place.
    policy: u32,
    /// Its own in that policy.
    rule: u32,
    /// Where its chain begins.
    start: Start,
}

/// A rule that may hold.
#[derive(Clone, Copy)]
pub(crate) struct Candidate<'i> {
    segment: &'i Segment,
    place: &'i Place,
    policy: &'i Arc<Policy>,
}

impl Segment {
    pub(super) fn new(mut policies: Vec<Arc<Policy>>) -> Self {
        policies.retain(|policy| !policy.rules.is_empty());
        let rules = || policies.iter().flat_map(|policy| &policy.rules);
        let places =
            (0_u32..).zip(&policies).flat_map(|(at, policy)| (0..policy.rules.len() as u32).map(move |n| (at, n)));
        let (chains, starts) = Chains::new(rules());
        let asked: Vec<_> = rules().map(|rule| alternatives(&rule.body)).collect();
        Self {
            // Texts of their own, side by side: each check counts up one of them.
            names: policies.iter().map(|policy| (Arc::from(&*policy.id), policy.is_named())).collect(),
            rules: places.zip(starts).map(|((policy, rule), start)| Place { policy, rule, start }).collect(),
            index: weir_cel::Index::new(&asked),
            chains,
            policies: policies.into(),
        }
    }

    /// How many rules there are.
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.policies.iter()
    }

    /// Every rule.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = Candidate<'_>> {
        (0..self.rules.len() as u32).filter_map(|number| self.candidate(number, &[]))
    }

    /// The numbers of the rules that may hold for that request, ascending.
    #[inline(always)]
    pub(crate) fn find<'i>(&'i self, facts: &Facts<'_>, room: &'i mut Candidates) -> &'i [u32] {
        self.index.lookup(facts, room)
    }

    /// The rule of that number; none when its policy is among those that are `gone`, given by their places, ascending.
    #[inline(always)]
    pub(crate) fn candidate(&self, number: u32, gone: &[u32]) -> Option<Candidate<'_>> {
        let place = self.rules.get(number as usize)?;
        if !gone.is_empty() && gone.binary_search(&place.policy).is_ok() {
            return None;
        }
        Some(Candidate { segment: self, place, policy: self.policies.get(place.policy as usize)? })
    }
}

impl<'i> Candidate<'i> {
    #[inline(always)]
    pub(crate) fn holds(&self, effect: Effect, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Holds {
        match self.segment.chains.holds(self.place.start, facts, || self.rule()) {
            Some(holds) => Holds { truth: holds.into(), by_error: false },
            None => self.holds_at_length(effect, facts, scratch),
        }
    }

    #[inline(never)]
    fn holds_at_length(&self, effect: Effect, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Holds {
        // INVARIANT: there is a rule at each place; were there none, doubt never allows.
        let doubt = Holds { truth: Truth::Maybe, by_error: false };
        self.rule().map_or(doubt, |rule| rule.holds(effect, facts, scratch))
    }

    /// `NAMESPACE/NAME` of its policy.
    #[inline]
    pub(crate) fn policy_id(&self) -> Arc<str> {
        let name = self.segment.names.get(self.place.policy as usize).map(|(name, _)| name);
        name.unwrap_or(&self.policy.id).clone()
    }

    /// Which rule of its policy it is. Looks at the rule only if rules of that policy have names.
    #[inline]
    pub(crate) fn rule_id(&self) -> RuleId {
        let named = self.segment.names.get(self.place.policy as usize).is_some_and(|(_, named)| *named);
        let name = if named { self.rule().and_then(|rule| rule.id.name.clone()) } else { None };
        RuleId { index: self.place.rule, name }
    }

    pub(crate) fn policy(&self) -> &'i Policy {
        self.policy
    }

    pub(crate) fn rule(&self) -> Option<&'i Rule> {
        self.policy.rules.get(self.place.rule as usize)
    }

    /// What its chain says by itself.
    #[cfg(test)]
    pub(super) fn says(&self, facts: &Facts<'_>) -> Option<bool> {
        self.segment.chains.holds(self.place.start, facts, || self.rule())
    }
}
