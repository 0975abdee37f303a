//! Calls to upstreams, and to foreign functions, of which there are none.

use std::time::Duration;

use bytes::Bytes;
use wasmtime::{Caller, Linker};

use super::ENV;
use crate::abi::{Fault, Outcome, Status, number};
use crate::effect::HttpCall;
use crate::guest::Guest;
use crate::headers::Headers;
use crate::memory::{put_u32, slice, text};
use crate::stats::count;
use crate::{CALL_BODY_BYTES_MAX, CALL_TIME_MAX, CALLS_MAX, pairs};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_http_call",
        |mut caller: Caller<'_, Guest>,
         upstream,
         upstream_len,
         headers,
         headers_len,
         body,
         body_len,
         trailers,
         trailers_len,
         timeout: u32,
         token_to: u32| {
            let wanted = Wanted {
                upstream: (upstream, upstream_len),
                headers: (headers, headers_len),
                body: (body, body_len),
                trailers: (trailers, trailers_len),
                timeout,
            };
            let called = call(&mut caller, &wanted, token_to);
            if called.is_err() {
                count(&caller.data().filter.counters.calls_refused);
            }
            number(called)
        },
    )?;
    // As Envoy of a function that it does not know.
    linker.func_wrap(
        ENV,
        "proxy_call_foreign_function",
        |_: Caller<'_, Guest>, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32| Status::NotFound as u32,
    )?;
    Ok(())
}

struct Wanted {
    upstream: (u32, u32),
    headers: (u32, u32),
    body: (u32, u32),
    trailers: (u32, u32),
    timeout: u32,
}

fn call(caller: &mut Caller<'_, Guest>, wanted: &Wanted, token_to: u32) -> Outcome {
    let upstream = text(caller, wanted.upstream.0, wanted.upstream.1)?;
    let headers = lines(caller, wanted.headers)?;
    let trailers = lines(caller, wanted.trailers)?;
    let body = slice(caller, wanted.body.0, wanted.body.1)?;
    if body.len() > CALL_BODY_BYTES_MAX {
        return Err(Status::BadArgument.into());
    }
    let body = Bytes::copy_from_slice(body);
    // The address is tried before anything happens.
    put_u32(caller, token_to, 0)?;
    let complete = [":method", ":path", ":authority"].into_iter().all(|name| headers.first(name).is_some());
    let guest = caller.data_mut();
    // As Envoy: a negative time is refused, none means as long as it takes.
    if !complete || !guest.filter.spec.upstreams.contains(&upstream) || wanted.timeout > i32::MAX as u32 {
        return Err(Status::BadArgument.into());
    }
    if guest.calls.len() >= CALLS_MAX {
        return Err(Status::InternalFailure.into());
    }
    let timeout = match wanted.timeout {
        0 => CALL_TIME_MAX,
        milliseconds => Duration::from_millis(milliseconds.into()).min(CALL_TIME_MAX),
    };
    let token = guest.new_call();
    let call = HttpCall { token, generation: guest.generation, upstream, headers, body, trailers, timeout };
    if guest.outbox.send(call).is_err() {
        guest.calls.remove(&token);
        return Err(Status::InternalFailure.into());
    }
    count(&guest.filter.counters.calls);
    Ok(put_u32(caller, token_to, token)?)
}

fn lines(caller: &Caller<'_, Guest>, from: (u32, u32)) -> Result<Headers, Fault> {
    let lines = pairs::read(slice(caller, from.0, from.1)?).filter(Headers::fits);
    lines.ok_or(Status::BadArgument.into())
}
