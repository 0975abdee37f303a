//! Constant texts as a hashed set.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

/// Texts to be found fast. They come from the policy, and only lookups come from requests, so a plain hash is enough:
/// no request can make two of them collide.
#[derive(Debug)]
pub(crate) struct TextSet {
    texts: HashSet<Box<str>, WordHasher>,
    /// The bytes of the longest: what is longer is not hashed, so that a lookup takes no more than the set is large.
    longest: usize,
}

/// Hashes texts of a policy, never of a request.
type WordHasher = BuildHasherDefault<Words>;

impl TextSet {
    pub(crate) fn contains(&self, text: &str) -> bool {
        text.len() <= self.longest && self.texts.contains(text)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }
}

impl<'t> FromIterator<&'t str> for TextSet {
    fn from_iter<I: IntoIterator<Item = &'t str>>(texts: I) -> Self {
        let texts: HashSet<Box<str>, WordHasher> = texts.into_iter().map(Box::from).collect();
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        Self { texts, longest }
    }
}

/// Sixteen bytes at a time: two words, multiplied, both halves of the product kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words(u64);

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
const OTHER: u64 = 0xd6e8_feb8_6659_fd93;

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Up to eight bytes as a word.
fn word(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(whole) => u64::from_le_bytes(*whole),
        None => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

impl Hasher for Words {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut state = fold(self.0 ^ bytes.len() as u64 ^ ODD, OTHER);
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            let (low, high) = pair.split_at(8);
            state = fold(word(low) ^ ODD, word(high) ^ state);
        }
        if !rest.is_empty() {
            // The last sixteen bytes, some of them again, where there are as many.
            let (low, high) = match bytes.last_chunk::<16>() {
                Some(last) => (word(last), word(last.get(8..).unwrap_or_default())),
                None => (word(rest), word(rest.get(8..).unwrap_or_default())),
            };
            state = fold(low ^ ODD, high ^ state);
        }
        self.0 = state;
    }

    #[inline]
    fn write_u8(&mut self, _: u8) {
        // The end mark of a text: its length is in the hash already.
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
