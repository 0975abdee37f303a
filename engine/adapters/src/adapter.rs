//! A loaded plugin, ready for calls.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::time::Instant;
use wasmtime::component::Resource;
use weir_attributes::{Bag, World as Reading};
use weir_manifest::World;

use crate::batch::Rows;
use crate::contract::v1::exports::weir::plugin::report::Batch;
use crate::guest::{Guest, Request};
use crate::inputs::{Readings, Slices, gather, wire};
use crate::pool::{Exports, Pool, refused};
use crate::symbols::{Interner, Symbols};
use crate::within::within;
use crate::{AdapterDecision, AdapterVerdict, Call, Cause, Emission, Failure, FailurePolicy, Limits, Manifest};
use crate::{MetricFamily, ROWS_MAX, Stats};

/// A loaded plugin. Cloning is cheap; the last clone that is dropped ends the instances.
#[derive(Clone)]
pub struct Adapter {
    pool: Arc<Pool>,
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter").field("name", &self.name()).field("plugin", &self.manifest().name).finish()
    }
}

impl Adapter {
    pub(crate) fn new(pool: Arc<Pool>) -> Adapter {
        Adapter { pool }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.pool.plugin.name
    }

    /// What the plugin says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.pool.plugin.manifest
    }

    /// What it may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.pool.plugin.limits
    }

    /// What a failed check means.
    #[must_use]
    pub fn failure_policy(&self) -> FailurePolicy {
        self.pool.plugin.failure_policy
    }

    /// The metrics that it declared; an [`Emission`] names one by its index.
    #[must_use]
    pub fn metric_families(&self) -> &[MetricFamily] {
        self.pool.plugin.families.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// What it has done since it was loaded.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.pool.plugin.counters.read()
    }

    /// Asks a check plugin about one request. Ends within [`Limits::check_time`]; yields while the plugin runs.
    ///
    /// A doubtful request is asked about in each of its readings: any denial denies, and it passes only if all pass.
    ///
    /// # Errors
    /// A [`Failure`]; the caller applies [`Adapter::failure_policy`].
    pub async fn check(&self, bag: &Bag) -> Result<AdapterVerdict, Failure> {
        let verdict = self.try_check(bag).await;
        verdict.map_err(|cause| self.pool.plugin.failure(Call::Check, cause))
    }

    /// Tells a report plugin about finished requests. Ends within [`Limits::report_time`] for each [`ROWS_MAX`] of them.
    ///
    /// # Errors
    /// A [`Failure`]; nothing of what the plugin emitted about these requests is kept then.
    pub async fn report(&self, bags: &[Bag]) -> Result<Vec<Emission>, Failure> {
        let mut emissions = Vec::new();
        for bags in bags.chunks(ROWS_MAX) {
            let more = self.try_report(bags).await.map_err(|cause| self.pool.plugin.failure(Call::Report, cause))?;
            match emissions.is_empty() {
                true => emissions = more,
                false => emissions.extend(more),
            }
        }
        Ok(emissions)
    }

    async fn try_check(&self, bag: &Bag) -> Result<AdapterVerdict, Cause> {
        let plugin = &self.pool.plugin;
        if plugin.manifest.world != World::Check {
            return Err(Cause::World);
        }
        let deadline = Instant::now() + plugin.limits.check_time;
        let shown = plugin.shown(bag);
        if !bag.in_doubt() {
            return self.ask(bag.as_told(), shown, deadline).await;
        }
        let readings = Readings::of(&plugin.manifest.inputs, bag.as_told())?;
        let mut verdict = self.ask(readings.get(0), readings.show(0, &shown), deadline).await?;
        for index in 1..readings.count() {
            if verdict.decision == AdapterDecision::Deny {
                break;
            }
            let other = self.ask(readings.get(index), readings.show(index, &shown), deadline).await?;
            if other.decision != AdapterDecision::Allow {
                verdict = other;
            }
        }
        Ok(verdict)
    }

    async fn ask(
        &self,
        reading: Reading<'_>,
        shown: Option<Request>,
        deadline: Instant,
    ) -> Result<AdapterVerdict, Cause> {
        let (plugin, time) = (&self.pool.plugin, self.pool.plugin.limits.check_time);
        let values = gather(&plugin.manifest.inputs, reading)?;
        let slices = Slices::of(&values);
        let values = wire(&values, &slices);
        let mut lease = self.pool.lease(deadline).await.ok_or(Cause::Busy(time))?;
        let instance = lease.instance().ok_or(Cause::Busy(time))?;
        let Exports::Check(exports) = &instance.exports else { return Err(Cause::World) };
        plugin.counters.calls.fetch_add(1, Relaxed);
        Guest::begin(&mut instance.store, deadline, &plugin.limits);
        instance.store.data_mut().request = shown;
        let running = plugin.machine.ticker.running();
        let call = exports.call_check(&mut instance.store, &values, Resource::new_borrow(0));
        let answer = within(deadline, call).await;
        drop(running);
        let answer = answer.map_err(|_| Cause::Timeout(time))?;
        let answer = answer.map_err(|e| plugin.cause(&instance.store, &e, time))?;
        instance.store.data_mut().request = None;
        lease.give_back();
        AdapterVerdict::of(answer.map_err(refused)?)
    }

    async fn try_report(&self, bags: &[Bag]) -> Result<Vec<Emission>, Cause> {
        let (plugin, time) = (&self.pool.plugin, self.pool.plugin.limits.report_time);
        if plugin.manifest.world != World::Report {
            return Err(Cause::World);
        }
        let deadline = Instant::now() + time;
        let inputs = &plugin.manifest.inputs;
        let rows = Rows::gather(inputs, bags, &plugin.machine.mask);
        plugin.counters.rows_skipped.fetch_add(rows.skipped as u64, Relaxed);
        if rows.count == 0 {
            return Ok(Vec::new());
        }
        let mut interner = Interner::default();
        let cells = rows.cells(inputs, &mut interner);
        let slices: Vec<_> = cells.iter().map(|cells| cells.slices()).collect();
        let columns: Vec<_> = cells.iter().zip(&slices).map(|(cells, slices)| cells.column(slices)).collect();
        let batch = Batch { rows: rows.count as u32, symbols: interner.texts(), columns: &columns };
        let mut lease = self.pool.lease(deadline).await.ok_or(Cause::Busy(time))?;
        let instance = lease.instance().ok_or(Cause::Busy(time))?;
        let Exports::Report(exports) = &instance.exports else { return Err(Cause::World) };
        plugin.counters.calls.fetch_add(1, Relaxed);
        Guest::begin(&mut instance.store, deadline, &plugin.limits);
        instance.store.data_mut().symbols = Symbols::of(interner.texts());
        let running = plugin.machine.ticker.running();
        let answer = within(deadline, exports.call_report(&mut instance.store, batch)).await;
        drop(running);
        let answer = answer.map_err(|_| Cause::Timeout(time))?;
        let answer = answer.map_err(|e| plugin.cause(&instance.store, &e, time))?;
        let guest = instance.store.data_mut();
        guest.symbols = Symbols::default();
        let emissions = std::mem::take(&mut guest.emissions);
        lease.give_back();
        answer.map_err(refused)?;
        Ok(emissions)
    }
}
