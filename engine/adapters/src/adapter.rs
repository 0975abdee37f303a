//! An adapter: the one handle that calls go through, whichever generation of its plugin serves.

mod rehearsal;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use weir_attributes::{Bag, World as Reading};
use weir_manifest::World;

use crate::breaker::Breaker;
use crate::calls::{Broken, Until};
use crate::contract::v1::exports::weir::plugin::report::Batch;
use crate::guest::Request;
use crate::inputs::{Readings, Slices, gather, wire};
use crate::pool::{Lease, Plugin, Pool};
use crate::stats::Counters;
use crate::symbols::Interner;
use crate::{AdapterDecision, AdapterVerdict, Call, Cause, Emission, Failure, Field, Generation, Manifest};
use crate::{MetricFamily, ROWS_MAX, Read, Stats, batch::Rows};

/// An adapter. Cloning is cheap; the last clone that is dropped ends the instances.
#[derive(Clone)]
pub struct Adapter {
    inner: Arc<Inner>,
}

struct Inner {
    name: Arc<str>,
    current: ArcSwapOption<Pool>,
    breaker: Breaker,
    counters: Arc<Counters>,
    generation: AtomicU64,
    /// Never locked by a call that succeeds.
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    since: Option<SystemTime>,
    refused: Option<String>,
}

/// How an adapter is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdapterStatus {
    /// A generation serves.
    pub ready: bool,
    /// Calls are held back for so many milliseconds more, after failures.
    pub quarantined_ms: Option<u64>,
    /// The number of the generation that serves; 0 for none yet.
    pub generation: u64,
    /// SHA-256 of its component.
    pub digest: Option<[u8; 32]>,
    /// Since when it serves.
    pub since: Option<SystemTime>,
    /// Why a newer generation was refused; the one that serves goes on.
    pub refused: Option<String>,
}

/// What a call emitted.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// The adapter.
    pub adapter: Arc<str>,
    /// What an [`Emission`]'s `family` is an index into.
    pub families: Arc<[MetricFamily]>,
    /// In the order of the calls.
    pub emissions: Vec<Emission>,
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").field("name", &self.name()).field("status", &self.status()).finish()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(pool) = self.current.swap(None) {
            pool.retire();
        }
    }
}

impl Adapter {
    /// One that is pending: nothing serves until a generation is installed.
    pub(crate) fn pending(name: &str) -> Adapter {
        let inner = Inner {
            name: name.into(),
            current: ArcSwapOption::empty(),
            breaker: Breaker::new(),
            counters: Arc::default(),
            generation: AtomicU64::new(0),
            state: Mutex::default(),
        };
        Adapter { inner: Arc::new(inner) }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.inner.name
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.inner.counters
    }

    /// Lets that generation serve from the next call on; the one before ends its calls and drains.
    pub fn install(&self, generation: Generation) {
        let pool = generation.0;
        pool.serve();
        self.inner.generation.fetch_add(1, Relaxed);
        let old = self.inner.current.swap(Some(pool));
        self.inner.breaker.reset();
        *self.state() = State { since: Some(SystemTime::now()), refused: None };
        if let Some(old) = old {
            old.retire();
        }
    }

    /// Remembers why a newer generation does not serve; whatever served goes on.
    pub fn refuse(&self, why: String) {
        self.state().refused = Some(why);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the plugin that serves says about itself; none while none does.
    #[must_use]
    pub fn manifest(&self) -> Option<Arc<Manifest>> {
        self.inner.current.load().as_ref().map(|pool| pool.plugin.manifest.clone())
    }

    /// The metrics that the generation that serves declared.
    #[must_use]
    pub fn metric_families(&self) -> Arc<[MetricFamily]> {
        self.inner.current.load().as_ref().map_or_else(|| Arc::from([]), |pool| pool.plugin.families())
    }

    /// Everything of a request that the answers of the generation that serves can depend on: what its inputs, its bag, its
    /// bindings and the `match` read. None while none serves.
    #[must_use]
    pub fn reads(&self) -> Option<Arc<[Read]>> {
        self.inner.current.load().as_ref().map(|pool| pool.plugin.plan.reads.clone())
    }

    /// How it is.
    #[must_use]
    pub fn status(&self) -> AdapterStatus {
        let State { since, refused } = self.state().clone();
        let current = self.inner.current.load();
        AdapterStatus {
            ready: current.is_some(),
            quarantined_ms: self.inner.breaker.left().map(|left| left.as_millis() as u64),
            generation: self.inner.generation.load(Relaxed),
            digest: current.as_ref().map(|pool| pool.plugin.digest),
            since,
            refused,
        }
    }

    /// What it has done since it was made, all generations together.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.inner.counters.read();
        if let Some(pool) = &*self.inner.current.load() {
            let sinks = pool.plugin.services.sinks.iter();
            stats.sinks = sinks.map(|(name, sink)| (name.to_string(), sink.stats())).collect();
            stats.sinks.sort();
        }
        stats
    }

