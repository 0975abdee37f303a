//! One part of the cache: two maps, the younger one growing; when it is half of the limit, the older one is forgotten.

use std::{collections::HashMap, sync::Arc, time::Instant};

use super::SHARDS;
use crate::{limits, wire::Verdict};

const HALF_ENTRIES: usize = limits::CACHE_ENTRIES_MAX / SHARDS / 2;
const HALF_BYTES: usize = limits::CACHE_BYTES_MAX / SHARDS / 2;

#[derive(Debug)]
struct Entry {
    verdict: Arc<Verdict>,
    until: Instant,
    uses: u32,
}

#[derive(Debug, Default)]
pub(super) struct Shard {
    young: HashMap<Box<[u8]>, Entry>,
    young_bytes: usize,
    old: HashMap<Box<[u8]>, Entry>,
}

impl Shard {
    /// The verdict at that key when it still holds, with one use fewer left.
    pub(super) fn take_use(&mut self, key: &[u8], now: Instant) -> Option<Arc<Verdict>> {
        if !self.young.contains_key(key) {
            let (key, entry) = self.old.remove_entry(key)?;
            self.put(key, entry);
        }
        let entry = self.young.get_mut(key)?;
        if entry.uses == 0 || now >= entry.until {
            self.young.remove(key);
            self.young_bytes = self.young_bytes.saturating_sub(key.len());
            return None;
        }
        entry.uses -= 1;
        Some(Arc::clone(&entry.verdict))
    }

    pub(super) fn insert(&mut self, key: Vec<u8>, verdict: Arc<Verdict>, until: Instant, uses: u32) {
        self.old.remove(key.as_slice());
        self.put(key.into(), Entry { verdict, until, uses });
    }

    fn put(&mut self, key: Box<[u8]>, entry: Entry) {
        let bytes = key.len();
        if self.young.insert(key, entry).is_none() {
            self.young_bytes += bytes;
        }
        if self.young.len() >= HALF_ENTRIES || self.young_bytes >= HALF_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
