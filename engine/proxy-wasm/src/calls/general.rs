//! Log, time, properties, contexts, and what becomes of the request.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use wasmtime::{Caller, Linker};

use super::ENV;
use crate::abi::{Outcome, Status, number};
use crate::context::Context;
use crate::effect::LocalResponse;
use crate::guest::Guest;
use crate::log::Log;
use crate::memory::{copy, give, put, put_u32, slice};
use crate::transaction::Direction;
use crate::{BODY_BYTES_MAX, PROPERTY_BYTES_MAX, pairs, property};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(ENV, "proxy_log", |caller: Caller<'_, Guest>, level: u32, from: u32, len: u32| {
        number(log(&caller, level, (from, len)))
    })?;
    linker.func_wrap(ENV, "proxy_get_log_level", |mut caller: Caller<'_, Guest>, to: u32| {
        number(put_u32(&mut caller, to, Log::level()).map_err(Into::into))
    })?;
    linker.func_wrap(ENV, "proxy_get_current_time_nanoseconds", |mut caller: Caller<'_, Guest>, to: u32| {
        number(put(&mut caller, to, &now().to_le_bytes()).map_err(Into::into))
    })?;
    linker.func_wrap(ENV, "proxy_set_tick_period_milliseconds", |mut caller: Caller<'_, Guest>, period: u32| {
        caller.data_mut().set_tick(period);
        0_u32
    })?;
    linker.func_wrap(ENV, "proxy_set_effective_context", |mut caller: Caller<'_, Guest>, context: u32| {
        if caller.data_mut().speak_for(context) { 0 } else { Status::BadArgument as u32 }
    })?;
    // Only a context that is being drained could be done, and none is.
    linker.func_wrap(ENV, "proxy_done", |_: Caller<'_, Guest>| Status::NotFound as u32)?;
    link_properties(linker)?;
    link_ends(linker)
}

fn link_properties(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        ENV,
        "proxy_get_property",
        |mut caller: Caller<'_, Guest>, (path, path_len, to, len_to): (u32, u32, u32, u32)| {
            Box::new(async move { number(get_property(&mut caller, (path, path_len), (to, len_to)).await) })
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_property",
        |caller: Caller<'_, Guest>, path: u32, path_len: u32, value: u32, value_len: u32| {
            number(set_property(&caller, (path, path_len), (value, value_len)))
        },
    )?;
    linker.func_wrap_async(
        ENV,
        "proxy_get_status",
        |mut caller: Caller<'_, Guest>, (code_to, to, len_to): (u32, u32, u32)| {
            Box::new(async move {
                let (code, message) = caller.data().failure;
                if let Err(status) = put_u32(&mut caller, code_to, code) {
                    return Ok(status as u32);
                }
                number(give(&mut caller, message.as_bytes(), to, len_to).await)
            })
        },
    )?;
    Ok(())
}

fn link_ends(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(ENV, "proxy_continue_stream", |mut caller: Caller<'_, Guest>, stream: u32| {
        number(let_go(&mut caller, stream))
    })?;
    linker.func_wrap(ENV, "proxy_continue_request", |mut caller: Caller<'_, Guest>| number(let_go(&mut caller, 0)))?;
    linker.func_wrap(ENV, "proxy_continue_response", |mut caller: Caller<'_, Guest>| number(let_go(&mut caller, 1)))?;
    linker.func_wrap(ENV, "proxy_close_stream", |caller: Caller<'_, Guest>, stream: u32| {
        let reset = |context: &Context| context.end(|turn| turn.reset = true);
        match stream {
            0 | 1 => caller.data().speaking().map_or((), reset),
            2 | 3 => {}
            _ => return Status::BadArgument as u32,
        }
        0
    })?;
    // There is one route.
    linker.func_wrap(ENV, "proxy_clear_route_cache", |_: Caller<'_, Guest>| 0_u32)?;
    linker.func_wrap(
        ENV,
        "proxy_send_local_response",
        |mut caller: Caller<'_, Guest>,
         status,
         details,
         details_len,
         body,
         body_len,
         headers,
         headers_len,
         grpc: u32| {
            let answer = Answer {
                status,
                details: (details, details_len),
                body: (body, body_len),
                headers: (headers, headers_len),
                grpc,
            };
            number(respond(&mut caller, &answer))
        },
    )?;
    Ok(())
}

fn log(caller: &Caller<'_, Guest>, level: u32, line: (u32, u32)) -> Outcome {
    if level > 5 {
        return Err(Status::BadArgument.into());
    }
    caller.data().filter.log.say(level, slice(caller, line.0, line.1)?);
    Ok(())
}

/// Nanoseconds since 1970.
pub(super) fn now() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

async fn get_property(caller: &mut Caller<'_, Guest>, path: (u32, u32), to: (u32, u32)) -> Outcome {
    let path = slice(caller, path.0, path.1)?;
    let value = property::get(&caller.data().filter, caller.data().speaking(), path)?;
    give(caller, &value, to.0, to.1).await
}

fn set_property(caller: &Caller<'_, Guest>, path: (u32, u32), value: (u32, u32)) -> Outcome {
    let (path, value) = (copy(caller, path.0, path.1)?, copy(caller, value.0, value.1)?);
    let context = caller.data().speaking().ok_or(Status::NotFound)?;
    let mut scene = context.transaction.scene();
    let others = scene.set.iter().filter(|(name, _)| **name != path);
    let bytes: usize = others.map(|(name, value)| name.len() + value.len()).sum();
    if bytes + path.len() + value.len() > PROPERTY_BYTES_MAX {
        return Err(Status::InternalFailure.into());
    }
    scene.set.insert(path, value);
    Ok(())
}

fn let_go(caller: &mut Caller<'_, Guest>, stream: u32) -> Outcome {
    let direction = match stream {
        0 => Direction::Request,
        1 => Direction::Response,
        _ => return Err(Status::BadArgument.into()),
    };
    if let Some(context) = caller.data_mut().speaking_mut() {
        context.resume(direction);
    }
    Ok(())
}

struct Answer {
    status: u32,
    details: (u32, u32),
    body: (u32, u32),
    headers: (u32, u32),
    grpc: u32,
}

fn respond(caller: &mut Caller<'_, Guest>, answer: &Answer) -> Outcome {
    let details = String::from_utf8_lossy(slice(caller, answer.details.0, answer.details.1)?).into_owned();
    let body = slice(caller, answer.body.0, answer.body.1)?;
    if body.len() > BODY_BYTES_MAX {
        return Err(Status::BadArgument.into());
    }
    let body = Bytes::copy_from_slice(body);
    let headers = pairs::read(slice(caller, answer.headers.0, answer.headers.1)?).unwrap_or_default();
    if !headers.fits() {
        return Err(Status::BadArgument.into());
    }
    let grpc_status = (answer.grpc <= 16).then_some(answer.grpc);
    let response = LocalResponse { status: answer.status, details, headers, body, grpc_status };
    let guest = caller.data_mut();
    if let Some(context) = guest.speaking_mut() {
        // As Envoy: one answer for each request.
        if std::mem::replace(&mut context.answered, true) {
            return Err(Status::BadArgument.into());
        }
        context.end(|turn| turn.respond = Some(response));
    }
    guest.stopped = true;
    Ok(())
}
