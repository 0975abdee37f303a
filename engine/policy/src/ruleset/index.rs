//! The rules of one effect, found by what a request is.
//!
//! A rule is left out of the candidates of a request only when it surely does not hold for it; what is left is asked in
//! order. The looking up is weir-cel's [`weir_cel::Index`]; here is what AuthorizationPolicy's conditions ask for, and
//! how a request answers.
//!
//! A small change of the policies keeps the large index: policies that are gone are passed over, and those that came are
//! looked up in an index of their own, until both grow beyond a part of the whole.

mod alternatives;
mod segment;
mod subject;

use std::{cmp::Ordering, collections::HashSet, iter::Peekable, sync::Arc};

use crate::{
    facts::Facts,
    policy::{Policy, Rule},
};
use alternatives::alternatives;
use segment::Segment;
use subject::Subject;

/// A change of more than this part of the rules makes the index anew.
const CHANGED_PART: usize = 8;

/// The rules of one effect, in the order of their policies.
#[derive(Debug)]
pub(crate) struct Index {
    base: Arc<Segment>,
    /// The places of the base's policies that are no longer there, ascending.
    gone: Box<[u32]>,
    /// The policies that came after the base was made.
    added: Option<Segment>,
}

impl Index {
    pub(crate) fn new(policies: Vec<Arc<Policy>>) -> Self {
        Self { base: Arc::new(Segment::new(policies)), gone: Box::default(), added: None }
    }

    /// An index over those policies, made from another's base where little has changed.
    pub(crate) fn after(previous: Option<&Index>, policies: Vec<Arc<Policy>>) -> Self {
        let Some(base) = previous.map(|previous| &previous.base) else { return Self::new(policies) };
        let wanted: HashSet<*const Policy> = policies.iter().map(Arc::as_ptr).collect();
        let known: HashSet<*const Policy> = base.policies().map(Arc::as_ptr).collect();
        let gone = (0_u32..).zip(base.policies()).filter(|(_, policy)| !wanted.contains(&Arc::as_ptr(policy)));
        let (gone, lost): (Vec<u32>, Vec<usize>) = gone.map(|(at, policy)| (at, policy.rules.len())).unzip();
        let mut added = policies.clone();
        added.retain(|policy| !policy.rules.is_empty() && !known.contains(&Arc::as_ptr(policy)));
        let changed = lost.iter().sum::<usize>() + added.iter().map(|policy| policy.rules.len()).sum::<usize>();
        if changed.saturating_mul(CHANGED_PART) > base.len() {
            return Self::new(policies);
        }
        let added = Some(added).filter(|added| !added.is_empty()).map(Segment::new);
        Self { base: base.clone(), gone: gone.into(), added }
    }

    /// The rules that may hold for that request.
    pub(crate) fn candidates(&self, facts: &Facts<'_>) -> impl Iterator<Item = (&Policy, &Rule)> {
        let there = |(place, policy, rule)| self.gone.binary_search(&place).is_err().then_some((policy, rule));
        let base = self.base.candidates(facts).filter_map(there);
        let added = self.added.as_ref().map(|added| added.candidates(facts).map(|(_, policy, rule)| (policy, rule)));
        Merged { base: base.peekable(), added: added.into_iter().flatten().peekable() }
    }

    /// The policies in it, in no order.
    #[cfg(test)]
    fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        let there = |at: u32| self.gone.binary_search(&at).is_err();
        let base = (0..).zip(self.base.policies()).filter(move |(at, _)| there(*at)).map(|(_, policy)| policy);
        base.chain(self.added.iter().flat_map(Segment::policies))
    }
}

/// Two runs of candidates as one, in the order of their policies' names.
struct Merged<A: Iterator, B: Iterator> {
    base: Peekable<A>,
    added: Peekable<B>,
}

impl<'i, A, B> Iterator for Merged<A, B>
where
    A: Iterator<Item = (&'i Policy, &'i Rule)>,
    B: Iterator<Item = (&'i Policy, &'i Rule)>,
{
    type Item = (&'i Policy, &'i Rule);

    fn next(&mut self) -> Option<Self::Item> {
        let Some((added, _)) = self.added.peek() else { return self.base.next() };
        match self.base.peek() {
            Some((base, _)) if order(base, added) != Ordering::Greater => self.base.next(),
            _ => self.added.next(),
        }
    }
}

/// As policies are sorted: by name, AuthorizationPolicies before CelPolicies of the same.
fn order(a: &Policy, b: &Policy) -> Ordering {
    a.id.cmp(&b.id).then(a.is_expression().cmp(&b.is_expression()))
}

#[cfg(test)]
mod tests;
