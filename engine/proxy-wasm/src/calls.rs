//! The host functions: every name of the ABI's three versions, and what SDKs import of WASI.

mod buffers;
mod general;
mod headers;
mod http;
mod metrics;
mod shared;
mod wasi;

use wasmtime::{Caller, ExternType, Linker, Module, Val, ValType, bail};

use crate::abi::Status;
use crate::guest::Guest;

/// WASI's errno for what is not there.
const ENOSYS: u32 = 52;

/// The module in which SDKs look for the ABI.
const ENV: &str = "env";

/// Defines them all.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    general::link(linker)?;
    headers::link(linker)?;
    buffers::link(linker)?;
    http::link(linker)?;
    metrics::link(linker)?;
    shared::link(linker)?;
    wasi::link(linker)
}

/// What else a module imports resolves too: functions of the ABI say "unimplemented", those of WASI ENOSYS, all others trap
/// when they are called, naming themselves.
pub(crate) fn stub_the_rest(linker: &mut Linker<Guest>, module: &Module) {
    for import in module.imports() {
        let ExternType::Func(ty) = import.ty() else { continue };
        let (name, one_number) = (format!("{}.{}", import.module(), import.name()), {
            let mut results = ty.results();
            matches!((results.next(), results.next()), (Some(ValType::I32), None))
        });
        let answer = match import.module() {
            ENV if import.name().starts_with("proxy_") && one_number => Some(Status::Unimplemented as u32),
            "wasi_snapshot_preview1" | "wasi_unstable" if one_number => Some(ENOSYS),
            _ => None,
        };
        let stub = move |_: Caller<'_, Guest>, _: &[Val], results: &mut [Val]| match (answer, results.first_mut()) {
            (Some(answer), Some(result)) => {
                *result = Val::I32(answer.cast_signed());
                Ok(())
            }
            _ => bail!("{name} is not in this sandbox"),
        };
        // The linker refuses a second definition: what is there stays.
        let _ = linker.func_new(import.module(), import.name(), ty, stub);
    }
}
