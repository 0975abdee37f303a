//! The host: one engine, one clock, one cache; it loads adapters.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};
use weir_manifest::World;

use crate::cache::Cache;
use crate::capabilities::{Stores, Table, Tables};
use crate::compile::{compile, engine};
use crate::contract::v1::weir::plugin as imports;
use crate::guest::Guest;
use crate::inspect::inspect;
use crate::manifest::Source;
use crate::mask::Mask;
use crate::pool::{Plugin, Pool, Pre};
use crate::services::Services;
use crate::stats::Counters;
use crate::ticker::Ticker;
use crate::voice::Voice;
use crate::{Adapter, COMPILES_MAX, Error, FailurePolicy, Grants, Limits, Manifest, config, wasi};

/// How to set up a [`Host`].
#[derive(Clone, Debug, Default)]
pub struct HostOptions {
    /// Where compiled modules are kept; none keeps none. The folder becomes readable for its owner only.
    pub cache_dir: Option<PathBuf>,
    /// Key of the hashes that report plugins see instead of sensitive values; none for a random one.
    pub mask_key: Option<[u8; 32]>,
}

/// What to load.
#[derive(Clone, Debug)]
pub struct AdapterSpec {
    /// The adapter's name in the configuration.
    pub name: String,
    /// The component.
    pub wasm: Bytes,
    /// Where it came from, for error texts.
    pub origin: String,
    /// What the plugin's `configure` gets; null is an empty object.
    pub config: serde_json::Value,
    /// What it may use.
    pub limits: Limits,
    /// What a failed check means.
    pub failure_policy: FailurePolicy,
    /// What it may use of the host.
    pub grants: Grants,
}

/// Loads adapters. Cloning is cheap. Needs a tokio runtime.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    machine: Arc<Machine>,
    cache: Option<Arc<Cache>>,
    linker: Linker<Guest>,
    compiles: Semaphore,
    stores: Stores,
    tables: Tables,
}

/// What every instance needs to run.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) mask: Mask,
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
    /// [`Error::Cache`] when the folder cannot be used, [`Error::Engine`] when the machine cannot run WebAssembly.
    pub fn new(options: HostOptions) -> Result<Host, Error> {
        let engine = engine()?;
        let fail = |e: &dyn std::fmt::Display| Error::Engine(e.to_string());
        let ticker = Ticker::start(&engine).map_err(|e| fail(&e))?;
        let mut key = [0u8; 32];
        getrandom::fill(&mut key).map_err(|e| fail(&e))?;
        let mask = Mask::new(&options.mask_key.unwrap_or(key)).ok_or_else(|| fail(&"no key"))?;
        let cache = options.cache_dir.as_deref().map(Cache::open).transpose()?.map(Arc::new);
        let linker = linker(&engine).map_err(|e| Error::Engine(format!("{e:#}")))?;
        let machine = Arc::new(Machine { engine, ticker, mask });
        let compiles = Semaphore::new(COMPILES_MAX);
        let (stores, tables) = (Stores::default(), Tables::default());
        Ok(Host(Arc::new(Inner { machine, cache, linker, compiles, stores, tables })))
    }

    /// Gives plugins a table to look things up in, or another instead of the one of that name.
    pub fn set_table(&self, name: &str, table: Table) {
        self.0.tables.set(name, table);
    }

    /// Reads, checks, compiles, starts and configures a plugin. Takes milliseconds when the compiled module is cached, up to
    /// a minute when not; no request waits for it. Call it on a runtime that lives as long as the adapter: instances that fail
    /// are replaced there. The adapter itself can be called on any.
    ///
    /// # Errors
    /// [`Error`] says which file, what was found there and what to do.
    pub async fn load(&self, spec: AdapterSpec) -> Result<Adapter, Error> {
        check_limits(&spec)?;
        let manifest = inspect(&spec.wasm, &spec.origin)?.manifest;
        check_asked(&spec, &manifest)?;
        let config = config::checked(&manifest, &spec.origin, &spec.name, &spec.config)?;
        let component = self.compiled(&spec).await?;
        let pre = self.linked(&component, &manifest, &spec.origin)?;
        let (name, counters): (Arc<str>, Arc<Counters>) = (spec.name.into(), Arc::default());
        let voice = Voice::new(name.clone(), counters.clone(), spec.limits.log_lines_per_second);
        let store = |store: &str, size| self.0.stores.get(&name, store, size);
        let services = Services::new(&manifest, &spec.grants, self.0.tables.clone(), store);
        let plugin = Plugin {
            machine: self.0.machine.clone(),
            name,
            manifest,
            config,
            limits: spec.limits,
            failure_policy: spec.failure_policy,
            counters,
            voice: Arc::new(voice),
            services: Arc::new(services),
            pre,
            families: OnceLock::new(),
        };
        Ok(Adapter::new(Pool::start(plugin).await?))
    }

    async fn compiled(&self, spec: &AdapterSpec) -> Result<Component, Error> {
        let _turn = self.0.compiles.acquire().await;
        let (engine, cache) = (self.0.machine.engine.clone(), self.0.cache.clone());
        let (wasm, origin) = (spec.wasm.clone(), spec.origin.clone());
        let job = tokio::task::spawn_blocking(move || compile(&engine, cache.as_deref(), &wasm, &origin));
        job.await.map_err(|e| Error::Compile { origin: spec.origin.clone(), message: e.to_string() })?
    }

    fn linked(&self, component: &Component, manifest: &Manifest, origin: &str) -> Result<Pre, Error> {
        let fail = |e: wasmtime::Error| Error::Import {
            origin: origin.to_owned(),
            import: "of weir:plugin".into(),
            message: format!("{e:#}; build the plugin with this host's SDK"),
        };
        let mut linker = self.0.linker.clone();
        // `inspect` has let pass only what is of weir:plugin or wasi.
        wasi::stub_the_rest(&mut linker, &self.0.machine.engine, component).map_err(fail)?;
        let pre = linker.instantiate_pre(component).map_err(fail)?;
        Pre::new(pre, manifest.world).map_err(fail)
    }
}

