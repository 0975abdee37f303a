//! The rules of one effect, found by what a request is.
//!
//! Every rule is a candidate for now: they are asked in order. A rule may be left out of the candidates of a request only
//! when it surely does not hold for it.

use std::sync::Arc;

use crate::{
    facts::Facts,
    policy::{Policy, Rule},
};

/// The rules of one effect, in the order of their policies.
#[derive(Debug)]
pub(crate) struct Index {
    policies: Box<[Arc<Policy>]>,
}

impl Index {
    pub(crate) fn new<'p>(policies: impl IntoIterator<Item = &'p Arc<Policy>>) -> Self {
        Self { policies: policies.into_iter().filter(|policy| !policy.rules.is_empty()).cloned().collect() }
    }

    /// The rules that may hold for that request.
    pub(crate) fn candidates(&self, _facts: &Facts<'_>) -> impl Iterator<Item = (&Policy, &Rule)> {
        self.policies.iter().flat_map(|policy| policy.rules.iter().map(|rule| (&**policy, rule)))
    }
}
