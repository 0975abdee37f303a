//! Authorizers in this process, asked over real connections.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod authorizer;
mod grpc;
mod http;
mod reload;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use weir_attributes::{Bag, slot};
use weir_policy::{BodyLimit, Endpoint, HeaderOperation, HttpExchange, Provider, Side, Transport};
use weir_providers::Client;

/// Long enough for a busy machine.
fn patience() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// A port of this machine.
fn endpoint(port: u16) -> Endpoint {
    Endpoint { host: "localhost".into(), port, timeout: None, body: None }
}

fn limit(max: usize, partial: bool, as_bytes: bool) -> Option<BodyLimit> {
    Some(BodyLimit { max, partial, as_bytes })
}

fn provider(transport: Transport) -> Arc<Provider> {
    Arc::new(Provider { name: "authz".into(), transport, fail_open: false, status_on_error: 403 })
}

fn client(transport: Transport) -> Client {
    Client::new(provider(transport)).unwrap().unwrap()
}

fn over_http(port: u16, exchange: HttpExchange) -> Client {
    client(Transport::Http(endpoint(port), exchange))
}

/// `POST /buy?item=1` to `shop`, with a header of two lines.
fn request() -> Bag {
    let mut bag = Bag::builder()
        .text(slot::REQUEST_METHOD, "POST")
        .text(slot::REQUEST_PATH, "/buy?item=1")
        .text(slot::REQUEST_HOST, "shop:8080")
        .text(slot::REQUEST_SCHEME, "https")
        .text(slot::SOURCE_ADDRESS, "10.0.0.7:40000")
        .text(slot::SOURCE_PRINCIPAL, "cluster.local/ns/shop/sa/web")
        .text(slot::DESTINATION_ADDRESS, "[2001:db8::1]:8080")
        .text(slot::CONNECTION_REQUESTED_SERVER_NAME, "shop.example")
        .header("authorization", "Bearer x")
        .header("x-role", "user")
        .header("X-Role", "admin")
        .header("x-other", "1")
        .build();
    bag.set_body("\u{e9}tude".as_bytes());
    bag
}

/// Operations as text: `request set x-user ada`.
fn told(operations: &[HeaderOperation]) -> Vec<String> {
    let side = |side: &Side| if *side == Side::Request { "request" } else { "response" };
    let told = |operation: &HeaderOperation| match operation {
        HeaderOperation::Set(on, name, value) => format!("{} set {name} {value}", side(on)),
        HeaderOperation::Append(on, name, value) => format!("{} append {name} {value}", side(on)),
        HeaderOperation::Remove(on, name) => format!("{} remove {name}", side(on)),
    };
    operations.iter().map(told).collect()
}
