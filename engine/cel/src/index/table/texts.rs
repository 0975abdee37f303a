//! Exact texts, by their hash alone: the text itself is not kept, because whoever is found is asked anyway.
//!
//! One lookup touches one line of memory. A request may hash like a text that it is not: then rules are asked in vain,
//! never more of them than for the text itself.

use std::collections::HashMap;

/// The rules of each text.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// A power of two of them, at most half in use; each is at its hash or behind it.
    places: Box<[Place]>,
    /// The lists of rules that are longer than one.
    lists: Box<[u32]>,
    /// The bytes of the longest text: what is longer is not hashed.
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
        let longest = texts.keys().map(|text| text.len()).max().unwrap_or(0);
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

/// Sixteen bytes at a time, the last ones some of them again. Texts come from a configuration, and a collision costs a
/// question asked in vain: no key is needed.
#[inline(always)]
fn hash(bytes: &[u8]) -> u64 {
    const ODD: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93];
    let mix = |state: u64, [a, b]: [u64; 2]| {
        let product = u128::from(a ^ ODD[0]) * u128::from(b ^ ODD[1] ^ state);
        product as u64 ^ (product >> 64) as u64
    };
    let pair = |bytes: &[u8; 16]| {
        let whole = u128::from_le_bytes(*bytes);
        [whole as u64, (whole >> 64) as u64]
    };
    let mut state = ODD[0].wrapping_mul(bytes.len() as u64);
    let Some(last) = bytes.last_chunk::<16>() else {
        let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        return mix(state, [first, last]);
    };
    let mut rest = bytes;
    while let (Some(chunk), true) = (rest.first_chunk::<16>(), rest.len() > 16) {
        state = mix(state, pair(chunk));
        rest = rest.get(16..).unwrap_or_default();
    }
    mix(state, pair(last))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::hash;

    #[test]
    fn texts_that_differ_in_one_place_hash_otherwise() {
        let mut seen = HashSet::new();
        let mut count = 0;
        for length in 0..70 {
            let text = "a".repeat(length);
            assert!(seen.insert(hash(text.as_bytes())), "{length}");
            for at in 0..length {
                for other in ["b", "A", "/"] {
                    let mut changed = text.clone();
                    changed.replace_range(at..=at, other);
                    count += 1;
                    assert!(seen.insert(hash(changed.as_bytes())), "{changed}");
                }
            }
        }
        // Their low bits, which choose the place, are spread too.
        let places: HashSet<u64> = seen.iter().map(|hash| hash & 0xfff).collect();
        assert!(count > 7_000 && places.len() > 3_000, "{} places", places.len());
    }
}
