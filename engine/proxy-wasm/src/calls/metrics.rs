//! Metrics.

use wasmtime::{Caller, Linker};

use super::ENV;
use crate::abi::{Outcome, number};
use crate::guest::Guest;
use crate::memory::{put, put_u32, slice};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_define_metric",
        |mut caller: Caller<'_, Guest>, kind: u32, name: u32, name_len: u32, to: u32| {
            number(define(&mut caller, kind, (name, name_len), to))
        },
    )?;
    linker.func_wrap(ENV, "proxy_increment_metric", |caller: Caller<'_, Guest>, id: u32, by: i64| {
        number(caller.data().filter.metrics.increment(id, by).map_err(Into::into))
    })?;
    linker.func_wrap(ENV, "proxy_record_metric", |caller: Caller<'_, Guest>, id: u32, value: u64| {
        number(caller.data().filter.metrics.record(id, value).map_err(Into::into))
    })?;
    linker.func_wrap(ENV, "proxy_get_metric", |mut caller: Caller<'_, Guest>, id: u32, to: u32| {
        number(get(&mut caller, id, to))
    })?;
    Ok(())
}

fn define(caller: &mut Caller<'_, Guest>, kind: u32, name: (u32, u32), to: u32) -> Outcome {
    let id = caller.data().filter.metrics.define(kind, slice(caller, name.0, name.1)?)?;
    Ok(put_u32(caller, to, id)?)
}

fn get(caller: &mut Caller<'_, Guest>, id: u32, to: u32) -> Outcome {
    let value = caller.data().filter.metrics.get(id)?;
    Ok(put(caller, to, &value.to_le_bytes())?)
}
