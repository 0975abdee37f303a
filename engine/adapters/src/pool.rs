//! Warm instances: each configured, each used by one call at a time, each thrown away when it fails.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock, Weak};

use crossbeam_queue::ArrayQueue;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use wasmtime::Store;

use crate::contract::check::{CheckPlugin, CheckPluginPre};
use crate::contract::report::{ReportPlugin, ReportPluginPre};
use crate::guest::{DeadlinePassed, Guest};
use crate::host::Machine;
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
    pub(crate) pre: Pre,
    /// What the first instance declared; the others must declare the same.
    pub(crate) families: OnceLock<Vec<MetricFamily>>,
}

/// A component that is ready to be instantiated.
pub(crate) enum Pre {
    Check(CheckPluginPre<Guest>),
    Report(ReportPluginPre<Guest>),
}

/// One warm instance.
pub(crate) struct Instance {
    pub(crate) store: Store<Guest>,
    pub(crate) exports: Exports,
}

pub(crate) enum Exports {
    Check(CheckPlugin),
    Report(ReportPlugin),
}

impl Plugin {
    pub(crate) fn failure(&self, call: Call, cause: Cause) -> Failure {
        let (adapter, plugin) = (self.name.clone(), self.manifest.name.clone());
        let failure = Failure { adapter, plugin, version: self.manifest.version.clone(), call, cause };
        self.counters.failed(&failure);
        failure
    }

    /// Starts and configures an instance.
    pub(crate) async fn start(&self) -> Result<Instance, Failure> {
        let deadline = Instant::now() + self.limits.configure_time;
        let _running = self.machine.ticker.running();
        let mut store = Guest::store(&self.machine.engine, &self.limits, &self.voice, &self.counters);
        Guest::begin(&mut store, deadline, &self.limits);
        let started = within(deadline, self.configured(&mut store)).await;
        let ended = match started {
            Ok(Ok(exports)) => Ok(exports),
            Ok(Err(cause)) => Err(cause),
            Err(_) => Err(Cause::Timeout(self.limits.configure_time)),
        };
        let exports = ended.map_err(|cause| self.failure(Call::Configure, cause))?;
        store.data_mut().configuring = false;
        if *self.families.get_or_init(|| store.data().families.clone()) != store.data().families {
            let cause = Cause::Output("an instance declared other metric families than the first one".into());
            return Err(self.failure(Call::Configure, cause));
        }
        Ok(Instance { store, exports })
    }

    async fn configured(&self, store: &mut Store<Guest>) -> Result<Exports, Cause> {
        let time = self.limits.configure_time;
        let (exports, answer) = match &self.pre {
            Pre::Check(pre) => {
                let plugin = pre.instantiate_async(&mut *store).await.map_err(|e| self.cause(store, &e, time))?;
                let answer = plugin.weir_plugin_lifecycle().call_configure(&mut *store, &self.config).await;
                (Exports::Check(plugin), answer)
            }
            Pre::Report(pre) => {
                let plugin = pre.instantiate_async(&mut *store).await.map_err(|e| self.cause(store, &e, time))?;
                let answer = plugin.weir_plugin_lifecycle().call_configure(&mut *store, &self.config).await;
                (Exports::Report(plugin), answer)
            }
        };
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
pub(crate) fn refused(failure: crate::contract::check::weir::plugin::types::Failure) -> Cause {
    use crate::contract::check::weir::plugin::types::Failure as Wire;
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
