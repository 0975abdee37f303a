//! Policies whose rules are looked up together.

use std::sync::Arc;

use weir_cel::Candidates;

use super::{Subject, alternatives};
use crate::{
    facts::Facts,
    policy::{Policy, Rule},
};

/// Policies in the order of their names, and an index over all their rules.
#[derive(Debug)]
pub(super) struct Segment {
    policies: Box<[Arc<Policy>]>,
    /// Where each rule is: its policy's place, and its own in that policy.
    rules: Box<[(u32, u32)]>,
    index: weir_cel::Index<Subject>,
}

impl Segment {
    pub(super) fn new(mut policies: Vec<Arc<Policy>>) -> Self {
        policies.retain(|policy| !policy.rules.is_empty());
        let places =
            (0_u32..).zip(&policies).flat_map(|(at, policy)| (0..policy.rules.len() as u32).map(move |n| (at, n)));
        let asked: Vec<_> =
            policies.iter().flat_map(|policy| &policy.rules).map(|rule| alternatives(&rule.body)).collect();
        Self { rules: places.collect(), index: weir_cel::Index::new(&asked), policies: policies.into() }
    }

    /// How many rules there are.
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.policies.iter()
    }

    /// The rules that may hold for that request, each with its policy's place.
    pub(super) fn candidates(&self, facts: &Facts<'_>) -> impl Iterator<Item = (u32, &Policy, &Rule)> {
        let mut found = Candidates::new();
        if !self.rules.is_empty() {
            self.index.candidates(facts, &mut found);
        }
        found.into_iter().filter_map(|at| {
            let (place, rule) = self.rules.get(at as usize)?;
            let policy = self.policies.get(*place as usize)?;
            Some((*place, &**policy, policy.rules.get(*rule as usize)?))
        })
    }
}