/// Everything of every world: what a plugin was not granted answers so itself.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    fn guest(guest: &mut Guest) -> &mut Guest {
        guest
    }
    imports::types::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::attributes::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::log::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::metrics::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::records::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::spans::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::kv::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::lookup::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::http_out::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    imports::sinks::add_to_linker::<_, HasSelf<_>>(&mut linker, guest)?;
    Ok(linker)
}

/// What the manifest asks for and needs, against what the operator grants and allows.
fn check_asked(spec: &AdapterSpec, manifest: &Manifest) -> Result<(), Error> {
    let adapter = || spec.name.clone();
    if let Some(input) = manifest.inputs.iter().find(|input| input.source == Source::Unbound) {
        return Err(Error::Unbound { adapter: adapter(), input: input.to_string() });
    }
    spec.grants.cover(&manifest.capabilities, &spec.name)?;
    let time = if manifest.world == World::Report { spec.limits.report_time } else { spec.limits.check_time };
    match (manifest.needs.memory_mib, manifest.needs.timeout_ms) {
        (Some(mib), _) if (mib as usize) << 20 > spec.limits.memory_bytes => {
            Err(Error::Needs { adapter: adapter(), needs: format!("{mib} MiB of memory"), field: "memoryMiB" })
        }
        (_, Some(ms)) if Duration::from_millis(ms.into()) > time => {
            Err(Error::Needs { adapter: adapter(), needs: format!("{ms} ms for a call"), field: "timeoutMs" })
        }
        _ => Ok(()),
    }
}

fn check_limits(spec: &AdapterSpec) -> Result<(), Error> {
    let Limits { memory_bytes, instances, output_bytes, emissions, .. } = spec.limits;
    let least = [
        ("memoryBytes", memory_bytes, 1 << 16),
        ("instances", instances, 1),
        ("outputBytes", output_bytes, 1 << 10),
        ("emissions", emissions, 1),
    ];
    match least.into_iter().find(|(_, value, least)| value < least) {
        Some((field, _, least)) => Err(Error::Limit { adapter: spec.name.clone(), field, least }),
        None => Ok(()),
    }
}
