//! The host: one engine, one clock, one cache; it makes adapters and their generations.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};
use weir_manifest::World;
use weir_wasm::Ticker;

use crate::cache::Cache;
use crate::capabilities::{Table, Tables};
use crate::client::HttpClient;
use crate::compile::{compile, engine};
use crate::contract::v1::weir::plugin as imports;
use crate::fetch::Found;
use crate::guest::Guest;
use crate::inspect::inspect;
use crate::mask::Mask;
use crate::plan::{Binding, Plan};
use crate::pool::{Plugin, Pool, Pre};
use crate::registry::Registry;
use crate::services::{Services, Supplies};
use crate::voice::Voice;
use crate::{
    Adapter, COMPILE_TIME_MAX, COMPILES_MAX, Emitted, Error, Grants, Limits, Manifest, MetricFamily, config, wasi,
};

/// Where emissions go that no caller waits for: of checks, enrichments, ticks and drains. Must not block.
pub type Outlet = Arc<dyn Fn(Emitted) + Send + Sync>;

/// How to set up a [`Host`].
#[derive(Clone, Default)]
pub struct HostOptions {
    /// Where compiled modules are kept; none keeps none. The folder becomes readable for its owner only.
    pub cache_dir: Option<PathBuf>,
    /// Key of the hashes that report plugins see instead of sensitive values; none for a random one.
    pub mask_key: Option<[u8; 32]>,
    /// Where emissions go that no caller waits for; none drops them.
    pub outlet: Option<Outlet>,
    /// Whether the work of calls is counted, in [`crate::Stats::fuel`]: for tests of plugins, since every call is slower.
    pub fuel: bool,
}

/// What to load.
#[derive(Clone, Debug)]
pub struct AdapterSpec {
    /// The component.
    pub wasm: Bytes,
    /// Where it came from, for error texts.
    pub origin: String,
    /// What the plugin's `configure` gets; null is an empty object.
    pub config: serde_json::Value,
    /// What it may use.
    pub limits: Limits,
    /// What it may use of the host.
    pub grants: Grants,
    /// Expressions that produce inputs.
    pub bindings: Vec<Binding>,
    /// CEL: which requests it is asked and told about; none means all.
    pub condition: Option<String>,
}

/// A plugin that is started, configured and tested, and serves nothing yet. Dropped, it ends its instance.
#[derive(Clone)]
pub struct Generation(pub(crate) Arc<Pool>);

/// A plugin whose bytes, manifest, configuration and grants are in order: everything but running it.
#[derive(Debug)]
pub struct Sound {
    spec: AdapterSpec,
    digest: [u8; 32],
    manifest: Manifest,
    config: String,
    plan: Plan,
}

/// Makes adapters. Cloning is cheap. Needs a tokio runtime.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    machine: Arc<Machine>,
    cache: Option<Arc<Cache>>,
    linker: Linker<Guest>,
    compiles: Arc<Semaphore>,
    supplies: Supplies,
    outlet: Option<Outlet>,
}

/// What every instance needs to run.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) mask: Mask,
    /// Whether the engine counts.
    pub(crate) fuel: bool,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Host")
    }
}

impl std::fmt::Debug for HostOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostOptions").field("cache_dir", &self.cache_dir).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Generation").field(&self.manifest().name).finish()
    }
}

impl Generation {
    /// What the plugin says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.0.plugin.manifest
    }

    /// The metrics that it declared.
    #[must_use]
    pub fn metric_families(&self) -> Arc<[MetricFamily]> {
        self.0.plugin.families()
    }
}

impl Sound {
    /// What the plugin says about itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

impl Host {
    /// Starts an engine.
    ///
    /// # Errors
    /// [`Error::Cache`] when the folder cannot be used, [`Error::Engine`] when the machine cannot run WebAssembly.
    pub fn new(options: HostOptions) -> Result<Host, Error> {
        let engine = engine(options.fuel)?;
        let fail = |e: &dyn std::fmt::Display| Error::Engine(e.to_string());
        let ticker = Ticker::start(&engine).map_err(|e| fail(&e))?;
        let mut key = [0u8; 32];
        getrandom::fill(&mut key).map_err(|e| fail(&e))?;
        let mask = Mask::new(&options.mask_key.unwrap_or(key)).ok_or_else(|| fail(&"no key"))?;
        let cache = options.cache_dir.as_deref().map(Cache::open).transpose()?.map(Arc::new);
        let linker = linker(&engine).map_err(|e| Error::Engine(format!("{e:#}")))?;
        let supplies = Supplies {
            stores: Registry::default(),
            sinks: Registry::default(),
            tables: Tables::default(),
            client: HttpClient::new(),
        };
        Ok(Host(Arc::new(Inner {
            machine: Arc::new(Machine { engine, ticker, mask, fuel: options.fuel }),
            cache,
            linker,
            compiles: Arc::new(Semaphore::new(COMPILES_MAX)),
            supplies,
            outlet: options.outlet,
        })))
    }

    /// Gives plugins a table to look things up in, or another instead of the one of that name.
    pub fn set_table(&self, name: &str, table: Table) {
        self.0.supplies.tables.set(name, table);
    }

    pub(crate) fn client(&self) -> &HttpClient {
        &self.0.supplies.client
    }

    /// A component that was fetched before, believed by its digest; its signature is checked again.
    pub(crate) fn kept(&self, digest: &str) -> Option<Found> {
        let (component, signature) = self.0.cache.as_ref()?.component(digest)?;
        Some(Found { component: component.into(), signature })
    }

