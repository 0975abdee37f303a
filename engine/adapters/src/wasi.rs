//! The empty machine that plugins see: clocks, a little randomness, and nothing else.

use std::sync::Arc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};
use wasmtime::{Engine, bail};
use wasmtime_wasi::WasiCtx;

use crate::guest::Guest;
use crate::voice::{Stdio, Voice};

/// Bytes of randomness that a plugin gets at once.
const RANDOM_BYTES_MAX: u64 = 4096;
/// Packages that the linker has.
const PACKAGES: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// No files, no environment, no arguments, no sockets, no names; what is printed goes to the log.
pub(crate) fn context(voice: &Arc<Voice>) -> WasiCtx {
    WasiCtx::builder()
        .stdout(Stdio::new(voice.clone()))
        .stderr(Stdio::new(voice.clone()))
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(RANDOM_BYTES_MAX)
        .build()
}

/// Toolchains import parts of wasi that no plugin calls, `wasi:http` for instance: those trap when they are called.
pub(crate) fn stub_the_rest(
    linker: &mut Linker<Guest>,
    engine: &Engine,
    component: &Component,
) -> wasmtime::Result<()> {
    for (import, item) in component.component_type().imports(engine) {
        let known = PACKAGES.iter().any(|package| import.starts_with(package)) && import.contains("@0.2.");
        let ComponentItem::ComponentInstance(interface) = item.ty else { continue };
        if known || !import.starts_with("wasi:") {
            continue;
        }
        let mut stub = linker.instance(import)?;
        for (name, item) in interface.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => {
                    let function = format!("{import}#{name}");
                    stub.func_new(name, move |_, _, _, _| bail!("{function} is not in this sandbox"))?;
                }
                ComponentItem::Resource(_) => {
                    stub.resource(name, ResourceType::host::<()>(), |_, _| Ok(()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}
