//! Warm instances of one generation: each configured, each used by one call at a time, each thrown away when it fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, OnceLock, Weak};

use crossbeam_queue::ArrayQueue;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, TryAcquireError};
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::InstancePre;
use weir_attributes::Bag;
use weir_manifest::World;

use crate::calls::{Broken, Life, Until, refused};
use crate::contract::v1::exports::weir::plugin::{check, enrich, lifecycle, report};
use crate::guest::{DeadlinePassed, Guest, Phase, Request};
use crate::host::{Machine, Outlet};
use crate::plan::{Plan, kind};
use crate::services::Services;
use crate::stats::Counters;
use crate::voice::Voice;
use crate::within::within;
use crate::{Call, Cause, DRAIN_TIME, Emission, Emitted, Failure, Limits, Manifest, MetricFamily};
use crate::{RESPAWN_PAUSE, WORN_PERCENT};

/// Everything that the instances of a generation share.
pub(crate) struct Plugin {
    pub(crate) machine: Arc<Machine>,
    pub(crate) name: Arc<str>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) plan: Plan,
    pub(crate) config: String,
    pub(crate) limits: Limits,
    pub(crate) counters: Arc<Counters>,
    pub(crate) voice: Arc<Voice>,
    pub(crate) services: Arc<Services>,
    pub(crate) outlet: Option<Outlet>,
    pub(crate) digest: [u8; 32],
    pub(crate) pre: Pre,
    /// What the first instance declared; the others must declare the same.
    pub(crate) families: OnceLock<Arc<[MetricFamily]>>,
}

/// A component that is ready to be instantiated, and where its exports are.
pub(crate) struct Pre {
    instance: InstancePre<Guest>,
    lifecycle: lifecycle::GuestIndices,
    world: WorldIndices,
}

enum WorldIndices {
    Check(check::GuestIndices),
    Enrich(enrich::GuestIndices),
    Report(report::GuestIndices),
}

impl Pre {
    /// Fails when an export of the world is missing or has another type.
    pub(crate) fn new(instance: InstancePre<Guest>, world: World) -> wasmtime::Result<Pre> {
        Ok(Pre {
            lifecycle: lifecycle::GuestIndices::new(&instance)?,
            world: match world {
                World::Check => WorldIndices::Check(check::GuestIndices::new(&instance)?),
                World::Enrich => WorldIndices::Enrich(enrich::GuestIndices::new(&instance)?),
                World::Report => WorldIndices::Report(report::GuestIndices::new(&instance)?),
            },
            instance,
        })
    }

    async fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<(lifecycle::Guest, Exports)> {
        let instance = self.instance.instantiate_async(&mut *store).await?;
        let lifecycle = self.lifecycle.load(&mut *store, &instance)?;
        let exports = match &self.world {
            WorldIndices::Check(indices) => Exports::Check(indices.load(&mut *store, &instance)?),
            WorldIndices::Enrich(indices) => Exports::Enrich(indices.load(&mut *store, &instance)?),
            WorldIndices::Report(indices) => Exports::Report(indices.load(&mut *store, &instance)?),
        };
        Ok((lifecycle, exports))
    }
}

/// One warm instance.
pub(crate) struct Instance {
    pub(crate) store: Store<Guest>,
    pub(crate) lifecycle: lifecycle::Guest,
    pub(crate) exports: Exports,
    /// The round of ticks that it has had.
    ticked: u64,
}

/// The export of its world.
pub(crate) enum Exports {
    Check(check::Guest),
    Enrich(enrich::Guest),
    Report(report::Guest),
}

impl Plugin {
    pub(crate) fn failure(&self, call: Call, cause: Cause) -> Failure {
        let (adapter, plugin) = (self.name.clone(), self.manifest.name.clone());
        let failure = Failure { adapter, plugin, version: self.manifest.version.clone(), call, cause };
        self.counters.failed(&failure);
        failure
    }

    /// The bag as a plugin may look at it; none for one that lists no attributes, which saves the copy.
    pub(crate) fn shown(&self, bag: &Bag) -> Option<Request> {
        let looks = !self.services.attributes.is_empty();
        looks.then(|| Request { bag: Arc::new(bag.clone()), path: 0, splits: None })
    }

    /// Before a call of an engine that counts: more than any call can use.
    pub(crate) fn fill_up(&self, store: &mut Store<Guest>) {
        if self.machine.fuel {
            let _ = store.set_fuel(u64::MAX);
        }
    }

    /// After it: what the call has used.
    pub(crate) fn count_fuel(&self, store: &Store<Guest>) {
        if self.machine.fuel {
            let used = store.get_fuel().map_or(0, |left| u64::MAX - left);
            self.counters.fuel.fetch_add(used, Relaxed);
        }
    }

    /// Hands out what a call emitted that nobody waits for.
    pub(crate) fn let_out(&self, emissions: Vec<Emission>) {
        if let (Some(outlet), false) = (&self.outlet, emissions.is_empty()) {
            outlet(Emitted { adapter: self.name.clone(), families: self.families(), emissions });
        }
    }

