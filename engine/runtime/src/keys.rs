//! The keys of token issuers: fetched off-path, kept while a fetch fails, given to every check as one immutable set.

mod fetch;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock, Weak, atomic::Ordering},
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};
use weir_policy::{Fetched, Jwks, KeyPlace, Keys};

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

/// What is known of one place.
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
struct Places(HashMap<KeyPlace, Place>);

impl Places {
    /// Keeps what is named; true when that changed something.
    fn keep<'p>(&mut self, named: impl Iterator<Item = &'p KeyPlace>) -> bool {
        let named: HashSet<&KeyPlace> = named.take(PLACES_MAX).collect();
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
    fn begin(&mut self, now: Instant) -> Option<KeyPlace> {
        let (name, place) = self.0.iter_mut().find(|(_, place)| place.is_due(now))?;
        place.asked = Some(now);
        place.running = true;
        place.fetched.wanted.store(false, Ordering::Relaxed);
        Some(name.clone())
    }

    /// The end of a fetch. After a failure the old keys stay.
    fn end(&mut self, name: &KeyPlace, jwks: Option<Jwks>) {
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

/// What is needed now.
#[derive(Debug, Default)]
struct Needed {
    /// Each with how long a fetch may take.
    places: Vec<(KeyPlace, Duration)>,
    /// Addresses of this machine and link may be asked.
    local: bool,
}

impl Needed {
    /// The longest that a rule gives that place.
    fn patience(&self, place: &KeyPlace) -> Duration {
        let of_place = self.places.iter().filter(|(known, _)| known == place);
        of_place.map(|(_, timeout)| *timeout).max().unwrap_or(PAUSE)
    }
}

/// Fetches what is due until the runtime is gone.
pub(crate) async fn work(runtime: Weak<Runtime>) {
    let Some(start) = runtime.upgrade() else { return };
    let fetches =
        start.metrics.counters("weir_jwks_fetches_total", "Fetches of token issuers' keys, by outcome.", &["outcome"]);
    drop(start);
    let needed = || {
        let snapshot = runtime.upgrade()?.snapshot.load_full();
        Some(snapshot.map_or_else(Needed::default, |snapshot| Needed {
            places: snapshot.policies.key_places().map(|(place, timeout)| (place.clone(), timeout)).collect(),
            local: snapshot.policies.mesh().allows_local_jwks_uris(),
        }))
    };
    let publish = |keys| {
        if let Some(runtime) = runtime.upgrade() {
            runtime.keys.store(Arc::new(keys));
            runtime.announce();
        }
    };
    let tell = |place: &KeyPlace, outcome: &Result<Jwks, fetch::Error>| {
        fetches.cell(&[if outcome.is_ok() { "ok" } else { "failed" }]).add(1);
        if let Err(error) = outcome {
            tracing::warn!(place = %place.uri(), %error, "keys of a token issuer could not be fetched; old ones stay in use");
        }
    };
    // Reading the system's roots takes milliseconds: only who needs them pays.
    let fetcher = Arc::new(OnceLock::new());
    let fetch = |place: KeyPlace, local| {
        let fetcher = fetcher.clone();
        async move { fetcher.get_or_init(Fetcher::new).fetch(&place, local).await }
    };
    follow(needed, fetch, tell, publish).await;
}

/// Fetches what is due, for as long as something is needed, and publishes the keys whenever they are others.
async fn follow<F>(
    needed: impl Fn() -> Option<Needed>,
    fetch: impl Fn(KeyPlace, bool) -> F,
    tell: impl Fn(&KeyPlace, &Result<Jwks, fetch::Error>),
    publish: impl Fn(Keys),
) where
    F: Future<Output = Result<Jwks, fetch::Error>> + Send + 'static,
{
    let (mut places, mut running) = (Places::default(), JoinSet::<(KeyPlace, Result<Jwks, fetch::Error>)>::new());
    let mut tick = tokio::time::interval(TICK);
    loop {
        let ended = tokio::select! {
            _ = tick.tick() => None,
            Some(ended) = running.join_next() => ended.ok(),
        };
        let Some(needed) = needed() else { return };
        let mut changed = places.keep(needed.places.iter().map(|(place, _)| place));
        if let Some((place, outcome)) = ended {
            tell(&place, &outcome);
            places.end(&place, outcome.ok());
            changed = true;
        }
        if changed {
            publish(places.keys());
        }
        while running.len() < FETCHES_MAX
            && let Some(place) = places.begin(Instant::now())
        {
            let patience = needed.patience(&place);
            let fetching = tokio::time::timeout(patience, fetch(place.clone(), needed.local));
            running.spawn(async move { (place, fetching.await.unwrap_or(Err(fetch::Error::Slow(patience)))) });
        }
    }
}

#[cfg(test)]
mod tests;
