//! Named stores that an adapter's instances share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::contract::v1::weir::plugin::kv;
use crate::contract::v1::weir::plugin::types::Refusal;
use crate::guest::Guest;
use crate::services::{denied, invalid, limited};
use crate::{KEY_BYTES_MAX, StoreSize, VALUE_BYTES_MAX};

/// What a key costs beside its bytes.
const ENTRY_BYTES: usize = 128;

/// One store. Its lock is held for one operation, and by nobody but the adapter's own calls.
#[derive(Debug)]
pub(crate) struct Store {
    began: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    size: StoreSize,
    entries: HashMap<Arc<str>, Entry>,
    /// By the time at which they expire, then by age: who goes first.
    order: BTreeMap<(u64, u64), Arc<str>>,
    bytes: usize,
    written: u64,
}

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    place: (u64, u64),
}

impl Store {
    pub(crate) fn new(size: StoreSize) -> Store {
        let (entries, order) = Default::default();
        Store { began: Instant::now(), inner: Mutex::new(Inner { size, entries, order, bytes: 0, written: 0 }) }
    }

    /// A store that was made smaller forgets at once.
    pub(crate) fn resize(&self, size: StoreSize) {
        let mut inner = self.lock();
        inner.size = size;
        inner.make_room();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds of this store's life; a value without a time to live expires at the end of time.
    fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn expiry(&self, ttl_ms: Option<u32>) -> u64 {
        ttl_ms.map_or(u64::MAX, |ms| self.now() + u64::from(ms))
    }

    /// A value from outside of any plugin.
    pub(crate) fn put(&self, key: &str, value: &[u8]) {
        self.with(|inner| inner.put(key, value.to_vec(), u64::MAX));
    }

    /// What is alive, by key.
    pub(crate) fn entries(&self) -> Vec<(String, Vec<u8>)> {
        let mut all: Vec<_> = self
            .with(|inner| inner.entries.iter().map(|(key, entry)| (key.to_string(), entry.value.clone())).collect());
        all.sort();
        all
    }

    /// Runs `act` on what is alive.
    fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        let now = self.now();
        let mut inner = self.lock();
        inner.expire(now);
        act(&mut inner)
    }
}

impl Inner {
    fn expire(&mut self, now: u64) {
        while let Some(first) = self.order.first_entry()
            && first.key().0 <= now
        {
            let key = first.remove();
            self.forget(&key);
        }
    }

    fn forget(&mut self, key: &str) {
        if let Some((key, entry)) = self.entries.remove_entry(key) {
            self.order.remove(&entry.place);
            self.bytes -= ENTRY_BYTES + key.len() + entry.value.len();
        }
    }

    fn put(&mut self, key: &str, value: Vec<u8>, expiry: u64) {
        self.forget(key);
        self.written += 1;
        let (key, place): (Arc<str>, _) = (key.into(), (expiry, self.written));
        self.bytes += ENTRY_BYTES + key.len() + value.len();
        self.order.insert(place, key.clone());
        self.entries.insert(key, Entry { value, place });
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.entries.len() > self.size.entries || self.bytes > self.size.bytes {
            let Some((_, key)) = self.order.pop_first() else { return };
            self.forget(&key);
        }
    }
}

impl Guest {
    fn granted_store(&self, name: &str, key: &str, value: &[u8]) -> Result<Arc<Store>, Refusal> {
        let store = self.services.kv.get(name);
        let store =
            store.ok_or_else(|| denied(format!("the manifest does not list {name:?} under [capabilities] kv")))?;
        if key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
            let message = format!("a key has at most {KEY_BYTES_MAX} bytes, a value {VALUE_BYTES_MAX}");
            return Err(limited(message));
        }
        Ok(store.clone())
    }
}

impl kv::Host for Guest {
    fn get(&mut self, store: String, key: String) -> Result<Option<Vec<u8>>, Refusal> {
        let store = self.granted_store(&store, &key, &[])?;
        Ok(store.with(|inner| inner.entries.get(&*key).map(|entry| entry.value.clone())))
    }

    fn set(&mut self, store: String, key: String, value: Vec<u8>, ttl_ms: Option<u32>) -> Result<(), Refusal> {
        let store = self.granted_store(&store, &key, &value)?;
        let expiry = store.expiry(ttl_ms);
        store.with(|inner| inner.put(&key, value, expiry));
        Ok(())
    }

    fn insert(&mut self, store: String, key: String, value: Vec<u8>, ttl_ms: Option<u32>) -> Result<bool, Refusal> {
        let store = self.granted_store(&store, &key, &value)?;
        let expiry = store.expiry(ttl_ms);
        Ok(store.with(|inner| {
            let new = !inner.entries.contains_key(&*key);
            if new {
                inner.put(&key, value, expiry);
            }
            new
        }))
    }

    fn increment(&mut self, store: String, key: String, by: i64, ttl_ms: Option<u32>) -> Result<i64, Refusal> {
        let store = self.granted_store(&store, &key, &[])?;
        let expiry = store.expiry(ttl_ms);
        store.with(|inner| {
            let (old, expiry) = match inner.entries.get(&*key) {
                None => (0, expiry),
                Some(entry) => {
                    let bytes = entry.value.as_slice().try_into();
                    let bytes = bytes.map_err(|_| invalid("the value of that key is no number"))?;
                    (i64::from_le_bytes(bytes), entry.place.0)
                }
            };
            let sum = old.saturating_add(by);
            inner.put(&key, sum.to_le_bytes().to_vec(), expiry);
            Ok(sum)
        })
    }

    fn delete(&mut self, store: String, key: String) -> Result<bool, Refusal> {
        let store = self.granted_store(&store, &key, &[])?;
        Ok(store.with(|inner| {
            let there = inner.entries.contains_key(&*key);
            inner.forget(&key);
            there
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_full_store_forgets_what_expires_soonest_and_never_grows() {
        let size = StoreSize { entries: 3, bytes: 10_000 };
        let store = Store::new(size);
        store.with(|inner| {
            for (key, expiry) in [("forever", u64::MAX), ("late", 900_000), ("soon", 800_000), ("mid", 850_000)] {
                inner.put(key, vec![1], expiry);
            }
            let mut kept: Vec<_> = inner.entries.keys().map(ToString::to_string).collect();
            kept.sort();
            assert_eq!(kept, ["forever", "late", "mid"]);
            inner.put("big", vec![0; 9_860], u64::MAX);
            assert_eq!((inner.entries.len(), inner.order.len()), (1, 1));
            inner.forget("big");
            assert_eq!(inner.bytes, 0);
        });
    }

    #[test]
    fn what_has_expired_is_gone() {
        let store = Store::new(StoreSize::default());
        store.with(|inner| inner.put("a", vec![1], 0));
        assert!(store.with(|inner| inner.entries.is_empty() && inner.order.is_empty() && inner.bytes == 0));
        assert_eq!(store.expiry(None), u64::MAX);
    }
}
