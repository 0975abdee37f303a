//! Properties: what a path of names means, in Envoy's words and encodings.
//!
//! Numbers are 8 bytes in little-endian order, times and durations nanoseconds, truth one byte, maps lists of pairs.

mod request;
mod response;

use serde_json::Value as Json;
use weir_attributes::{Bag, Slot, slot, split_address};

use crate::abi::{MapType, Status};
use crate::context::Context;
use crate::filter::Filter;
use crate::headers::Headers;
use crate::pairs;

/// A value on its way to the filter.
pub(crate) type Encoded = Result<Vec<u8>, Status>;

/// `listener_direction`: the sidecar stands before its workload.
const INBOUND: i64 = 1;

/// The value at that path, whose names are separated by NUL.
pub(crate) fn get(filter: &Filter, context: Option<&Context>, path: &[u8]) -> Encoded {
    let path = path.strip_suffix(b"\0").unwrap_or(path);
    let names: Vec<&str> =
        path.split(|byte| *byte == 0).map(|name| std::str::from_utf8(name).unwrap_or("\u{fffd}")).collect();
    match (names.as_slice(), context) {
        (["plugin_name", rest @ ..], _) => leaf(rest, text(&filter.spec.name)),
        (["plugin_root_id", rest @ ..], _) => leaf(rest, text(&filter.spec.root_id)),
        (["plugin_vm_id", rest @ ..], _) => leaf(rest, text(&filter.spec.vm_id)),
        (["xds", rest @ ..], Some(_)) => configured(filter, rest),
        ([first, rest @ ..], Some(context)) => of_request(context, first, rest),
        _ => Err(Status::NotFound),
    }
}

/// `xds.*`, what the proxy's configuration says; Envoy 1.40 no longer knows these names without `xds`.
fn configured(filter: &Filter, rest: &[&str]) -> Encoded {
    let here = &filter.spec.surroundings;
    match rest {
        ["node", rest @ ..] => node(filter, rest),
        ["cluster_name", rest @ ..] => leaf(rest, text(&here.cluster_name)),
        ["route_name", rest @ ..] => leaf(rest, text(&here.route_name)),
        ["listener_direction", rest @ ..] => leaf(rest, int(INBOUND)),
        // A map that cannot be listed.
        [] => Err(Status::SerializationFailure),
        _ => Err(Status::NotFound),
    }
}

fn node(filter: &Filter, rest: &[&str]) -> Encoded {
    let here = &filter.spec.surroundings;
    match rest {
        [] => Ok(message(&[(1, &here.node_id), (2, &here.node_cluster)])),
        ["id", rest @ ..] => leaf(rest, text(&here.node_id)),
        ["cluster", rest @ ..] => leaf(rest, text(&here.node_cluster)),
        ["metadata"] => json(&Json::Object(here.node_metadata.clone())),
        ["metadata", name, rest @ ..] => {
            let mut value = here.node_metadata.get(*name).ok_or(Status::NotFound)?;
            for name in rest {
                value = match value {
                    Json::Object(map) => map.get(*name),
                    Json::Array(list) => name.parse::<usize>().ok().and_then(|index| list.get(index)),
                    _ => None,
                }
                .ok_or(Status::NotFound)?;
            }
            json(value)
        }
        _ => Err(Status::NotFound),
    }
}

fn of_request(context: &Context, first: &str, rest: &[&str]) -> Encoded {
    let scene = context.transaction.scene();
    let facts = &scene.facts;
    match (first, rest) {
        ("request", rest) => request::get(&scene, context.may_read(MapType::RequestHeaders), rest),
        ("response", rest) => response::get(&scene, rest),
        ("source", ["address"]) => fact_text(facts, slot::SOURCE_ADDRESS),
        ("source", ["port"]) => port(facts, slot::SOURCE_ADDRESS),
        ("destination", ["address"]) => fact_text(facts, slot::DESTINATION_ADDRESS),
        ("destination", ["port"]) => port(facts, slot::DESTINATION_ADDRESS),
        ("upstream", ["address"]) => fact_text(facts, slot::UPSTREAM_ADDRESS),
        ("upstream", ["port"]) => port(facts, slot::UPSTREAM_ADDRESS),
        ("connection", rest) => connection(facts, rest),
        ("connection_id", []) => connection(facts, &["id"]),
        ("source" | "destination" | "upstream", []) => Err(Status::SerializationFailure),
        (name, []) => scene.set.get(name.as_bytes()).cloned().ok_or(Status::NotFound),
        _ => Err(Status::NotFound),
    }
}

