//! Warm instances: each configured, each used by one call at a time, each thrown away when it fails.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock, Weak};

use crossbeam_queue::ArrayQueue;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::InstancePre;
use weir_attributes::Bag;
use weir_manifest::World;

use crate::contract::v1::exports::weir::plugin::{check, enrich, lifecycle, report};
use crate::contract::v1::weir::plugin::types::Failure as Wire;
use crate::guest::{DeadlinePassed, Guest, Phase, Request};
use crate::host::Machine;
use crate::services::Services;
use crate::stats::Counters;
use crate::voice::Voice;
use crate::within::within;
use crate::{Call, Cause, Failure, FailurePolicy, Limits, Manifest, MetricFamily, RESPAWN_PAUSE, WORN_PERCENT};

/// Everything that an adapter's instances share.
pub(crate) struct Plugin {
    pub(crate) machine: Arc<Machine>,
    pub(crate) name: Arc<str>,
    pub(crate) manifest: Manifest,
    pub(crate) config: String,
    pub(crate) limits: Limits,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) counters: Arc<Counters>,
    pub(crate) voice: Arc<Voice>,
    pub(crate) services: Arc<Services>,
    pub(crate) pre: Pre,
    /// What the first instance declared; the others must declare the same.
    pub(crate) families: OnceLock<Vec<MetricFamily>>,
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
    pub(crate) exports: Exports,
}

/// The export of its world.
#[allow(dead_code, reason = "enrich has no caller yet")]
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

    /// Starts and configures an instance.
    pub(crate) async fn start(&self) -> Result<Instance, Failure> {
        let deadline = Instant::now() + self.limits.configure_time;
        let _running = self.machine.ticker.running();
        let mut store = Guest::store(&self.machine.engine, &self.limits, &self.voice, &self.counters, &self.services);
        Guest::begin(&mut store, deadline, &self.limits);
        let started = within(deadline, self.configured(&mut store)).await;
        let ended = match started {
            Ok(Ok(exports)) => Ok(exports),
            Ok(Err(cause)) => Err(cause),
            Err(_) => Err(Cause::Timeout(self.limits.configure_time)),
        };
        let exports = ended.map_err(|cause| self.failure(Call::Configure, cause))?;
        store.data_mut().phase = Phase::Serve;
        if *self.families.get_or_init(|| store.data().families.clone()) != store.data().families {
            let cause = Cause::Output("an instance declared other metric families than the first one".into());
            return Err(self.failure(Call::Configure, cause));
        }
        Ok(Instance { store, exports })
    }

    async fn configured(&self, store: &mut Store<Guest>) -> Result<Exports, Cause> {
        let time = self.limits.configure_time;
        let (lifecycle, exports) = self.pre.instantiate(store).await.map_err(|e| self.cause(store, &e, time))?;
        let setup = lifecycle::Setup { config: &self.config, bindings: &[] };
        let answer = lifecycle.call_configure(&mut *store, setup).await;
        answer.map_err(|e| self.cause(store, &e, time))?.map_err(refused)?;
        Ok(exports)
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

/// What the plugin itself said.
pub(crate) fn refused(failure: Wire) -> Cause {
    Cause::Refused(match failure {
        Wire::InvalidInput(text) => format!("invalid input: {text}"),
        Wire::Unavailable(text) => format!("unavailable: {text}"),
        Wire::Internal(text) => text,
    })
}

/// The warm instances of one adapter.
pub(crate) struct Pool {
    pub(crate) plugin: Arc<Plugin>,
    idle: ArrayQueue<Instance>,
    /// One permit for each idle instance.
    free: Semaphore,
    runtime: Handle,
}

/// An instance that is used; it comes back only by [`Lease::give_back`].
pub(crate) struct Lease {
    instance: Option<Instance>,
    pool: Arc<Pool>,
}

impl Pool {
    /// Starts all instances. Those that replace them are started on the runtime that this is called on.
    pub(crate) async fn start(plugin: Plugin) -> Result<Arc<Pool>, Failure> {
        let count = plugin.limits.instances;
        let idle = ArrayQueue::new(count);
        for _ in 0..count {
            let _ = idle.push(plugin.start().await?);
        }
        let (plugin, free, runtime) = (Arc::new(plugin), Semaphore::new(count), Handle::current());
        Ok(Arc::new(Pool { plugin, idle, free, runtime }))
    }

    /// Waits for a free instance, first come first served.
    pub(crate) async fn lease(self: &Arc<Self>, deadline: Instant) -> Option<Lease> {
        loop {
            let permit = match self.free.try_acquire() {
                Ok(permit) => permit,
                Err(_) => {
                    let permit = within(deadline, self.free.acquire()).await.ok()?.ok()?;
                    if Instant::now() >= deadline {
                        // The call would end before it began, and cost the instance.
                        return None;
                    }
                    permit
                }
            };
            permit.forget();
            // There is an instance for each permit, so the loop ends at once.
            if let Some(instance) = self.idle.pop() {
                return Some(Lease { instance: Some(instance), pool: self.clone() });
            }
        }
    }

    fn put(&self, instance: Instance) {
        if self.idle.push(instance).is_ok() {
            self.free.add_permits(1);
        }
    }

    /// Starts another instance in the background, until it succeeds or the adapter is gone.
    fn replace(self: &Arc<Self>) {
        self.plugin.counters.restarts.fetch_add(1, Relaxed);
        let pool: Weak<Pool> = Arc::downgrade(self);
        self.runtime.spawn(async move {
            while let Some(pool) = pool.upgrade() {
                match pool.plugin.start().await {
                    Ok(instance) => return pool.put(instance),
                    Err(failure) => tracing::warn!("no new instance: {failure}"),
                }
                drop(pool);
                tokio::time::sleep(RESPAWN_PAUSE).await;
            }
        });
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
