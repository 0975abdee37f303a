//! Buffers: bodies, configurations, the response to a call.

use wasmtime::{Caller, Linker};

use super::ENV;
use crate::BODY_BYTES_MAX;
use crate::abi::{BufferType, Outcome, Status, number};
use crate::context::Passage;
use crate::guest::Guest;
use crate::memory::{copy, give, put_u32};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        ENV,
        "proxy_get_buffer_bytes",
        |mut caller: Caller<'_, Guest>, (buffer, start, length, to, len_to): (u32, u32, u32, u32, u32)| {
            Box::new(async move { number(get(&mut caller, buffer, (start, length), (to, len_to)).await) })
        },
    )?;
    linker.func_wrap_async(
        ENV,
        "proxy_get_configuration",
        |mut caller: Caller<'_, Guest>, (to, len_to): (u32, u32)| {
            Box::new(async move {
                let guest = caller.data();
                let spec = &guest.filter.spec;
                let all = if guest.configuring { spec.plugin_config.clone() } else { spec.vm_config.clone() };
                number(give(&mut caller, &all, to, len_to).await)
            })
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_buffer_status",
        |mut caller: Caller<'_, Guest>, buffer: u32, length_to: u32, flags_to: u32| {
            number(status(&mut caller, buffer, length_to, flags_to))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_buffer_bytes",
        |mut caller: Caller<'_, Guest>, buffer: u32, start: u32, length: u32, from: u32, len: u32| {
            number(set(&mut caller, buffer, (start, length), (from, len)))
        },
    )?;
    Ok(())
}

/// A buffer as it is now; none when it is not there. As Envoy: a body that is not there is an empty one.
fn look(guest: &Guest, buffer: BufferType) -> Option<&[u8]> {
    fn body(passage: &Passage) -> &[u8] {
        if passage.visible { &passage.shown } else { &[] }
    }
    Some(match buffer {
        BufferType::RequestBody => guest.speaking().map_or(&[], |context| body(&context.request)),
        BufferType::ResponseBody => guest.speaking().map_or(&[], |context| body(&context.response)),
        BufferType::CallBody => &guest.answered.as_ref()?.body,
        BufferType::VmConfiguration => &guest.filter.spec.vm_config,
        BufferType::PluginConfiguration if guest.configuring => &guest.filter.spec.plugin_config,
        BufferType::PluginConfiguration => return None,
        BufferType::Other => &[],
    })
}

async fn get(caller: &mut Caller<'_, Guest>, buffer: u32, part: (u32, u32), to: (u32, u32)) -> Outcome {
    let buffer = BufferType::read(buffer)?;
    let all = look(caller.data(), buffer).ok_or(Status::NotFound)?;
    let end = (part.0 as usize).saturating_add(part.1 as usize).min(all.len());
    // As Envoy: of nothing, and of what is behind the end, not even the address is written.
    let Some(part) = all.get(part.0 as usize..end).filter(|part| !part.is_empty()) else { return Ok(()) };
    let part = part.to_vec();
    give(caller, &part, to.0, to.1).await
}

fn status(caller: &mut Caller<'_, Guest>, buffer: u32, length_to: u32, flags_to: u32) -> Outcome {
    let buffer = BufferType::read(buffer)?;
    let length = look(caller.data(), buffer).ok_or(Status::NotFound)?.len();
    put_u32(caller, length_to, length as u32)?;
    Ok(put_u32(caller, flags_to, 0)?)
}

fn set(caller: &mut Caller<'_, Guest>, buffer: u32, part: (u32, u32), from: (u32, u32)) -> Outcome {
    let buffer = BufferType::read(buffer)?;
    if look(caller.data(), buffer).is_none() {
        return Err(Status::NotFound.into());
    }
    let with = copy(caller, from.0, from.1)?;
    let context = caller.data_mut().speaking_mut();
    let passage = match (buffer, context) {
        (BufferType::RequestBody, Some(context)) if context.request.visible => &mut context.request,
        (BufferType::ResponseBody, Some(context)) if context.response.visible => &mut context.response,
        // Only bodies can be written.
        _ => return Err(Status::BadArgument.into()),
    };
    replace(&mut passage.shown, part.0 as usize, part.1 as usize, &with).map_err(Into::into)
}

/// As Envoy: in front of all, in place of all, or behind all; nothing in between.
fn replace(shown: &mut Vec<u8>, start: usize, length: usize, with: &[u8]) -> Result<(), Status> {
    if shown.len() + with.len() > 2 * BODY_BYTES_MAX {
        return Err(Status::InternalFailure);
    }
    match (start, length) {
        (0, 0) => drop(shown.splice(0..0, with.iter().copied())),
        (0, length) if length >= shown.len() => with.clone_into(shown),
        (start, _) if start != 0 && start >= shown.len() => shown.extend_from_slice(with),
        _ => return Err(Status::BadArgument),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_written_in_front_in_place_or_behind() {
        let cases: [(usize, usize, Result<(), Status>, &str); 7] = [
            (0, 0, Ok(()), "newold"),
            (0, 3, Ok(()), "new"),
            (0, 99, Ok(()), "new"),
            (0, 2, Err(Status::BadArgument), "old"),
            (3, 0, Ok(()), "oldnew"),
            (99, 1, Ok(()), "oldnew"),
            (1, 1, Err(Status::BadArgument), "old"),
        ];
        for (start, length, outcome, after) in cases {
            let mut shown = b"old".to_vec();
            assert_eq!(replace(&mut shown, start, length, b"new"), outcome, "{start} {length}");
            assert_eq!(shown, after.as_bytes(), "{start} {length}");
        }
    }
}