    pub(crate) fn families(&self) -> Arc<[MetricFamily]> {
        self.families.get().cloned().unwrap_or_else(|| Arc::from([]))
    }

    /// Starts and configures an instance.
    pub(crate) async fn start(&self) -> Result<Instance, Failure> {
        let until = Until::after(self.limits.configure_time);
        let _running = self.machine.ticker.running();
        let mut store = Guest::store(&self.machine.engine, &self.limits, &self.voice, &self.counters, &self.services);
        Guest::begin(&mut store, until.deadline, &self.limits);
        self.fill_up(&mut store);
        let started = within(until.deadline, self.configured(&mut store)).await;
        self.count_fuel(&store);
        let ended = started.unwrap_or(Err(Cause::Timeout(self.limits.configure_time)));
        let (lifecycle, exports) = ended.map_err(|cause| self.failure(Call::Configure, cause))?;
        let guest = store.data_mut();
        guest.phase = Phase::Serve;
        if **self.families.get_or_init(|| guest.families.as_slice().into()) != *guest.families {
            let cause = Cause::Output("an instance declared other metric families than the first one".into());
            return Err(self.failure(Call::Configure, cause));
        }
        Ok(Instance { store, lifecycle, exports, ticked: 0 })
    }

    async fn configured(&self, store: &mut Store<Guest>) -> Result<(lifecycle::Guest, Exports), Cause> {
        let time = self.limits.configure_time;
        let (lifecycle, exports) = self.pre.instantiate(store).await.map_err(|e| self.cause(store, &e, time))?;
        let more = self.plan.inputs.iter().skip(self.manifest.inputs.len());
        let bindings: Vec<_> = more.map(|more| lifecycle::Binding { name: &more.name, kind: kind(more.ty) }).collect();
        let setup = lifecycle::Setup { config: &self.config, bindings: &bindings };
        let answer = lifecycle.call_configure(&mut *store, setup).await;
        answer.map_err(|e| self.cause(store, &e, time))?.map_err(refused)?;
        Ok((lifecycle, exports))
    }

    /// What a wasmtime error means.
    pub(crate) fn cause(&self, store: &Store<Guest>, error: &wasmtime::Error, time: std::time::Duration) -> Cause {
        if error.downcast_ref::<DeadlinePassed>().is_some() {
            Cause::Timeout(time)
        } else if store.data().memory.refused {
            Cause::Memory(self.limits.memory_bytes)
        } else if let Some(trap) = error.downcast_ref::<wasmtime::Trap>() {
            Cause::Trap(trap.to_string().trim_start_matches("wasm trap: ").to_owned())
        } else {
            let text = format!("{error:#}");
            // wasmtime keeps the type of this error to itself.
            match text.contains("fuel allocated for hostcalls has been exhausted") {
                true => Cause::Output(format!("more than its limit of {} bytes", self.limits.output_bytes)),
                false => Cause::Trap(text),
            }
        }
    }
}

/// The warm instances of one generation.
pub(crate) struct Pool {
    pub(crate) plugin: Arc<Plugin>,
    idle: ArrayQueue<Instance>,
    /// One permit for each idle instance.
    free: Semaphore,
    /// Instances that are idle or leased.
    live: AtomicUsize,
    /// Another generation serves: no new instances.
    closed: AtomicBool,
    runtime: Handle,
}

/// An instance that is used; it comes back only by [`Lease::give_back`].
pub(crate) struct Lease {
    instance: Option<Instance>,
    pool: Arc<Pool>,
}

impl Pool {
    /// Starts one instance and lets it test itself. What replaces it is started on the runtime that this is called on.
    pub(crate) async fn start(plugin: Plugin) -> Result<Arc<Pool>, Failure> {
        let mut first = plugin.start().await?;
        let until = Until::after(plugin.limits.configure_time);
        let tested = first.live(&plugin, until, Life::SelfTest).await;
        tested.map_err(|Broken { cause, .. }| plugin.failure(Call::SelfTest, cause))?;
        let count = plugin.limits.instances;
        let pool = Arc::new(Pool {
            plugin: Arc::new(plugin),
            idle: ArrayQueue::new(count),
            free: Semaphore::new(0),
            live: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            runtime: Handle::current(),
        });
        pool.put_new(first);
        Ok(pool)
    }

    /// Starts the other instances, one after the other.
    pub(crate) async fn fill(self: &Arc<Self>) -> Result<(), Failure> {
        while self.live.load(Relaxed) < self.plugin.limits.instances && !self.closed.load(SeqCst) {
            self.put_new(self.plugin.start().await?);
        }
        Ok(())
    }

    /// Fills it in the background, and lets each instance tick.
    pub(crate) fn serve(self: &Arc<Self>) {
        self.plugin.services.serve();
        let pool = Arc::downgrade(self);
        self.runtime.spawn(async move {
            if let Some(pool) = pool.upgrade()
                && let Err(failure) = pool.fill().await
            {
                tracing::warn!("fewer instances than there should be: {failure}");
            }
        });
        if let Some(interval) = self.plugin.manifest.tick {
            self.runtime.spawn(tick(Arc::downgrade(self), interval));
        }
    }

