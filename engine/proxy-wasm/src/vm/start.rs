//! Starts a virtual machine: instantiates the module, lets it initialize, start and be configured.

use std::sync::{Arc, Weak};

use tokio::sync::mpsc;
use tokio::time::Instant;
use wasmtime::{Instance, Store};

use super::{Running, cause};
use crate::effect::HttpCall;
use crate::exports::Exports;
use crate::filter::Filter;
use crate::guest::Guest;
use crate::queues::Told;

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("while it started {0}")]
    Failed(String),
    #[error("it refused the configuration of its virtual machine; its log says why")]
    VmConfiguration,
    #[error("it refused its configuration; its log says why")]
    Configuration,
}

pub(super) async fn start(
    filter: &Arc<Filter>,
    generation: u64,
    outbox: mpsc::UnboundedSender<HttpCall>,
    told: Weak<dyn Told>,
) -> Result<Running, Refusal> {
    let time = filter.spec.limits.start_time;
    let _ticking = filter.machine.ticker.running();
    let mut store = Guest::new(Arc::clone(filter), generation, outbox, told).store(&filter.machine.engine);
    Guest::begin(&mut store, 0, Instant::now() + time);
    let instance = match filter.pre.instantiate_async(&mut store).await {
        Ok(instance) => instance,
        Err(error) => return Err(Refusal::Failed(format!("it could not be instantiated: {error:#}"))),
    };
    let exports = Exports::of(&instance, &mut store, filter.shape.abi);
    let mut running = Running { store, exports };
    let started = match initialize(&instance, &mut running).await {
        Ok(()) => configure(&mut running).await,
        Err(error) => Err(error),
    };
    match started {
        Ok(Ok(())) => Ok(running),
        Ok(Err(refusal)) => Err(refusal),
        Err(error) => Err(Refusal::Failed(cause(&error, &running, time))),
    }
}

/// A WASI reactor has `_initialize` and perhaps `main`, a command `_start`.
async fn initialize(instance: &Instance, Running { store, .. }: &mut Running) -> wasmtime::Result<()> {
    let allocate = ["malloc", "proxy_on_memory_allocate"];
    let allocate = allocate.into_iter().find_map(|name| instance.get_typed_func(&mut *store, name).ok());
    let memory = instance.get_memory(&mut *store, "memory");
    let guest = store.data_mut();
    (guest.memory, guest.allocate) = (memory, allocate);
    guest.root = guest.new_context();
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
        initialize.call_async(&mut *store, ()).await?;
        if let Ok(main) = instance.get_typed_func::<(u32, u32), u32>(&mut *store, "main") {
            main.call_async(&mut *store, (0, 0)).await?;
        }
    } else if let Ok(start) = instance.get_typed_func::<(), ()>(&mut *store, "_start") {
        start.call_async(&mut *store, ()).await?;
    }
    Ok(())
}

async fn configure(Running { store, exports }: &mut Running) -> wasmtime::Result<Result<(), Refusal>> {
    let (root, vm, plugin) = {
        let guest = store.data();
        (guest.root, guest.filter.spec.vm_config.len() as u32, guest.filter.spec.plugin_config.len() as u32)
    };
    let begin = |store: &mut Store<Guest>, configuring| {
        let deadline = store.data().deadline;
        Guest::begin(store, root, deadline);
        store.data_mut().configuring = configuring;
    };
    if let Some(create) = &exports.context_create {
        begin(store, true);
        create.call_async(&mut *store, (root, 0)).await?;
    }
    if let Some(vm_start) = &exports.vm_start {
        begin(store, false);
        if vm_start.call_async(&mut *store, (root, vm)).await? == 0 {
            return Ok(Err(Refusal::VmConfiguration));
        }
    }
    if let Some(configure) = &exports.configure {
        begin(store, true);
        if configure.call_async(&mut *store, (root, plugin)).await? == 0 {
            return Ok(Err(Refusal::Configuration));
        }
    }
    begin(store, false);
    Ok(Ok(()))
}
