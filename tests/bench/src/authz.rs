//! The check path: a real gRPC client asks `envoy.service.auth.v3.Authorization/Check`, every request another.

use std::collections::HashMap;

use envoy_types::pb::{
    envoy::{
        config::core::v3::{Address, HeaderMap, HeaderValue, SocketAddress, address, socket_address::PortSpecifier},
        service::auth::v3::{
            AttributeContext, CheckRequest,
            attribute_context::{HttpRequest, Peer, Request},
            authorization_client::AuthorizationClient,
        },
    },
    google::protobuf::Timestamp,
};
use tonic::transport::Channel;

/// Connections of the load, as a busy node's proxies would hold.
pub const CONNECTIONS: usize = 8;
/// Requests under way on each connection.
pub const STREAMS: usize = 16;

fn peer(address: &str, port: u32, principal: &str) -> Peer {
    let socket = SocketAddress {
        address: address.into(),
        port_specifier: Some(PortSpecifier::PortValue(port)),
        ..SocketAddress::default()
    };
    Peer {
        address: Some(Address { address: Some(address::Address::SocketAddress(socket)) }),
        principal: principal.into(),
        ..Peer::default()
    }
}

/// The n-th request: nothing about it repeats; one in five is for a path that the sample's policies deny.
#[must_use]
pub fn request(n: u64, raw_headers: bool, workload: &str) -> CheckRequest {
    let path = if n.is_multiple_of(5) { format!("/admin/{n}") } else { format!("/api/v1/items/{n}?page={n}") };
    let headers = [
        (":authority", "shop.example.com".to_owned()),
        (":method", "GET".to_owned()),
        (":path", path.clone()),
        (":scheme", "http".to_owned()),
        ("accept", "application/json".to_owned()),
        ("user-agent", "bench/1.0".to_owned()),
        ("x-request-id", format!("b2f7a9c4-0000-4000-8000-{n:012x}")),
        ("x-tenant", format!("tenant-{}", n % 1000)),
    ];
    let http = HttpRequest {
        id: n.to_string(),
        method: "GET".into(),
        path,
        host: "shop.example.com".into(),
        scheme: "http".into(),
        protocol: "HTTP/1.1".into(),
        headers: if raw_headers {
            HashMap::new()
        } else {
            headers.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
        },
        header_map: raw_headers.then(|| HeaderMap {
            headers: headers
                .iter()
                .map(|(name, value)| HeaderValue {
                    key: (*name).into(),
                    raw_value: value.clone().into(),
                    ..HeaderValue::default()
                })
                .collect(),
        }),
        ..HttpRequest::default()
    };
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(peer("10.0.0.7", 20_000 + (n % 40_000) as u32, "spiffe://cluster.local/ns/shop/sa/frontend")),
            destination: Some(peer("10.0.0.8", 8080, "spiffe://cluster.local/ns/shop/sa/cart")),
            request: Some(Request {
                time: Some(Timestamp { seconds: 1_700_000_000 + n as i64, nanos: 0 }),
                http: Some(http),
            }),
            context_extensions: HashMap::from([("weir.workload".to_owned(), workload.to_owned())]),
            ..AttributeContext::default()
        }),
    }
}

/// What the load saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Answers that allow.
    pub allowed: u64,
    /// Answers that deny.
    pub denied: u64,
}

/// Sends `count` requests from number `first` on and counts the answers.
pub async fn load(address: &str, first: u64, count: u64, raw_headers: bool, workload: &'static str) -> Seen {
    let mut tasks = Vec::new();
    let lanes = (CONNECTIONS * STREAMS) as u64;
    for connection in 0..CONNECTIONS {
        let channel = Channel::from_shared(format!("http://{address}"))
            .expect("an address")
            .connect()
            .await
            .expect("the server listens");
        for stream in 0..STREAMS {
            let mut client = AuthorizationClient::new(channel.clone());
            let lane = (connection * STREAMS + stream) as u64;
            tasks.push(tokio::spawn(async move {
                let mut seen = Seen::default();
                for n in (lane..count).step_by(lanes as usize) {
                    let answer =
                        client.check(request(first + n, raw_headers, workload)).await.expect("an answer").into_inner();
                    match answer.status.map_or(0, |status| status.code) {
                        0 => seen.allowed += 1,
                        _ => seen.denied += 1,
                    }
                }
                seen
            }));
        }
    }
    let mut all = Seen::default();
    for task in tasks {
        let seen = task.await.expect("a lane");
        all.allowed += seen.allowed;
        all.denied += seen.denied;
    }
    all
}