    /// Asks a check plugin about one request. Ends within [`crate::Limits::check_time`]; yields while the plugin runs. A request that
    /// the operator's `match` does not cover is not asked about: no opinion.
    ///
    /// A doubtful request is asked about in each of its readings: any denial denies, and it passes only if all pass.
    ///
    /// # Errors
    /// A [`Failure`]; the caller applies the failure policy.
    pub async fn check(&self, bag: &Bag) -> Result<AdapterVerdict, Failure> {
        loop {
            let pool = self.pool(Call::Check)?;
            match try_check(&pool, bag).await {
                Err(Cause::Pending) if self.is_over(&pool) => {}
                ended => return ended.map_err(|cause| self.failed(&pool, Call::Check, cause)),
            }
        }
    }

    /// Asks an enrich plugin about one request; the fields are the outputs that it found, by the key of `metadata`. As
    /// [`Adapter::check`], but a doubtful request is asked about as it was told.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn enrich(&self, bag: &Bag) -> Result<Vec<Field>, Failure> {
        loop {
            let pool = self.pool(Call::Enrich)?;
            match try_enrich(&pool, bag).await {
                Err(Cause::Pending) if self.is_over(&pool) => {}
                ended => return ended.map_err(|cause| self.failed(&pool, Call::Enrich, cause)),
            }
        }
    }

    /// Tells a report plugin about finished requests. Ends within [`crate::Limits::report_time`] for each [`ROWS_MAX`] of them.
    ///
    /// # Errors
    /// A [`Failure`] of one batch of [`ROWS_MAX`]: no emission of any batch is kept then, but messages for sinks count with each
    /// batch, so those of the batches before it have gone.
    pub async fn report(&self, bags: &[Bag]) -> Result<Emitted, Failure> {
        loop {
            let pool = self.pool(Call::Report)?;
            match try_reports(&pool, bags).await {
                Err(Cause::Pending) if self.is_over(&pool) => {}
                Err(cause) => return Err(self.failed(&pool, Call::Report, cause)),
                Ok(emissions) => {
                    let (adapter, families) = (self.inner.name.clone(), pool.plugin.families());
                    return Ok(Emitted { adapter, families, emissions });
                }
            }
        }
    }

    /// The generation that serves, unless the adapter is quarantined.
    fn pool(&self, call: Call) -> Result<Arc<Pool>, Failure> {
        let held_back = |cause, pool: Option<&Plugin>| match pool {
            Some(plugin) => plugin.failure(call, cause),
            None => {
                let (adapter, unknown): (_, Arc<str>) = (self.inner.name.clone(), "?".into());
                let failure = Failure { adapter, plugin: unknown.clone(), version: unknown, call, cause };
                self.inner.counters.failed(&failure);
                failure
            }
        };
        let Some(pool) = self.inner.current.load_full() else { return Err(held_back(Cause::Pending, None)) };
        match self.inner.breaker.left() {
            Some(left) => Err(held_back(Cause::Quarantined(left), Some(&pool.plugin))),
            None => Ok(pool),
        }
    }

    /// Whether another generation serves than that one, which has drained while a call waited for it.
    fn is_over(&self, pool: &Arc<Pool>) -> bool {
        self.inner.current.load().as_ref().is_some_and(|current| !Arc::ptr_eq(current, pool))
    }

    fn failed(&self, pool: &Pool, call: Call, cause: Cause) -> Failure {
        if pool.plugin.limits.breaker
            && cause.is_misbehaviour()
            && let Some(length) = self.inner.breaker.failed()
        {
            self.inner.counters.quarantines.fetch_add(1, Relaxed);
            tracing::warn!(adapter = &*self.inner.name, "quarantined for {length:?} after failures; the last: {cause}");
        }
        pool.plugin.failure(call, cause)
    }
}

async fn lease(pool: &Arc<Pool>, until: Until) -> Result<Lease, Cause> {
    let lease = pool.lease(until).await?;
    pool.plugin.counters.calls.fetch_add(1, Relaxed);
    Ok(lease)
}

