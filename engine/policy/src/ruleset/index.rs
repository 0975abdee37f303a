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

use std::{cmp::Ordering, collections::HashSet, ops::ControlFlow, sync::Arc};

use weir_cel::Candidates;

use crate::{facts::Facts, policy::Policy};
use alternatives::alternatives;
pub(crate) use segment::{Candidate, Segment};
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

    /// Whether there is no rule at all.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.base.len() == 0 && self.added.is_none()
    }

    /// The one segment of an index that was not changed since it was made.
    #[inline(always)]
    pub(crate) fn unchanged(&self) -> Option<&Segment> {
        (self.added.is_none() && self.gone.is_empty()).then_some(&self.base)
    }

    /// Goes through the rules that may hold for that request, in the order of their policies' names, until `visit` breaks.
    pub(crate) fn visit<'i, T>(
        &'i self,
        facts: &Facts<'_>,
        mut visit: impl FnMut(Candidate<'i>) -> ControlFlow<T>,
    ) -> Option<T> {
        let mut room = Candidates::new();
        let base = self.base.find(facts, &mut room);
        if let Some(added) = &self.added {
            let base = base.iter().filter_map(|number| self.base.candidate(*number, &self.gone));
            return visit_both(base, added, facts, visit);
        }
        for number in base {
            let Some(candidate) = self.base.candidate(*number, &self.gone) else { continue };
            if let ControlFlow::Break(broken) = visit(candidate) {
                return Some(broken);
            }
        }
        None
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
#[inline(never)]
fn visit_both<'i, T>(
    base: impl Iterator<Item = Candidate<'i>>,
    added: &'i Segment,
    facts: &Facts<'_>,
    mut visit: impl FnMut(Candidate<'i>) -> ControlFlow<T>,
) -> Option<T> {
    let mut room = Candidates::new();
    let mut base = base.peekable();
    let mut added = added.find(facts, &mut room).iter().filter_map(|number| added.candidate(*number, &[])).peekable();
    loop {
        let from_base = match (base.peek(), added.peek()) {
            (Some(base), Some(added)) => order(base.policy(), added.policy()) != Ordering::Greater,
            (base, _) => base.is_some(),
        };
        let next = if from_base { base.next() } else { added.next() };
        if let ControlFlow::Break(broken) = visit(next?) {
            return Some(broken);
        }
    }
}

/// As policies are sorted: by name, AuthorizationPolicies before CelPolicies of the same.
fn order(a: &Policy, b: &Policy) -> Ordering {
    a.id.cmp(&b.id).then(a.is_expression().cmp(&b.is_expression()))
}

#[cfg(test)]
mod tests;
