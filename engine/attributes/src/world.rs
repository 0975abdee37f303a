//! Doubt: a bag seen under one choice of what its proxy left open.

use crate::{Bag, Headers, Map, Slot, Value, slot};

/// How many commas of joined header lines are tried both ways: 2^8 worlds.
pub const SPLITS_MAX: u32 = 8;

/// For each doubtful header name, which of its commas separate lines.
#[derive(Clone, Debug, Default)]
pub struct Splits(Vec<(Box<str>, u32)>);

impl Splits {
    /// No name decided yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bit n of `mask` set: the n-th comma of that header's joined value separates two lines.
    pub fn decide(&mut self, name: &str, mask: u32) {
        match self.0.iter_mut().find(|(decided, _)| &**decided == name) {
            Some(entry) => entry.1 = mask,
            None => self.0.push((name.into(), mask)),
        }
    }

    pub(crate) fn mask(&self, name: &str) -> u32 {
        self.0.iter().find(|(decided, _)| &**decided == name).map_or(0, |entry| entry.1)
    }

    pub(crate) fn decides(&self, name: &str) -> bool {
        self.0.iter().any(|(decided, _)| &**decided == name)
    }
}

/// A bag seen under one choice of its doubtful alternatives (design §4). A rule that denies holds if it holds in any
/// world, one that allows only if it holds in all.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    bag: &'a Bag,
    path: usize,
    splits: Option<&'a Splits>,
}

impl<'a> World<'a> {
    pub(crate) fn as_told(bag: &'a Bag) -> Self {
        Self { bag, path: 0, splits: None }
    }

    /// The same bag with that alternative of the path: 0 as told, up to [`Bag::paths`].
    #[must_use]
    pub fn with_path(self, path: usize) -> Self {
        Self { path, ..self }
    }

    /// The same bag with those header lines.
    #[must_use]
    pub fn with_splits(self, splits: &'a Splits) -> Self {
        Self { splits: Some(splits), ..self }
    }

    /// The bag, when this world differs in nothing from what it tells.
    #[must_use]
    pub fn as_bag(self) -> Option<&'a Bag> {
        (self.path == 0 && self.splits.is_none()).then_some(self.bag)
    }

    /// The bag behind it.
    #[must_use]
    pub fn bag(self) -> &'a Bag {
        self.bag
    }

    /// The value of that attribute in this world; none when absent.
    #[must_use]
    pub fn get(self, slot: Slot) -> Option<Value<'a>> {
        match slot {
            slot::REQUEST_HEADERS => Some(Value::Map(Map::Headers(self.headers()))),
            slot::REQUEST_HEADERS_ALL => Some(Value::ListMap(self.headers())),
            slot if self.reads_otherwise(slot) => self.bag.alternative(self.path - 1, slot).map(Value::String),
            _ => self.bag.get(slot),
        }
    }

    /// The text of that attribute in this world; none when absent or not a string.
    #[must_use]
    #[inline(always)]
    pub fn str(self, slot: Slot) -> Option<&'a str> {
        if self.reads_otherwise(slot) { self.bag.alternative(self.path - 1, slot) } else { self.bag.str(slot) }
    }

    /// The bytes of that text, which is faster than [`World::str`].
    #[must_use]
    #[inline(always)]
    pub fn bytes(self, slot: Slot) -> Option<&'a [u8]> {
        if self.reads_otherwise(slot) {
            return self.bag.alternative(self.path - 1, slot).map(str::as_bytes);
        }
        self.bag.bytes(slot)
    }

    /// Whether that attribute is another one than the bag tells.
    #[inline(always)]
    fn reads_otherwise(self, slot: Slot) -> bool {
        self.path > 0 && matches!(slot, slot::REQUEST_URL_PATH | slot::REQUEST_PATH)
    }

    /// The request's header lines in this world.
    #[must_use]
    pub fn headers(self) -> Headers<'a> {
        Headers { splits: self.splits, ..self.bag.headers() }
    }
}
