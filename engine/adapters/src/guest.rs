//! One instance's side of the host: what it may use, and what it has emitted in this call.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use weir_attributes::{Bag, Splits};

use crate::services::Services;
use crate::sink::Sink;
use crate::stats::Counters;
use crate::symbols::Symbols;
use crate::voice::Voice;
use crate::{CORE_INSTANCES_MAX, Emission, Limits, MetricFamily, TABLE_ELEMENTS_MAX};

/// What the store of an instance holds.
pub(crate) struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    pub(crate) memory: Memory,
    pub(crate) deadline: Instant,
    pub(crate) phase: Phase,
    pub(crate) families: Vec<MetricFamily>,
    pub(crate) symbols: Symbols,
    pub(crate) emissions: Vec<Emission>,
    /// Messages for sinks, which go when the call has succeeded.
    pub(crate) outgoing: Vec<(Arc<Sink>, Vec<u8>)>,
    pub(crate) emissions_left: usize,
    pub(crate) output_left: usize,
    pub(crate) voice: Arc<Voice>,
    pub(crate) services: Arc<Services>,
    /// What the bag of this call shows; none when the manifest lists no attributes.
    pub(crate) request: Option<Request>,
}

/// What an instance is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// `configure` runs: families may be declared, nothing may be emitted.
    Configure,
    /// Any other call.
    Serve,
}

/// The request of a call, in one of its readings.
#[derive(Clone, Debug)]
#[allow(unreachable_pub, reason = "the generated bindings are pub")]
pub struct Request {
    pub(crate) bag: Arc<Bag>,
    pub(crate) path: usize,
    pub(crate) splits: Option<Splits>,
}

/// The deadline passed while the instance ran.
#[derive(Debug, thiserror::Error)]
#[error("deadline")]
pub(crate) struct DeadlinePassed;

impl Guest {
    /// A store that knows nothing of the machine and stops at every deadline.
    pub(crate) fn store(
        engine: &wasmtime::Engine,
        limits: &Limits,
        voice: &Arc<Voice>,
        counters: &Arc<Counters>,
        services: &Arc<Services>,
    ) -> Store<Guest> {
        let guest = Guest {
            wasi: crate::wasi::context(voice),
            table: ResourceTable::new(),
            memory: Memory::new(limits.memory_bytes, counters.clone()),
            deadline: Instant::now(),
            phase: Phase::Configure,
            families: Vec::new(),
            symbols: Symbols::default(),
            emissions: Vec::new(),
            outgoing: Vec::new(),
            emissions_left: 0,
            output_left: 0,
            voice: voice.clone(),
            services: services.clone(),
            request: None,
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_hostcall_fuel(limits.output_bytes);
        store.epoch_deadline_callback(|store| match Instant::now() >= store.data().deadline {
            true => Err(DeadlinePassed.into()),
            false => Ok(UpdateDeadline::Yield(1)),
        });
        store
    }

    /// Gets ready for one call.
    pub(crate) fn begin(store: &mut Store<Guest>, deadline: Instant, limits: &Limits) {
        store.set_epoch_deadline(1);
        let guest = store.data_mut();
        guest.deadline = deadline;
        guest.emissions.clear();
        guest.outgoing.clear();
        guest.emissions_left = limits.emissions;
        guest.output_left = limits.output_bytes;
    }
}

impl Guest {
    /// The call has succeeded: what it emitted goes out.
    pub(crate) fn settle(&mut self) -> Vec<Emission> {
        (self.request, self.symbols) = (None, Symbols::default());
        for (sink, payload) in self.outgoing.drain(..) {
            sink.send(payload);
        }
        std::mem::take(&mut self.emissions)
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Counts an instance's linear memory, all its memories together, and says no at the limit.
pub(crate) struct Memory {
    limit: usize,
    pub(crate) used: usize,
    /// It has been told no: if it traps now, that is why.
    pub(crate) refused: bool,
    others: StoreLimits,
    counters: Arc<Counters>,
}

impl Memory {
    fn new(limit: usize, counters: Arc<Counters>) -> Memory {
        let others = StoreLimitsBuilder::new()
            .table_elements(TABLE_ELEMENTS_MAX)
            .instances(CORE_INSTANCES_MAX)
            .tables(CORE_INSTANCES_MAX)
            .memories(CORE_INSTANCES_MAX)
            .build();
        counters.instances.fetch_add(1, Ordering::Relaxed);
        Memory { limit, used: 0, refused: false, others, counters }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.counters.instances.fetch_sub(1, Ordering::Relaxed);
        self.counters.memory_bytes.fetch_sub(self.used, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        if self.used.saturating_add(more) > self.limit {
            self.refused = true;
            return Ok(false);
        }
        self.used += more;
        self.counters.memory_bytes.fetch_add(more, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.others.table_growing(current, desired, maximum)
    }

    fn instances(&self) -> usize {
        self.others.instances()
    }

    fn tables(&self) -> usize {
        self.others.tables()
    }

    fn memories(&self) -> usize {
        self.others.memories()
    }
}
