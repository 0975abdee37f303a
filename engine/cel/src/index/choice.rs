//! Which conjunct of an alternative finds it best: the one that the fewest others share.

use std::{collections::HashMap, hash::Hash};

use crate::conjuncts::{Alternative, Atom, Conjunct};

/// How many alternatives ask for the same.
pub(super) struct Choice<'r, S>(HashMap<(&'r S, &'r Atom), u32>);

/// What finding by another way than by an exact text costs, in rules that are asked in vain.
const DETOUR: u32 = 2;

impl<'r, S: Eq + Hash> Choice<'r, S> {
    pub(super) fn count(alternatives: impl Iterator<Item = &'r Alternative<S>>) -> Self {
        let mut counts = HashMap::new();
        for conjunct in alternatives.flat_map(|all| all.iter()) {
            for atom in &conjunct.any {
                *counts.entry((&conjunct.subject, atom)).or_default() += 1;
            }
        }
        Self(counts)
    }

    /// The conjunct that finds an alternative best; none when nothing does.
    pub(super) fn key<'a>(&self, alternative: &'a [Conjunct<S>]) -> Option<&'a Conjunct<S>> {
        alternative.iter().min_by_key(|conjunct| (self.shared(conjunct), !conjunct.guarded))
    }

    /// How many rules a lookup that finds the conjunct gives, at worst.
    fn shared(&self, conjunct: &Conjunct<S>) -> u32 {
        let of = |atom: &Atom| {
            let same = self.0.get(&(&conjunct.subject, atom)).copied().unwrap_or(0);
            if matches!(atom, Atom::Exact(_)) { same } else { same.saturating_add(1).saturating_mul(DETOUR) }
        };
        conjunct.any.iter().map(of).max().unwrap_or(0)
    }
}
