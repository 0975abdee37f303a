//! An HTTP request as attributes, and what of them a plugin sees.

use std::net::SocketAddr;

use hyper::Request;
use weir_adapters::{Manifest, World};
use weir_attributes::{Bag, Value, slot};
use weir_policy::{Mesh, WorkloadIdentity, prepare};

/// The request, as one that is over with code 200: reports see that too.
pub(super) fn bag<B>(request: &Request<B>, from: SocketAddr) -> Result<Bag, String> {
    let mut bag = Bag::default();
    bag.set_text(slot::REQUEST_METHOD, request.method().as_str());
    bag.set_text(slot::REQUEST_PATH, request.uri().path_and_query().map_or("/", |path| path.as_str()));
    bag.set_text(slot::REQUEST_SCHEME, "http");
    bag.set_text(slot::SOURCE_ADDRESS, &from.to_string());
    bag.set_int(slot::RESPONSE_CODE, 200);
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        if name == http::header::HOST {
            bag.set_text(slot::REQUEST_HOST, &value);
        }
        bag.add_header(name.as_str(), &value);
    }
    let nowhere = WorkloadIdentity::new(None, "", Default::default(), None);
    prepare(&mut bag, &Mesh::default(), &nowhere).map_err(|invalid| invalid.to_string())?;
    Ok(bag)
}

/// The inputs that the manifest declares, with their values.
pub(super) fn inputs(manifest: &Manifest, bag: &Bag) -> Vec<String> {
    let of = |input: &weir_adapters::Input| {
        let value = bag.as_told().get(input.slot()?)?;
        Some(match (value, input.key()) {
            (Value::String(text), _) => format!("{text:?}"),
            (Value::Int(number) | Value::Timestamp(number) | Value::Duration(number), _) => number.to_string(),
            (Value::Bool(flag), _) => flag.to_string(),
            (Value::Map(map), Some(key)) => format!("{:?}", map.get(key)?),
            (Value::ListMap(lines), Some(key)) => format!("{:?}", lines.joined(key)?),
            (Value::Struct(map), Some(key)) => map.get(key)?.to_string(),
            (Value::ListMap(lines), None) => format!("{:?}", lines.names().collect::<Vec<_>>()),
            _ => "...".to_owned(),
        })
    };
    // Before the end of a request there is no response.
    let known = manifest
        .inputs
        .iter()
        .filter(|input| manifest.world == World::Report || input.slot() != Some(slot::RESPONSE_CODE));
    known.map(|input| format!("{input}={}", of(input).unwrap_or_else(|| "absent".to_owned()))).collect()
}
