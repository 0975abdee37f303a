//! Prefixes, or suffixes, sorted: those that a text has are found by one binary search.

use std::{cmp::Ordering, collections::HashMap};

use super::Rules;
use crate::index::Gathered;

/// Texts that another may start with, or end with.
#[derive(Debug, Default)]
pub(super) struct Affixes {
    /// Whether texts are read backwards.
    backwards: bool,
    sorted: Box<[Affix]>,
}

#[derive(Debug)]
struct Affix {
    text: Box<str>,
    rules: Rules,
    /// The longest other one that this one has.
    parent: Option<u32>,
}

impl Affixes {
    pub(super) fn new(lists: HashMap<Box<str>, Vec<u32>>, backwards: bool) -> Self {
        let mut sorted: Vec<Affix> =
            lists.into_iter().map(|(text, rules)| Affix { text, rules: rules.into(), parent: None }).collect();
        sorted.sort_unstable_by(|a, b| order(a.text.as_bytes(), b.text.as_bytes(), backwards));
        // Whatever an affix has stands before it, with only others between that have it too.
        let mut open: Vec<u32> = Vec::new();
        for at in 0..sorted.len() {
            let has = |parent: &u32| match (sorted.get(*parent as usize), sorted.get(at)) {
                (Some(parent), Some(affix)) => fits(affix.text.as_bytes(), parent.text.as_bytes(), backwards),
                _ => false,
            };
            while open.last().is_some_and(|last| !has(last)) {
                open.pop();
            }
            if let Some(affix) = sorted.get_mut(at) {
                affix.parent = open.last().copied();
            }
            open.push(at as u32);
        }
        Self { backwards, sorted: sorted.into() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Adds the rules of every affix that the text has.
    pub(super) fn find<'t>(&'t self, text: &[u8], into: &mut Gathered<'t>) {
        let behind = self
            .sorted
            .partition_point(|affix| order(affix.text.as_bytes(), text, self.backwards) != Ordering::Greater);
        let mut next = behind.checked_sub(1).map(|at| at as u32);
        let mut found = false;
        while let Some(affix) = next.and_then(|at| self.sorted.get(at as usize)) {
            found = found || fits(text, affix.text.as_bytes(), self.backwards);
            if found {
                // The parents of what fits fit.
                into.add(&affix.rules);
            }
            next = affix.parent;
        }
    }
}

fn fits(text: &[u8], affix: &[u8], backwards: bool) -> bool {
    if backwards { text.ends_with(affix) } else { text.starts_with(affix) }
}

fn order(a: &[u8], b: &[u8], backwards: bool) -> Ordering {
    if backwards { a.iter().rev().cmp(b.iter().rev()) } else { a.cmp(b) }
}
