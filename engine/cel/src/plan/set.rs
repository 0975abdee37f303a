//! Constant texts as a hashed set.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

/// Texts to be found fast. They come from the policy, and only lookups come from requests, so a plain hash is enough:
/// no request can make two of them collide.
#[derive(Debug)]
pub(crate) struct TextSet(HashSet<Box<str>, BuildHasherDefault<Words>>);

impl TextSet {
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.contains(text)
    }
}

impl<'t> FromIterator<&'t str> for TextSet {
    fn from_iter<I: IntoIterator<Item = &'t str>>(texts: I) -> Self {
        Self(texts.into_iter().map(Box::from).collect())
    }
}

/// Eight bytes at a time, each folded in by a multiplication whose high half comes back.
#[derive(Clone, Copy, Debug, Default)]
struct Words(u64);

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Words {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(ODD);
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for Words {
    fn write(&mut self, bytes: &[u8]) {
        self.mix(bytes.len() as u64 ^ ODD);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        self.mix(last);
    }

    fn write_u8(&mut self, _: u8) {
        // The end mark of a text: its length is in the hash already.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
