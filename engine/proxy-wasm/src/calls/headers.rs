//! Header maps: of the request, of the response, of the response to a call.

use wasmtime::{Caller, Linker};

use super::ENV;
use crate::AbiVersion;
use crate::abi::{Fault, MapType, Outcome, Status, number};
use crate::guest::Guest;
use crate::headers::Headers;
use crate::memory::{copy, give, put_u32, slice, text};
use crate::pairs;
use crate::transaction::Scene;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        ENV,
        "proxy_get_header_map_value",
        |mut caller: Caller<'_, Guest>, (map, key, key_len, to, len_to): (u32, u32, u32, u32, u32)| {
            Box::new(async move { number(get_value(&mut caller, map, (key, key_len), (to, len_to)).await) })
        },
    )?;
    linker.func_wrap_async(
        ENV,
        "proxy_get_header_map_pairs",
        |mut caller: Caller<'_, Guest>, (map, to, len_to): (u32, u32, u32)| {
            Box::new(async move { number(get_pairs(&mut caller, map, (to, len_to)).await) })
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_add_header_map_value",
        |mut caller: Caller<'_, Guest>, map: u32, key: u32, key_len: u32, value: u32, value_len: u32| {
            number(change(&mut caller, map, (key, key_len), (value, value_len), Headers::add))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_replace_header_map_value",
        |mut caller: Caller<'_, Guest>, map: u32, key: u32, key_len: u32, value: u32, value_len: u32| {
            number(change(&mut caller, map, (key, key_len), (value, value_len), Headers::replace))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_remove_header_map_value",
        |mut caller: Caller<'_, Guest>, map: u32, key: u32, key_len: u32| {
            let remove = |headers: &mut Headers, name: &str, _: &[u8]| {
                headers.remove(name);
                true
            };
            number(change(&mut caller, map, (key, key_len), (0, 0), remove))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_header_map_pairs",
        |mut caller: Caller<'_, Guest>, map: u32, from: u32, len: u32| number(set_pairs(&mut caller, map, (from, len))),
    )?;
    linker.func_wrap(ENV, "proxy_get_header_map_size", |mut caller: Caller<'_, Guest>, map: u32, to: u32| {
        number(get_size(&mut caller, map, to))
    })?;
    Ok(())
}

/// Reads the map; none when the filter may not see it now.
fn read<T>(guest: &Guest, map: MapType, look: impl FnOnce(&Headers) -> T) -> Option<T> {
    match map {
        MapType::CallHeaders => guest.answered.as_ref().map(|answer| look(&answer.headers)),
        MapType::CallTrailers => guest.answered.as_ref().map(|answer| look(&answer.trailers)),
        MapType::Grpc => None,
        _ => {
            let context = guest.speaking().filter(|context| context.may_read(map))?;
            let mut scene = context.transaction.scene();
            of_scene(&mut scene, map).map(|headers| look(headers))
        }
    }
}

/// Writes the map.
fn write(guest: &mut Guest, map: MapType, change: impl FnOnce(&mut Headers) -> bool) -> Outcome {
    let context = guest.speaking_mut().ok_or(Status::BadArgument)?;
    if !context.may_write(map) {
        return Err(Status::BadArgument.into());
    }
    let mut scene = context.transaction.scene();
    match of_scene(&mut scene, map).map(change) {
        Some(true) => Ok(()),
        // More than the limit.
        Some(false) => Err(Status::InternalFailure.into()),
        None => Err(Status::BadArgument.into()),
    }
}

fn of_scene(scene: &mut Scene, map: MapType) -> Option<&mut Headers> {
    Some(match map {
        MapType::RequestHeaders => &mut scene.request_headers,
        MapType::RequestTrailers => &mut scene.request_trailers,
        MapType::ResponseHeaders => &mut scene.response_headers,
        MapType::ResponseTrailers => &mut scene.response_trailers,
        _ => return None,
    })
}

async fn get_value(caller: &mut Caller<'_, Guest>, map: u32, key: (u32, u32), to: (u32, u32)) -> Outcome {
    let map = MapType::read(map)?;
    let key = text(caller, key.0, key.1)?.to_ascii_lowercase();
    // As Envoy: of several lines the first.
    let found =
        read(caller.data(), map, |headers| headers.first(&key).map(<[u8]>::to_vec)).ok_or(Status::BadArgument)?;
    let value = match found {
        Some(value) => value,
        None if caller.data().filter.abi() == AbiVersion::V0_1_0 => Vec::new(),
        None => return Err(Status::NotFound.into()),
    };
    give(caller, &value, to.0, to.1).await
}

async fn get_pairs(caller: &mut Caller<'_, Guest>, map: u32, to: (u32, u32)) -> Outcome {
    let map = MapType::read(map)?;
    let written = |headers: &Headers| match headers.is_empty() {
        true => Vec::new(),
        false => pairs::write(headers.iter().map(|(name, value)| (name.as_bytes(), value))),
    };
    // As Envoy: a map that is not there reads as an empty one.
    let all = read(caller.data(), map, written).unwrap_or_default();
    give(caller, &all, to.0, to.1).await
}

fn change(
    caller: &mut Caller<'_, Guest>,
    map: u32,
    key: (u32, u32),
    value: (u32, u32),
    how: impl FnOnce(&mut Headers, &str, &[u8]) -> bool,
) -> Outcome {
    let map = MapType::read(map)?;
    let (key, value) = (text(caller, key.0, key.1)?, copy(caller, value.0, value.1)?);
    write(caller.data_mut(), map, |headers| how(headers, &key, &value))
}

fn set_pairs(caller: &mut Caller<'_, Guest>, map: u32, from: (u32, u32)) -> Outcome {
    let map = MapType::read(map)?;
    let with = pairs::read(slice(caller, from.0, from.1)?).ok_or(Status::BadArgument)?;
    write(caller.data_mut(), map, |headers| headers.replace_all(with))
}

fn get_size(caller: &mut Caller<'_, Guest>, map: u32, to: u32) -> Outcome {
    let map = MapType::read(map)?;
    let size = read(caller.data(), map, Headers::bytes).ok_or(Status::BadArgument)?;
    put_u32(caller, to, size as u32).map_err(Fault::from)
}