/// Ends a lease: an instance that is well comes back, whatever it answered.
fn ended<T>(lease: Lease, answer: Result<T, Broken>) -> Result<T, Cause> {
    match answer {
        Ok(answer) => {
            lease.give_back();
            Ok(answer)
        }
        Err(Broken { cause, instance_is_well }) => {
            if instance_is_well {
                lease.give_back();
            }
            Err(cause)
        }
    }
}

async fn try_check(pool: &Arc<Pool>, bag: &Bag) -> Result<AdapterVerdict, Cause> {
    let plugin = &pool.plugin;
    if plugin.manifest.world != World::Check {
        return Err(Cause::World);
    }
    let until = Until::after(plugin.limits.check_time);
    if !bag.in_doubt() {
        return ask(pool, bag.as_told(), || plugin.shown(bag), until).await;
    }
    let readings = Readings::of(&plugin.plan, bag.as_told())?;
    let shown = OnceLock::new();
    let show = |index| readings.show(index, shown.get_or_init(|| plugin.shown(bag)));
    let mut verdict = ask(pool, readings.get(0), || show(0), until).await?;
    for index in 1..readings.count() {
        if verdict.decision == AdapterDecision::Deny {
            break;
        }
        let other = ask(pool, readings.get(index), || show(index), until).await?;
        if other.decision != AdapterDecision::Allow {
            verdict = other;
        }
    }
    Ok(verdict)
}

async fn ask(
    pool: &Arc<Pool>,
    reading: Reading<'_>,
    shown: impl FnOnce() -> Option<Request>,
    until: Until,
) -> Result<AdapterVerdict, Cause> {
    let plugin = &pool.plugin;
    if !plugin.plan.covers(reading)? {
        return Ok(AdapterVerdict::abstain());
    }
    let values = gather(&plugin.plan.inputs, reading)?;
    let slices = Slices::of(&values);
    let values = wire(&values, &slices);
    let mut lease = lease(pool, until).await?;
    let Some(instance) = lease.instance() else { return Err(Cause::Busy(until.time)) };
    let answer = instance.check(plugin, until, &values, shown()).await;
    let (verdict, emissions) = ended(lease, answer)?;
    plugin.let_out(emissions);
    Ok(verdict)
}

async fn try_enrich(pool: &Arc<Pool>, bag: &Bag) -> Result<Vec<Field>, Cause> {
    let plugin = &pool.plugin;
    if plugin.manifest.world != World::Enrich {
        return Err(Cause::World);
    }
    let until = Until::after(plugin.limits.check_time);
    if !plugin.plan.covers(bag.as_told())? {
        return Ok(Vec::new());
    }
    let values = gather(&plugin.plan.inputs, bag.as_told())?;
    let slices = Slices::of(&values);
    let values = wire(&values, &slices);
    let mut lease = lease(pool, until).await?;
    let Some(instance) = lease.instance() else { return Err(Cause::Busy(until.time)) };
    let answer = instance.enrich(plugin, until, &values, plugin.shown(bag)).await;
    let (found, emissions) = ended(lease, answer)?;
    plugin.let_out(emissions);
    Ok(found)
}

async fn try_reports(pool: &Arc<Pool>, bags: &[Bag]) -> Result<Vec<Emission>, Cause> {
    let mut emissions = Vec::new();
    for bags in bags.chunks(ROWS_MAX) {
        let more = try_report(pool, bags).await?;
        match emissions.is_empty() {
            true => emissions = more,
            false => emissions.extend(more),
        }
    }
    Ok(emissions)
}

async fn try_report(pool: &Arc<Pool>, bags: &[Bag]) -> Result<Vec<Emission>, Cause> {
    let plugin = &pool.plugin;
    if plugin.manifest.world != World::Report {
        return Err(Cause::World);
    }
    let until = Until::after(plugin.limits.report_time);
    let inputs = &plugin.plan.inputs;
    let rows = Rows::gather(inputs, plugin.plan.covered(bags), &plugin.machine.mask);
    plugin.counters.rows_skipped.fetch_add(rows.skipped as u64, Relaxed);
    if rows.count == 0 {
        return Ok(Vec::new());
    }
    let mut interner = Interner::default();
    let cells = rows.cells(inputs, &mut interner);
    let slices: Vec<_> = cells.iter().map(|cells| cells.slices()).collect();
    let columns: Vec<_> = cells.iter().zip(&slices).map(|(cells, slices)| cells.column(slices)).collect();
    let batch = Batch { rows: rows.count as u32, symbols: interner.texts(), columns: &columns };
    let mut lease = lease(pool, until).await?;
    let Some(instance) = lease.instance() else { return Err(Cause::Busy(until.time)) };
    let answer = instance.report(plugin, until, batch).await;
    Ok(ended(lease, answer)?.1)
}
