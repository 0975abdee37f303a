//! The rules of one effect, found by what a request is.
//!
//! A rule is left out of the candidates of a request only when it surely does not hold for it; what is left is asked in
//! order. The looking up is weir-cel's [`weir_cel::Index`]; here is what AuthorizationPolicy's conditions ask for, and
//! how a request answers.

mod alternatives;
mod subject;

use std::sync::Arc;

use weir_cel::Candidates;

use crate::{
    facts::Facts,
    policy::{Policy, Rule},
};
use alternatives::alternatives;
use subject::Subject;

/// The rules of one effect, in the order of their policies.
#[derive(Debug)]
pub(crate) struct Index {
    policies: Box<[Arc<Policy>]>,
    /// Where each rule is: its policy's place, and its own in that policy.
    rules: Box<[(u32, u32)]>,
    index: weir_cel::Index<Subject>,
}

impl Index {
    pub(crate) fn new<'p>(policies: impl IntoIterator<Item = &'p Arc<Policy>>) -> Self {
        let policies: Box<[Arc<Policy>]> =
            policies.into_iter().filter(|policy| !policy.rules.is_empty()).cloned().collect();
        let places =
            (0_u32..).zip(&policies).flat_map(|(at, policy)| (0..policy.rules.len() as u32).map(move |n| (at, n)));
        let asked: Vec<_> =
            policies.iter().flat_map(|policy| &policy.rules).map(|rule| alternatives(&rule.body)).collect();
        Self { rules: places.collect(), index: weir_cel::Index::new(&asked), policies }
    }

    /// The rules that may hold for that request.
    pub(crate) fn candidates(&self, facts: &Facts<'_>) -> impl Iterator<Item = (&Policy, &Rule)> {
        let mut found = Candidates::new();
        self.index.candidates(facts, &mut found);
        found.into_iter().filter_map(|at| {
            let (policy, rule) = self.rules.get(at as usize)?;
            let policy = self.policies.get(*policy as usize)?;
            Some((&**policy, policy.rules.get(*rule as usize)?))
        })
    }
}

#[cfg(test)]
mod tests;
