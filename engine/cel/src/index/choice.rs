//! Which conjunct of an alternative finds it best: the one that the fewest others share.

use std::{collections::HashMap, hash::Hash};

use crate::conjuncts::{Alternative, Atom, Conjunct};

/// How many alternatives ask for the same.
pub(super) struct Choice<'r, S> {
    texts: HashMap<(&'r S, Way, &'r str), u32>,
    blocks: HashMap<&'r S, u32>,
}

/// How a text is compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    Exact,
    Prefix,
    Suffix,
}

/// What finding by another way than by an exact text costs, in rules that are asked in vain.
const DETOUR: u32 = 2;

impl<'r, S: Eq + Hash> Choice<'r, S> {
    pub(super) fn count(alternatives: impl Iterator<Item = &'r Alternative<S>>) -> Self {
        let mut choice = Self { texts: HashMap::new(), blocks: HashMap::new() };
        for conjunct in alternatives.flat_map(|all| all.iter()) {
            let subject = &conjunct.subject;
            let mut count = |way, text| *choice.texts.entry((subject, way, text)).or_default() += 1;
            match &conjunct.atom {
                Atom::OneOf(texts) => texts.iter().for_each(|text| count(Way::Exact, text)),
                Atom::Prefix(text) => count(Way::Prefix, text),
                Atom::Suffix(text) => count(Way::Suffix, text),
                Atom::Within(_) => *choice.blocks.entry(subject).or_default() += 1,
            }
        }
        choice
    }

    /// The conjunct that finds an alternative best; none when nothing does.
    pub(super) fn key<'a>(&self, alternative: &'a [Conjunct<S>]) -> Option<&'a Conjunct<S>> {
        let worth = |conjunct: &&Conjunct<S>| (self.shared(conjunct), !conjunct.guarded);
        alternative.iter().min_by_key(worth)
    }

    /// How many rules a lookup that finds the conjunct gives, at worst.
    fn shared(&self, conjunct: &Conjunct<S>) -> u32 {
        let subject = &conjunct.subject;
        let of = |way, text: &str| self.texts.get(&(subject, way, text)).copied().unwrap_or(0);
        match &conjunct.atom {
            Atom::OneOf(texts) => texts.iter().map(|text| of(Way::Exact, text)).max().unwrap_or(0),
            Atom::Prefix(text) => of(Way::Prefix, text).saturating_mul(DETOUR).saturating_add(DETOUR),
            Atom::Suffix(text) => of(Way::Suffix, text).saturating_mul(DETOUR).saturating_add(DETOUR),
            // How wide the blocks are cannot be compared with how often a text is asked for.
            Atom::Within(_) => self.blocks.get(subject).copied().unwrap_or(0).saturating_add(DETOUR),
        }
    }
}
