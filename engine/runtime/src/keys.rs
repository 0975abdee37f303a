//! The keys of token issuers: fetched off-path, kept while a fetch fails, given to every check as one immutable set.

mod fetch;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};
use weir_policy::{Fetched, Jwks, Keys};

use crate::Runtime;
use fetch::Fetcher;

pub(crate) use fetch::{KEYS_BYTES_MAX, PLACES_MAX};

/// How old keys become before they are fetched again.
pub(crate) const REFRESH: Duration = Duration::from_secs(300);
/// How long a place is left alone after a fetch, whatever tokens come.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_millis(250);
/// How many fetches run at once.
pub(crate) const FETCHES_MAX: usize = 8;

/// What is known of one `jwksUri`.
#[derive(Debug, Default)]
struct Place {
    fetched: Fetched,
    /// When the last fetch began.
    asked: Option<Instant>,
    running: bool,
}

impl Place {
    /// Whether it is time: never asked, old, or missed by a token or never answered, with a pause in between.
    fn is_due(&self, now: Instant) -> bool {
        let Some(asked) = self.asked else { return !self.running };
        let since = now.saturating_duration_since(asked);
        let missed = self.fetched.jwks.is_none() || self.fetched.wanted.load(Ordering::Relaxed);
        !self.running && (since >= REFRESH || (missed && since >= PAUSE))
    }
}

/// Every place that the configuration names.
#[derive(Debug, Default)]
struct Places(HashMap<Arc<str>, Place>);

impl Places {
    /// Keeps what is named; true when that changed something.
    fn keep<'p>(&mut self, named: impl Iterator<Item = &'p Arc<str>>) -> bool {
        let named: HashSet<&Arc<str>> = named.take(PLACES_MAX).collect();
        let before = self.0.len();
        self.0.retain(|place, _| named.contains(place));
        let mut changed = self.0.len() != before;
        for place in named {
            changed |= !self.0.contains_key(place);
            self.0.entry(place.clone()).or_default();
        }
        changed
    }

    /// The next place that is due, from then on being fetched.
    fn begin(&mut self, now: Instant) -> Option<Arc<str>> {
        let (name, place) = self.0.iter_mut().find(|(_, place)| place.is_due(now))?;
        place.asked = Some(now);
        place.running = true;
        place.fetched.wanted.store(false, Ordering::Relaxed);
        Some(name.clone())
    }

    /// The end of a fetch. After a failure the old keys stay.
    fn end(&mut self, name: &str, jwks: Option<Jwks>) {
        let Some(place) = self.0.get_mut(name) else { return };
        place.running = false;
        if let Some(jwks) = jwks {
            place.fetched.jwks = Some(Arc::new(jwks));
        }
    }

    fn keys(&self) -> Keys {
        Keys::new(self.0.iter().map(|(name, place)| (name.clone(), place.fetched.clone())).collect())
    }
}

/// Fetches what is due until the runtime is gone.
pub(crate) async fn work(runtime: Weak<Runtime>) {
    let Some(start) = runtime.upgrade() else { return };
    let fetches =
        start.metrics.counters("weir_jwks_fetches_total", "Fetches of token issuers' keys, by outcome.", &["outcome"]);
    drop(start);
    let mut fetcher: Option<Arc<Fetcher>> = None;
    let (mut places, mut running) = (Places::default(), JoinSet::new());
    let mut tick = tokio::time::interval(TICK);
    loop {
        let ended = tokio::select! {
            _ = tick.tick() => None,
            Some(ended) = running.join_next() => ended.ok(),
        };
        let Some(runtime) = runtime.upgrade() else { return };
        let Some(snapshot) = runtime.snapshot.load_full() else { continue };
        let mut changed = places.keep(snapshot.policies.key_places().map(|(place, _)| place));
        if let Some((name, outcome)) = ended {
            let name: Arc<str> = name;
            let outcome: Result<Jwks, fetch::Error> = outcome;
            fetches.cell(&[if outcome.is_ok() { "ok" } else { "failed" }]).add(1);
            if let Err(error) = &outcome {
                tracing::warn!(place = %name, %error, "keys of a token issuer could not be fetched; old ones stay in use");
            }
            places.end(&name, outcome.ok());
            changed = true;
        }
        if changed {
            runtime.keys.store(Arc::new(places.keys()));
        }
        let local = snapshot.policies.mesh().allows_local_jwks_uris();
        while running.len() < FETCHES_MAX
            && let Some(name) = places.begin(Instant::now())
        {
            let timeouts = snapshot.policies.key_places().filter(|(place, _)| **place == name);
            let timeout = timeouts.map(|(_, timeout)| timeout).max().unwrap_or(PAUSE);
            // Reading the system's roots takes milliseconds: only who needs them pays.
            let fetcher = fetcher.get_or_insert_with(|| Arc::new(Fetcher::new())).clone();
            running.spawn(async move {
                let outcome = tokio::time::timeout(timeout, fetcher.fetch(&name, local)).await;
                (name, outcome.unwrap_or(Err(fetch::Error::Slow(timeout))))
            });
        }
    }
}

#[cfg(test)]
mod tests;