    /// Keeps what was fetched for the next start, which may be without a network.
    pub(crate) fn keep(&self, digest: &str, found: &Found) {
        if let Some(cache) = &self.0.cache
            && let Err(e) = cache.keep_component(digest, &found.component, found.signature.as_deref())
        {
            tracing::warn!("fetched component not kept: {e}");
        }
    }

    /// An adapter that is pending: nothing serves until a generation is installed.
    #[must_use]
    pub fn adapter(&self, name: &str) -> Adapter {
        Adapter::pending(name)
    }

    /// Everything that can be known without running the plugin: its bytes, its manifest, the configuration against its schema,
    /// what it asks for against what is granted, the operator's expressions. Takes milliseconds.
    ///
    /// # Errors
    /// [`Error`] says which file or field, what was found there and what to do.
    pub fn look_at(&self, adapter: &str, spec: AdapterSpec) -> Result<Sound, Error> {
        check_limits(adapter, &spec.limits)?;
        let manifest = inspect(&spec.wasm, &spec.origin)?.manifest;
        spec.grants.cover(&manifest.capabilities, adapter)?;
        check_needs(adapter, &spec.limits, &manifest)?;
        let plan = Plan::new(adapter, &manifest, &spec.bindings, spec.condition.as_deref())?;
        let config = config::checked(&manifest, &spec.origin, adapter, &spec.config)?;
        Ok(Sound { digest: Sha256::digest(&spec.wasm).into(), spec, manifest, config, plan })
    }

    /// Compiles, starts, configures and tests it. Takes milliseconds when the compiled module is cached, up to a minute when
    /// not; no request waits for it. Call it on a runtime that lives as long as the adapter: instances that fail are
    /// replaced there. The adapter itself can be called on any.
    ///
    /// # Errors
    /// [`Error`] names the step that failed.
    pub async fn start(&self, adapter: &Adapter, sound: Sound) -> Result<Generation, Error> {
        let Sound { spec, digest, manifest, config, plan } = sound;
        let component = self.compiled(&spec, digest).await?;
        let pre = self.linked(&component, &manifest, &spec.origin)?;
        let (name, counters) = (adapter.name().clone(), adapter.counters().clone());
        let voice = Voice::new(name.clone(), counters.clone(), spec.limits.log_lines_per_second);
        let services = Services::new(&name, &manifest, &spec.grants, &self.0.supplies);
        let plugin = Plugin {
            machine: self.0.machine.clone(),
            name,
            manifest: Arc::new(manifest),
            plan,
            config,
            limits: spec.limits,
            counters,
            voice: Arc::new(voice),
            services: Arc::new(services),
            outlet: self.0.outlet.clone(),
            digest,
            pre,
            families: OnceLock::new(),
        };
        Ok(Generation(Pool::start(plugin).await?))
    }

    /// All of it: an adapter whose instances are all warm.
    ///
    /// # Errors
    /// As [`Host::look_at`] and [`Host::start`].
    pub async fn load(&self, name: &str, spec: AdapterSpec) -> Result<Adapter, Error> {
        let adapter = self.adapter(name);
        let generation = self.start(&adapter, self.look_at(name, spec)?).await?;
        generation.0.fill().await?;
        adapter.install(generation);
        Ok(adapter)
    }

    async fn compiled(&self, spec: &AdapterSpec, digest: [u8; 32]) -> Result<Component, Error> {
        let failed = |message: String| Error::Compile { origin: spec.origin.clone(), message };
        let turn = self.0.compiles.clone().acquire_owned().await.map_err(|e| failed(e.to_string()))?;
        let (engine, cache) = (self.0.machine.engine.clone(), self.0.cache.clone());
        let (wasm, origin) = (spec.wasm.clone(), spec.origin.clone());
        let job = tokio::task::spawn_blocking(move || {
            // A compilation that took too long holds its turn until it ends: there are never more at once.
            let _turn = turn;
            compile(&engine, cache.as_deref(), &wasm, &digest, &origin)
        });
        let compiled = tokio::time::timeout(COMPILE_TIME_MAX, job).await;
        let late = |_| Error::CompileTime { origin: spec.origin.clone(), limit: COMPILE_TIME_MAX };
        compiled.map_err(late)?.map_err(|e| failed(e.to_string()))?
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

/// What the plugin needs at least, against what the operator allows.
fn check_needs(adapter: &str, limits: &Limits, manifest: &Manifest) -> Result<(), Error> {
    let time = if manifest.world == World::Report { limits.report_time } else { limits.check_time };
    let short = |needs, field| Err(Error::Needs { adapter: adapter.to_owned(), needs, field });
    match (manifest.needs.memory_mib, manifest.needs.timeout_ms) {
        (Some(mib), _) if (mib as usize) << 20 > limits.memory_bytes => {
            short(format!("{mib} MiB of memory"), "memoryMiB")
        }
        (_, Some(ms)) if Duration::from_millis(ms.into()) > time => short(format!("{ms} ms for a call"), "timeoutMs"),
        _ => Ok(()),
    }
}

fn check_limits(adapter: &str, limits: &Limits) -> Result<(), Error> {
    let Limits { memory_bytes, instances, output_bytes, emissions, .. } = *limits;
    let least = [
        ("memoryBytes", memory_bytes, 1 << 16),
        ("instances", instances, 1),
        ("outputBytes", output_bytes, 1 << 10),
        ("emissions", emissions, 1),
    ];
    match least.into_iter().find(|(_, value, least)| value < least) {
        Some((field, _, least)) => Err(Error::Limit { adapter: adapter.to_owned(), field, least }),
        None => Ok(()),
    }
}
