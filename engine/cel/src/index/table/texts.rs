//! Exact texts, by their hash alone: the text itself is not kept, because whoever is found is asked anyway.
//!
//! One lookup touches one line of memory. A request may hash like a text that it is not: then rules are asked in vain,
//! never more of them than for the text itself.

use std::collections::HashMap;

use crate::hash::{hash, longest};

/// The rules of each text.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// A power of two of them, at most half in use; each is at its hash or behind it.
    places: Box<[Place]>,
    /// The lists of rules that are longer than one.
    lists: Box<[u32]>,
    /// The bytes of the longest text.
    longest: usize,
}

/// Where the rules of the texts with one hash are.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    hash: u64,
    /// The only rule, or where the list begins.
    start: u32,
    /// How many rules; 0 in a place that is free.
    count: u32,
}

impl Texts {
    pub(super) fn new(texts: HashMap<Box<str>, Vec<u32>>) -> Self {
        let longest = longest(texts.keys());
        let mut by_hash: HashMap<u64, Vec<u32>> = HashMap::with_capacity(texts.len());
        for (text, rules) in texts {
            let same = by_hash.entry(hash(text.as_bytes())).or_default();
            same.extend(rules);
            same.sort_unstable();
            same.dedup();
        }
        let size = if by_hash.is_empty() { 0 } else { (2 * by_hash.len()).next_power_of_two() };
        let mut made = Self { places: vec![Place::default(); size].into(), lists: Box::default(), longest };
        let mut lists = Vec::new();
        for (hash, rules) in by_hash {
            let start = match &*rules {
                [only] => *only,
                many => {
                    let start = lists.len() as u32;
                    lists.extend_from_slice(many);
                    start
                }
            };
            made.put(Place { hash, start, count: rules.len() as u32 });
        }
        made.lists = lists.into();
        made
    }

    fn put(&mut self, place: Place) {
        let mask = self.places.len().wrapping_sub(1);
        let mut at = place.hash as usize & mask;
        while let Some(there) = self.places.get_mut(at) {
            if there.count == 0 {
                *there = place;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The rules of that text; perhaps those of another.
    #[inline(always)]
    pub(super) fn get(&self, text: &[u8]) -> Option<&[u32]> {
        if text.len() > self.longest || self.places.is_empty() {
            return None;
        }
        let hash = hash(text);
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places.get(at)?;
            match place.count {
                0 => return None,
                _ if place.hash != hash => at = (at + 1) & mask,
                1 => return Some(std::slice::from_ref(&place.start)),
                count => return self.lists.get(place.start as usize..(place.start + count) as usize),
            }
        }
    }
}
