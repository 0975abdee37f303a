//! Stores that all instances of one adapter share. Needs `kv = ["NAME"]` under `[capabilities]`.

use std::time::Duration;

use crate::Refusal;
use crate::bindings::life::weir::plugin::kv as host;

/// A store by its name in the manifest.
#[derive(Clone, Copy, Debug)]
pub struct Store<'a>(&'a str);

impl<'a> Store<'a> {
    /// The store of that name; whether it was granted shows at the first use.
    pub const fn new(name: &'a str) -> Store<'a> {
        Store(name)
    }

    /// The value of that key.
    ///
    /// # Errors
    /// The store is not granted.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Refusal> {
        host::get(self.0, key)
    }

    /// Sets it; without a time to live it stays until it is deleted or the store is full.
    ///
    /// # Errors
    /// The store is not granted, or key or value are too long.
    pub fn set(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<(), Refusal> {
        host::set(self.0, key, value, ttl.map(millis))
    }

    /// Sets it only if there is none; says whether it did.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn insert(&self, key: &str, value: &[u8], ttl: Option<Duration>) -> Result<bool, Refusal> {
        host::insert(self.0, key, value, ttl.map(millis))
    }

    /// Adds to a number, 0 at first, and gives the sum. The time to live is that of the first addition.
    ///
    /// # Errors
    /// As [`set`](Self::set), and a value that is no number.
    pub fn increment(&self, key: &str, by: i64, ttl: Option<Duration>) -> Result<i64, Refusal> {
        host::increment(self.0, key, by, ttl.map(millis))
    }

    /// Deletes it; says whether there was one.
    ///
    /// # Errors
    /// The store is not granted.
    pub fn delete(&self, key: &str) -> Result<bool, Refusal> {
        host::delete(self.0, key)
    }
}

pub(crate) fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
