//! Constant texts as a hashed set.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};

use crate::hash::{hash, longest};

/// Texts to be found fast.
#[derive(Debug)]
pub(crate) struct TextSet {
    texts: HashSet<Box<str>, WordHasher>,
    /// The bytes of the longest text.
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
        let longest = longest(&texts);
        Self { texts, longest }
    }
}

/// What hashes a text: it is written as a whole.
#[derive(Clone, Copy, Debug, Default)]
struct Words(u64);

impl Hasher for Words {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
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
