//! A bag as a `CheckRequest`, with what Envoy would have told.

use std::{collections::HashMap, time::SystemTime};

use envoy_types::pb::{
    envoy::{
        config::core::v3::{Address, SocketAddress, address, socket_address::PortSpecifier},
        service::auth::v3::{
            AttributeContext, CheckRequest,
            attribute_context::{HttpRequest, Peer, Request, TlsSession},
        },
    },
    google::protobuf::Timestamp,
};
use weir_attributes::{Bag, Slot, slot, split_address};
use weir_policy::Endpoint;

use crate::client::{PARTIAL_BODY, body};

const SPIFFE: &str = "spiffe://";
const NANOS: i64 = 1_000_000_000;

pub(super) fn question(bag: &Bag, endpoint: &Endpoint) -> CheckRequest {
    let sni = bag.str(slot::CONNECTION_REQUESTED_SERVER_NAME);
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(peer(bag, slot::SOURCE_ADDRESS, slot::SOURCE_PRINCIPAL)),
            destination: Some(peer(bag, slot::DESTINATION_ADDRESS, slot::DESTINATION_PRINCIPAL)),
            request: Some(Request { time: Some(time(bag)), http: http(bag, endpoint) }),
            tls_session: sni.map(|sni| TlsSession { sni: sni.to_owned() }),
            ..AttributeContext::default()
        }),
    }
}

fn peer(bag: &Bag, address: Slot, principal: Slot) -> Peer {
    let whole = bag.str(address).and_then(split_address).map(|(ip, port)| Address {
        address: Some(address::Address::SocketAddress(SocketAddress {
            address: ip.to_string(),
            port_specifier: Some(PortSpecifier::PortValue(port.unwrap_or_default().into())),
            ..SocketAddress::default()
        })),
    });
    let bare = bag.str(principal).map(|principal| principal.strip_prefix(SPIFFE).unwrap_or(principal));
    let san = bag.str(slot::CONNECTION_URI_SAN_PEER_CERTIFICATE).filter(|_| principal == slot::SOURCE_PRINCIPAL);
    let principal = san.map(str::to_owned).or(bare.map(|bare| format!("{SPIFFE}{bare}")));
    Peer { address: whole, principal: principal.unwrap_or_default(), ..Peer::default() }
}

/// When the request began; now when nobody told.
fn time(bag: &Bag) -> Timestamp {
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64);
    let nanos = bag.int(slot::REQUEST_TIME).unwrap_or_else(now);
    Timestamp { seconds: nanos.div_euclid(NANOS), nanos: nanos.rem_euclid(NANOS) as i32 }
}

/// None for a connection that carries no HTTP.
fn http(bag: &Bag, endpoint: &Endpoint) -> Option<HttpRequest> {
    let text = |slot: Slot| bag.str(slot).unwrap_or_default().to_owned();
    bag.str(slot::REQUEST_METHOD)?;
    let mut http = HttpRequest {
        id: text(slot::REQUEST_ID),
        method: text(slot::REQUEST_METHOD),
        headers: headers(bag),
        path: text(slot::REQUEST_PATH),
        host: text(slot::REQUEST_HOST),
        scheme: text(slot::REQUEST_SCHEME),
        size: bag.int(slot::REQUEST_SIZE).unwrap_or(-1),
        protocol: text(slot::REQUEST_PROTOCOL),
        ..HttpRequest::default()
    };
    if let Some((body, partial)) = body(endpoint, bag) {
        http.headers.insert(PARTIAL_BODY.to_owned(), partial.to_string());
        if endpoint.body.is_some_and(|limit| limit.as_bytes) {
            http.raw_body = body.into();
        } else {
            http.body = String::from_utf8_lossy(body).into_owned();
        }
    }
    Some(http)
}

/// Every header by its name, all its lines joined by commas as Envoy does (CVE-2021-32777: the last alone is not enough),
/// and the pseudo headers.
fn headers(bag: &Bag) -> HashMap<String, String> {
    let mut headers = HashMap::with_capacity(32);
    let pseudo = [
        (":method", slot::REQUEST_METHOD),
        (":path", slot::REQUEST_PATH),
        (":authority", slot::REQUEST_HOST),
        (":scheme", slot::REQUEST_SCHEME),
    ];
    for (name, slot) in pseudo {
        if let Some(value) = bag.str(slot) {
            headers.insert(name.to_owned(), value.to_owned());
        }
    }
    for (name, value) in bag.headers().iter() {
        match headers.get_mut(name) {
            None => drop(headers.insert(name.to_owned(), value.to_owned())),
            Some(joined) => {
                joined.push(',');
                joined.push_str(value);
            }
        }
    }
    headers
}
