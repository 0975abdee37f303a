//! The host: one engine, one clock; it loads filters.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::{Config, Engine, Linker, Module};
use weir_wasm::Ticker;

use crate::exports::Shape;
use crate::filter::{Filter, FilterSpec};
use crate::guest::Guest;
use crate::log::Log;
use crate::metrics::Metrics;
use crate::queues::Commons;
use crate::stats::Counters;
use crate::{CONFIG_BYTES_MAX, Error, MODULE_BYTES_MAX, STACK_BYTES_MAX, calls};

/// Loads filters. Cloning is cheap.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    machine: Arc<Machine>,
    linker: Linker<Guest>,
    commons: Arc<Commons>,
}

/// What every virtual machine needs to run.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host")
    }
}

impl Host {
    /// Starts an engine.
    ///
    /// # Errors
    /// [`Error::Engine`] when the machine cannot run WebAssembly.
    pub fn new() -> Result<Self, Error> {
        let engine = engine()?;
        let ticker = Ticker::start(&engine).map_err(|error| Error::Engine(error.to_string()))?;
        let mut linker = Linker::new(&engine);
        calls::link(&mut linker).map_err(|error| Error::Engine(format!("{error:#}")))?;
        Ok(Self(Arc::new(Inner { machine: Arc::new(Machine { engine, ticker }), linker, commons: Commons::new() })))
    }

    /// Checks and compiles a module; nothing of it runs yet. Blocks for up to seconds: not for the request path.
    ///
    /// # Errors
    /// [`Error`] says which filter, what was found and what to do.
    pub fn load(&self, spec: FilterSpec) -> Result<Arc<Filter>, Error> {
        let (name, machine) = (spec.name.clone(), Arc::clone(&self.0.machine));
        check_sizes(&spec)?;
        let failed = |error: wasmtime::Error| Error::Compile { name: name.clone(), message: format!("{error:#}") };
        let module = Module::new(&machine.engine, &spec.wasm).map_err(failed)?;
        let shape = Shape::of(&module).map_err(|message| Error::Abi { name: name.clone(), message })?;
        let mut linker = self.0.linker.clone();
        calls::stub_the_rest(&mut linker, &module);
        let abi = |error: wasmtime::Error| Error::Abi { name: name.clone(), message: format!("{error:#}") };
        let pre = linker.instantiate_pre(&module).map_err(abi)?;
        let counters = Arc::<Counters>::default();
        Ok(Arc::new(Filter {
            shape,
            machine,
            pre,
            commons: Arc::clone(&self.0.commons),
            metrics: Metrics::default(),
            log: Log::new(&name, Arc::clone(&counters)),
            counters,
            // Compiled: the bytes are not needed again.
            spec: FilterSpec { wasm: Bytes::new(), ..spec },
        }))
    }
}

fn engine() -> Result<Engine, Error> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.max_wasm_stack(STACK_BYTES_MAX);
    config.async_stack_size(2 * STACK_BYTES_MAX);
    config.wasm_backtrace_max_frames(None);
    config.concurrency_support(false);
    Engine::new(&config).map_err(|error| Error::Engine(format!("{error:#}")))
}

fn check_sizes(spec: &FilterSpec) -> Result<(), Error> {
    let sizes = [
        ("module", spec.wasm.len(), MODULE_BYTES_MAX),
        ("plugin configuration", spec.plugin_config.len(), CONFIG_BYTES_MAX),
        ("virtual machine's configuration", spec.vm_config.len(), CONFIG_BYTES_MAX),
    ];
    match sizes.into_iter().find(|(_, bytes, limit)| bytes > limit) {
        Some((what, bytes, limit)) => Err(Error::Size { name: spec.name.clone(), what, bytes, limit }),
        None => Ok(()),
    }
}
