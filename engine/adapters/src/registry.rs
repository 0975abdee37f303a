//! What belongs to an adapter by name and outlives its generations: stores and sinks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Things by adapter and name; each lives as long as somebody holds it. Locked only when a generation is made.
#[derive(Debug)]
pub(crate) struct Registry<T>(Mutex<Named<T>>);

/// By the adapter's name and the thing's own.
type Named<T> = HashMap<(Box<str>, Box<str>), Weak<T>>;

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Registry(Mutex::default())
    }
}

impl<T> Registry<T> {
    /// The living one if it still fits, else what `make` makes.
    pub(crate) fn get(
        &self,
        adapter: &str,
        name: &str,
        fits: impl FnOnce(&T) -> bool,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        things.retain(|_, thing| thing.strong_count() > 0);
        let key = (adapter.into(), name.into());
        if let Some(thing) = things.get(&key).and_then(Weak::upgrade).filter(|thing| fits(thing)) {
            return thing;
        }
        let thing = Arc::new(make());
        things.insert(key, Arc::downgrade(&thing));
        thing
    }
}
