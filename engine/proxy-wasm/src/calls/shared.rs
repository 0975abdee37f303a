//! Shared data and shared queues.

use wasmtime::{Caller, Linker};

use super::ENV;
use crate::abi::{Outcome, number};
use crate::guest::Guest;
use crate::memory::{copy, give, put_u32, slice, text};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        ENV,
        "proxy_get_shared_data",
        |mut caller: Caller<'_, Guest>, (key, key_len, to, len_to, cas_to): (u32, u32, u32, u32, u32)| {
            Box::new(async move { number(get(&mut caller, (key, key_len), (to, len_to), cas_to).await) })
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_shared_data",
        |caller: Caller<'_, Guest>, key: u32, key_len: u32, value: u32, value_len: u32, cas: u32| {
            number(set(&caller, (key, key_len), (value, value_len), cas))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_register_shared_queue",
        |mut caller: Caller<'_, Guest>, name: u32, name_len: u32, to: u32| {
            number(register(&mut caller, (name, name_len), to))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_resolve_shared_queue",
        |mut caller: Caller<'_, Guest>, vm_id: u32, vm_id_len: u32, name: u32, name_len: u32, to: u32| {
            number(resolve(&mut caller, (vm_id, vm_id_len), (name, name_len), to))
        },
    )?;
    linker.func_wrap_async(
        ENV,
        "proxy_dequeue_shared_queue",
        |mut caller: Caller<'_, Guest>, (token, to, len_to): (u32, u32, u32)| {
            Box::new(async move { number(dequeue(&mut caller, token, (to, len_to)).await) })
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_enqueue_shared_queue",
        |caller: Caller<'_, Guest>, token: u32, item: u32, item_len: u32| {
            number(enqueue(&caller, token, (item, item_len)))
        },
    )?;
    Ok(())
}

async fn get(caller: &mut Caller<'_, Guest>, key: (u32, u32), to: (u32, u32), cas_to: u32) -> Outcome {
    let filter = &caller.data().filter;
    let (value, cas) = filter.commons.data.get(&filter.spec.vm_id, slice(caller, key.0, key.1)?)?;
    give(caller, &value, to.0, to.1).await?;
    Ok(put_u32(caller, cas_to, cas)?)
}

fn set(caller: &Caller<'_, Guest>, key: (u32, u32), value: (u32, u32), cas: u32) -> Outcome {
    let (key, value) = (slice(caller, key.0, key.1)?, slice(caller, value.0, value.1)?);
    let filter = &caller.data().filter;
    Ok(filter.commons.data.set(&filter.spec.vm_id, key, value, cas)?)
}

fn register(caller: &mut Caller<'_, Guest>, name: (u32, u32), to: u32) -> Outcome {
    let name = copy(caller, name.0, name.1)?;
    let Guest { filter, told, generation, .. } = caller.data();
    let token = filter.commons.queues.register(&filter.spec.vm_id, &name, told.clone(), *generation)?;
    Ok(put_u32(caller, to, token)?)
}

fn resolve(caller: &mut Caller<'_, Guest>, vm_id: (u32, u32), name: (u32, u32), to: u32) -> Outcome {
    let told = text(caller, vm_id.0, vm_id.1)?;
    let filter = &caller.data().filter;
    let vm_id = if told.is_empty() { &filter.spec.vm_id } else { &told };
    let token = filter.commons.queues.resolve(vm_id, slice(caller, name.0, name.1)?)?;
    Ok(put_u32(caller, to, token)?)
}

async fn dequeue(caller: &mut Caller<'_, Guest>, token: u32, to: (u32, u32)) -> Outcome {
    let item = caller.data().filter.commons.queues.dequeue(token)?;
    give(caller, &item, to.0, to.1).await
}

fn enqueue(caller: &Caller<'_, Guest>, token: u32, item: (u32, u32)) -> Outcome {
    let item = slice(caller, item.0, item.1)?;
    Ok(caller.data().filter.commons.queues.enqueue(token, item)?)
}
