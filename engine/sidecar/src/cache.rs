//! Verdicts of the engine, kept for equal requests.
//!
//! What "equal" means is the engine's to say: with a verdict it names the set of attributes and headers that the workload's
//! ruleset can read, and the values of these are the key, absent ones too (design §4). A generation belongs to one snapshot
//! of the engine's configuration and is dropped whole when another one appears.

mod key;
mod shard;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
pub(crate) use key::{Referenced, chooser};
use shard::Shard;
use weir_attributes::Bag;

use crate::{limits, wire::Verdict};

/// So many shards that workers seldom want the same one.
const SHARDS: usize = 64;

/// The verdict cache of one sidecar, shared by its workers.
#[derive(Debug)]
pub(crate) struct Cache {
    current: ArcSwap<Generation>,
    hits: AtomicU64,
    misses: AtomicU64,
    flushes: AtomicU64,
}

/// The verdicts of one snapshot. A holder may go on with one that is no longer current: what it adds is then never read.
#[derive(Debug)]
pub(crate) struct Generation {
    /// The snapshot's version; none until the engine has told one.
    snapshot: Option<Arc<str>>,
    sets: ArcSwap<Vec<(Box<str>, Arc<Referenced>)>>,
    shards: Box<[Mutex<Shard>]>,
    hasher: std::hash::RandomState,
}

/// How long and how often a verdict may be used again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) ttl: Duration,
    pub(crate) uses: u32,
}

/// An answer of the engine, as far as the cache is concerned.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// Version of the configuration that decided.
    pub(crate) snapshot: &'a str,
    /// What the ruleset can read; none when the verdict cannot be cached.
    pub(crate) referenced: Option<Arc<Referenced>>,
    pub(crate) lease: Lease,
    pub(crate) verdict: Arc<Verdict>,
}

impl Generation {
    fn new(snapshot: Option<Arc<str>>) -> Self {
        Self {
            snapshot,
            sets: ArcSwap::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: std::hash::RandomState::new(),
        }
    }

    fn referenced(&self, chooser: &str) -> Option<Arc<Referenced>> {
        self.sets.load().iter().find(|(known, _)| &**known == chooser).map(|(_, set)| Arc::clone(set))
    }

    fn learn(&self, chooser: &str, referenced: &Arc<Referenced>) {
        if self.referenced(chooser).is_some_and(|known| *known == **referenced) {
            return;
        }
        self.sets.rcu(|sets| {
            let mut sets: Vec<_> = sets.iter().filter(|(known, _)| &**known != chooser).cloned().collect();
            if sets.len() < limits::REFERENCED_SETS_MAX {
                sets.push((chooser.into(), Arc::clone(referenced)));
            }
            sets
        });
    }

    fn shard(&self, key: &[u8]) -> &Mutex<Shard> {
        use std::hash::BuildHasher as _;
        // INVARIANT: the remainder is below the number of shards, which is not 0.
        #[allow(clippy::indexing_slicing)]
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }

    fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }
}

fn lock(shard: &Mutex<Shard>) -> std::sync::MutexGuard<'_, Shard> {
    // A panic inside a shard leaves it readable: each operation is one insertion or removal.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cache {
    pub(crate) fn new() -> Self {
        Self {
            current: ArcSwap::from_pointee(Generation::new(None)),
            hits: AtomicU64::default(),
            misses: AtomicU64::default(),
            flushes: AtomicU64::default(),
        }
    }

    /// The generation to look into, and to give back to [`Cache::store`] with the answer.
    pub(crate) fn generation(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// A verdict for an equal request; counted as a use of it.
    pub(crate) fn find(&self, generation: &Generation, chooser: &str, bag: &Bag, now: Instant) -> Option<Arc<Verdict>> {
        let found = generation
            .referenced(chooser)
            .and_then(|referenced| referenced.key(chooser, bag))
            .and_then(|key| lock(generation.shard(&key)).take_use(&key, now));
        if found.is_some() { &self.hits } else { &self.misses }.fetch_add(1, Relaxed);
        found
    }

    /// Keeps the engine's answer to a check that was sent while `generation` was current. An answer of another snapshot
    /// starts that snapshot's generation, unless something else has started one since.
    pub(crate) fn store(&self, generation: &Arc<Generation>, chooser: &str, bag: &Bag, answer: Answer<'_>) {
        let generation = if generation.snapshot.as_deref() == Some(answer.snapshot) {
            Arc::clone(generation)
        } else {
            let next = Arc::new(Generation::new(Some(answer.snapshot.into())));
            let before = self.current.compare_and_swap(generation, Arc::clone(&next));
            if !Arc::ptr_eq(&before, generation) {
                return;
            }
            self.flushes.fetch_add(u64::from(generation.snapshot.is_some()), Relaxed);
            next
        };
        let Some(referenced) = answer.referenced else { return };
        generation.learn(chooser, &referenced);
        if answer.lease.ttl.is_zero() || answer.lease.uses == 0 {
            return;
        }
        let Some(key) = referenced.key(chooser, bag) else { return };
        let until = Instant::now() + answer.lease.ttl.min(limits::CACHE_TTL_MAX);
        lock(generation.shard(&key)).insert(key, answer.verdict, until, answer.lease.uses);
    }

    /// The engine said that this snapshot is current: verdicts of others are no longer good.
    pub(crate) fn notice(&self, snapshot: &str) {
        if self.current.load().snapshot.as_deref() != Some(snapshot) {
            self.current.store(Arc::new(Generation::new(Some(snapshot.into()))));
            self.flushes.fetch_add(1, Relaxed);
        }
    }

    /// Forgets everything: the engine may have changed unseen.
    pub(crate) fn flush(&self) {
        self.current.store(Arc::new(Generation::new(None)));
        self.flushes.fetch_add(1, Relaxed);
    }

    /// What `/cache` and the metrics show.
    pub(crate) fn status(&self) -> Status {
        let generation = self.generation();
        Status {
            snapshot: generation.snapshot.as_deref().map(str::to_owned),
            entries: generation.len(),
            referenced_sets: generation.sets.load().len(),
            hits: self.hits.load(Relaxed),
            misses: self.misses.load(Relaxed),
            flushes: self.flushes.load(Relaxed),
        }
    }
}

/// The state of a cache; keys and values stay inside, since they may hold secrets.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Status {
    pub(crate) snapshot: Option<String>,
    pub(crate) entries: usize,
    pub(crate) referenced_sets: usize,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) flushes: u64,
}

#[cfg(test)]
mod tests;