fn connection(facts: &Bag, rest: &[&str]) -> Encoded {
    match rest {
        ["id"] => facts.str(slot::CONNECTION_ID).and_then(|id| id.parse().ok()).map(uint).ok_or(Status::NotFound),
        [] => Err(Status::SerializationFailure),
        ["mtls"] => Ok(truth(facts.bool(slot::CONNECTION_MTLS).unwrap_or(false))),
        // As Envoy: there even when it is empty.
        ["requested_server_name"] => Ok(text(facts.str(slot::CONNECTION_REQUESTED_SERVER_NAME).unwrap_or_default())),
        ["tls_version"] => fact_text(facts, slot::CONNECTION_TLS_VERSION),
        ["uri_san_peer_certificate"] => fact_text(facts, slot::CONNECTION_URI_SAN_PEER_CERTIFICATE),
        ["uri_san_local_certificate"] => {
            let own = facts.str(slot::DESTINATION_PRINCIPAL).ok_or(Status::NotFound)?;
            Ok(text(&format!("spiffe://{own}")))
        }
        _ => Err(Status::NotFound),
    }
}

/// A value that has nothing inside.
fn leaf(rest: &[&str], value: Vec<u8>) -> Encoded {
    if rest.is_empty() { Ok(value) } else { Err(Status::NotFound) }
}

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn int(number: i64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn uint(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn truth(truth: bool) -> Vec<u8> {
    vec![truth.into()]
}

fn fact_text(facts: &Bag, slot: Slot) -> Encoded {
    facts.str(slot).map(text).ok_or(Status::NotFound)
}

fn fact_int(facts: &Bag, slot: Slot) -> Encoded {
    facts.int(slot).map(int).ok_or(Status::NotFound)
}

fn port(facts: &Bag, slot: Slot) -> Encoded {
    let port = facts.str(slot).and_then(split_address).and_then(|(_, port)| port);
    port.map(|port| int(port.into())).ok_or(Status::NotFound)
}

/// Header lines as a map from each name to its lines, joined; or what is inside of it.
fn map_of(headers: &Headers, rest: &[&str]) -> Encoded {
    match rest {
        [] => {
            let mut names: Vec<&str> = headers.iter().map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            let joined: Vec<_> = names.iter().map(|name| headers.joined(name).unwrap_or_default()).collect();
            let lines = names.iter().zip(&joined);
            Ok(pairs::write(lines.map(|(name, value)| (name.as_bytes(), value.as_slice()))))
        }
        [name] => headers.joined(&name.to_ascii_lowercase()).ok_or(Status::NotFound),
        _ => Err(Status::NotFound),
    }
}

/// JSON as a `google.protobuf.Value` comes out: numbers as 8 bytes of floating point, objects and lists as pairs.
fn json(value: &Json) -> Encoded {
    Ok(match value {
        Json::Null => return Err(Status::SerializationFailure),
        Json::Bool(value) => truth(*value),
        Json::Number(number) => number.as_f64().unwrap_or_default().to_le_bytes().to_vec(),
        Json::String(value) => text(value),
        Json::Array(list) => {
            let items = list.iter().map(json).collect::<Result<Vec<_>, _>>()?;
            pairs::write(items.iter().map(|item| (item.as_slice(), &b""[..])))
        }
        Json::Object(map) => {
            let values = map.values().map(json).collect::<Result<Vec<_>, _>>()?;
            pairs::write(map.keys().zip(&values).map(|(name, value)| (name.as_bytes(), value.as_slice())))
        }
    })
}

/// A protobuf message of short strings.
fn message(fields: &[(u8, &str)]) -> Vec<u8> {
    let mut all = Vec::new();
    for (number, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        all.push(number << 3 | 2);
        let mut length = value.len();
        while length > 0x7f {
            all.push(length as u8 | 0x80);
            length >>= 7;
        }
        all.push(length as u8);
        all.extend_from_slice(value.as_bytes());
    }
    all
}