    /// Waits for a free instance, first come first served. [`Cause::Pending`]: the generation is over, another one may serve.
    pub(crate) async fn lease(self: &Arc<Self>, until: Until) -> Result<Lease, Cause> {
        loop {
            let permit = match self.free.try_acquire() {
                Ok(permit) => permit,
                Err(TryAcquireError::Closed) => return Err(Cause::Pending),
                Err(TryAcquireError::NoPermits) => {
                    let waited = within(until.deadline, self.free.acquire()).await;
                    let permit = waited.map_err(|_| Cause::Busy(until.time))?.map_err(|_| Cause::Pending)?;
                    if Instant::now() >= until.deadline {
                        // The call would end before it began, and cost the instance.
                        return Err(Cause::Busy(until.time));
                    }
                    permit
                }
            };
            permit.forget();
            // There is an instance for each permit, so the loop ends at once.
            if let Some(instance) = self.idle.pop() {
                return Ok(Lease { instance: Some(instance), pool: self.clone() });
            }
        }
    }

    fn put_new(&self, instance: Instance) {
        self.live.fetch_add(1, Relaxed);
        self.put(instance);
    }

    fn put(&self, instance: Instance) {
        match self.idle.push(instance) {
            Ok(()) => self.free.add_permits(1),
            // More than there is room for: it was started twice.
            Err(_) => drop(self.live.fetch_sub(1, Relaxed)),
        }
    }

    /// Starts another instance in the background, until it succeeds or the generation is over.
    fn replace(self: &Arc<Self>) {
        self.live.fetch_sub(1, Relaxed);
        if self.closed.load(SeqCst) {
            return;
        }
        self.plugin.counters.restarts.fetch_add(1, Relaxed);
        let pool: Weak<Pool> = Arc::downgrade(self);
        self.runtime.spawn(async move {
            while let Some(pool) = pool.upgrade().filter(|pool| !pool.closed.load(SeqCst)) {
                match pool.plugin.start().await {
                    Ok(instance) => return pool.put_new(instance),
                    Err(failure) => tracing::warn!("no new instance: {failure}"),
                }
                drop(pool);
                tokio::time::sleep(RESPAWN_PAUSE).await;
            }
        });
    }

    /// Another generation serves: each instance ends its call, drains and is dropped, within [`DRAIN_TIME`].
    pub(crate) fn retire(self: Arc<Self>) {
        if self.closed.swap(true, SeqCst) {
            return;
        }
        let runtime = self.runtime.clone();
        runtime.spawn(async move {
            let until = Until::after(DRAIN_TIME);
            while self.live.load(Relaxed) > 0
                && let Ok(mut lease) = self.lease(until).await
            {
                let Some(instance) = lease.instance() else { break };
                match instance.live(&self.plugin, until, Life::Drain).await {
                    Ok(((), emissions)) => self.plugin.let_out(emissions),
                    Err(Broken { cause, .. }) => drop(self.plugin.failure(Call::Drain, cause)),
                }
            }
            // Whoever still waits here goes to the generation that serves.
            self.free.close();
        });
    }
}

/// Lets each instance tick once an interval, until the generation is over.
async fn tick(pool: Weak<Pool>, interval: std::time::Duration) {
    for round in 1.. {
        tokio::time::sleep(interval).await;
        let Some(pool) = pool.upgrade().filter(|pool| !pool.closed.load(SeqCst)) else { return };
        for _ in 0..pool.live.load(Relaxed) {
            let until = Until::after(pool.plugin.limits.configure_time);
            let Ok(mut lease) = pool.lease(until).await else { break };
            let Some(instance) = lease.instance() else { break };
            if instance.ticked == round {
                lease.give_back();
                continue;
            }
            instance.ticked = round;
            match instance.live(&pool.plugin, until, Life::Tick).await {
                Ok(((), emissions)) => {
                    pool.plugin.let_out(emissions);
                    lease.give_back();
                }
                Err(Broken { cause, instance_is_well }) => {
                    tracing::warn!("{}", pool.plugin.failure(Call::Tick, cause));
                    if instance_is_well {
                        lease.give_back();
                    }
                }
            }
        }
    }
}

impl Lease {
    /// The instance; none only after it was given back.
    pub(crate) fn instance(&mut self) -> Option<&mut Instance> {
        self.instance.as_mut()
    }

    /// Ends the lease of an instance that is well; one that has hoarded memory is replaced.
    pub(crate) fn give_back(mut self) {
        let Some(instance) = &self.instance else { return };
        let worn = self.pool.plugin.limits.memory_bytes / 100 * WORN_PERCENT;
        if instance.store.data().memory.used <= worn
            && let Some(instance) = self.instance.take()
        {
            self.pool.put(instance);
        }
    }
}

impl Drop for Lease {
    /// A call that did not end well, or was abandoned in the middle, leaves an instance that nobody may enter again.
    fn drop(&mut self) {
        if let Some(instance) = self.instance.take() {
            drop(instance);
            self.pool.replace();
        }
    }
}
