//! The access keys of one subject.

mod affixes;
mod blocks;
mod texts;

use std::{collections::HashMap, hash::Hash};

use super::{Gathered, Presence, Single, Subjects};
use crate::conjuncts::{Atom, Conjunct};
use affixes::Affixes;
use blocks::Blocks;
use texts::Texts;

type Rules = Box<[u32]>;

/// Everything that is asked about one subject.
#[derive(Debug)]
pub(super) struct Table<S> {
    subject: S,
    exact: Texts,
    prefixes: Affixes,
    suffixes: Affixes,
    /// Whether there is any prefix or suffix.
    affixes: bool,
    blocks: Blocks,
    /// The rules that are an error where the subject is absent.
    unguarded: Rules,
    /// All rules that are found here.
    all: Rules,
}

impl<S> Table<S> {
    /// Adds the rules whose keys fit, list by list; a rule may come more than once.
    #[inline(always)]
    pub(super) fn find<'t>(&'t self, request: &(impl Subjects<S> + ?Sized), into: &mut Gathered<'t>) {
        if self.blocks.is_empty()
            && let Single::Text(text) = request.single(&self.subject)
        {
            return match text {
                Some(text) => self.find_text(text, into),
                None => into.add(&self.unguarded),
            };
        }
        self.find_otherwise(request, into);
    }

    #[inline(never)]
    fn find_otherwise<'t>(&'t self, request: &(impl Subjects<S> + ?Sized), into: &mut Gathered<'t>) {
        let mut presence = Presence::Present;
        if !self.blocks.is_empty() {
            match request.address(&self.subject) {
                Ok(Some(address)) => self.blocks.find(address, into),
                Ok(None) => presence = Presence::Absent,
                Err(unsure) => presence = unsure,
            }
        }
        if presence == Presence::Present && self.has_texts() {
            presence = request.texts(&self.subject, |text| self.find_text(text, into));
        }
        match presence {
            Presence::Present => {}
            Presence::Absent => into.add(&self.unguarded),
            Presence::Unsure => into.add(&self.all),
        }
    }

    fn has_texts(&self) -> bool {
        !self.exact.is_empty() || self.affixes
    }

    #[inline(always)]
    fn find_text<'t>(&'t self, text: &[u8], into: &mut Gathered<'t>) {
        if let Some(rules) = self.exact.get(text) {
            into.add(rules);
        }
        if self.affixes {
            self.find_affixes(text, into);
        }
    }

    #[inline(never)]
    fn find_affixes<'t>(&'t self, text: &[u8], into: &mut Gathered<'t>) {
        for affixes in [&self.prefixes, &self.suffixes] {
            if !affixes.is_empty() {
                affixes.find(text, into);
            }
        }
    }
}

/// Tables while rules are added, which come in ascending order.
pub(super) struct Builder<S>(HashMap<S, Draft>);

impl<S> Default for Builder<S> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[derive(Default)]
struct Draft {
    exact: HashMap<Box<str>, Vec<u32>>,
    prefixes: HashMap<Box<str>, Vec<u32>>,
    suffixes: HashMap<Box<str>, Vec<u32>>,
    blocks: HashMap<ipnet::IpNet, Vec<u32>>,
    unguarded: Vec<u32>,
    all: Vec<u32>,
}

impl<S: Clone + Eq + Hash> Builder<S> {
    pub(super) fn add(&mut self, key: &Conjunct<S>, rule: u32) {
        let draft = self.0.entry(key.subject.clone()).or_default();
        for atom in &key.any {
            match atom {
                Atom::Exact(text) => list(&mut draft.exact, text, rule),
                Atom::Prefix(text) => list(&mut draft.prefixes, text, rule),
                Atom::Suffix(text) => list(&mut draft.suffixes, text, rule),
                Atom::Within(block) => push(draft.blocks.entry(block.trunc()).or_default(), rule),
            }
        }
        if !key.guarded {
            push(&mut draft.unguarded, rule);
        }
        push(&mut draft.all, rule);
    }

    pub(super) fn build(self) -> Box<[Table<S>]> {
        let table = |(subject, draft): (S, Draft)| Table {
            subject,
            affixes: !draft.prefixes.is_empty() || !draft.suffixes.is_empty(),
            exact: Texts::new(draft.exact),
            prefixes: Affixes::new(draft.prefixes, false),
            suffixes: Affixes::new(draft.suffixes, true),
            blocks: Blocks::new(draft.blocks),
            unguarded: draft.unguarded.into(),
            all: draft.all.into(),
        };
        self.0.into_iter().map(table).collect()
    }
}

fn list(lists: &mut HashMap<Box<str>, Vec<u32>>, text: &str, rule: u32) {
    match lists.get_mut(text) {
        Some(rules) => push(rules, rule),
        None => {
            lists.insert(text.into(), vec![rule]);
        }
    }
}

fn push(rules: &mut Vec<u32>, rule: u32) {
    if rules.last() != Some(&rule) {
        rules.push(rule);
    }
}
