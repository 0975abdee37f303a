//! From WebAssembly to machine code, once for each module and engine.

use std::hash::{DefaultHasher, Hash, Hasher};

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use crate::cache::Cache;
use crate::fetch::hex;
use crate::{Error, STACK_BYTES_MAX};

/// An engine that can interrupt what it runs and keeps no state between modules; with `fuel` it counts what runs,
/// and compiles fast instead of well: for tests.
pub(crate) fn engine(fuel: bool) -> Result<Engine, Error> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(STACK_BYTES_MAX);
    config.async_stack_size(2 * STACK_BYTES_MAX);
    // Addresses inside a stripped plugin tell an operator nothing.
    config.wasm_backtrace_max_frames(None);
    // Nothing here needs tasks inside a component; without them a call is cheaper.
    config.concurrency_support(false);
    config.consume_fuel(fuel);
    if fuel {
        // Authors wait for the compiler, not for the code.
        config.cranelift_opt_level(wasmtime::OptLevel::None);
    }
    Engine::new(&config).map_err(|e| Error::Engine(format!("{e:#}")))
}

/// Compiles the component of that digest, or takes what the cache has. Blocks for milliseconds to a minute: not for the request path.
pub(crate) fn compile(
    engine: &Engine,
    cache: Option<&Cache>,
    wasm: &[u8],
    digest: &[u8; 32],
    origin: &str,
) -> Result<Component, Error> {
    let name = file_name(engine, digest);
    if let Some(cache) = cache
        && let Some(bytes) = cache.read(&name)
        && let Some(component) = revive(engine, &bytes)
    {
        return Ok(component);
    }
    let compiled = Component::from_binary(engine, wasm);
    let component = compiled.map_err(|e| Error::Compile { origin: origin.to_owned(), message: format!("{e:#}") })?;
    if let Some(cache) = cache {
        let stored = component.serialize().map_err(|e| e.to_string());
        if let Err(e) = stored.and_then(|bytes| cache.write(&name, &bytes).map_err(|e| e.to_string())) {
            tracing::warn!(origin, "compiled module not cached: {e}");
        }
    }
    Ok(component)
}

/// The one place in Weir that trusts bytes to be code.
#[allow(unsafe_code)]
fn revive(engine: &Engine, bytes: &[u8]) -> Option<Component> {
    // SAFETY: `bytes` were sealed by this host: their HMAC, over name and content, was verified on this very copy in
    // memory, under a key that stands only in the cache folder (0700, key 0600). `Cache::write` seals nothing but what
    // `Component::serialize` gave, and the name holds the module's digest and the engine's compatibility hash.
    match unsafe { Component::deserialize(engine, bytes) } {
        Ok(component) => Some(component),
        Err(e) => {
            tracing::warn!("compiled module not usable, compiling again: {e:#}");
            None
        }
    }
}

/// Digest of the module, and everything about engine, compiler and machine that the code depends on.
fn file_name(engine: &Engine, digest: &[u8; 32]) -> String {
    let mut hasher = DefaultHasher::new();
    // It covers wasmtime's version too.
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{}-{:016x}.cwasm", hex(digest), hasher.finish())
}
