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
use weir_bench_policy::rules;

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

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Questions {
    /// The workload that they are for.
    pub workload: &'static str,
    /// Whether the proxy sends header lines; else it joins them into a map.
    pub raw_headers: bool,
    /// About which policies they are.
    pub about: About,
}

/// What decides whether a request is denied; one in five is.
#[derive(Clone, Copy, Debug)]
pub enum About {
    /// The sample's policies.
    Sample,
    /// [`rules::yaml`] of that many policies, and rules in each: the requests are spread over all of them.
    Rules(usize, usize),
}

impl About {
    /// Principal and path of the n-th request.
    fn nth(self, n: u64) -> (String, String) {
        match self {
            About::Sample => {
                let denied = n.is_multiple_of(5);
                let path = if denied { format!("/admin/{n}") } else { format!("/api/v1/items/{n}?page={n}") };
                ("cluster.local/ns/shop/sa/frontend".to_owned(), path)
            }
            About::Rules(policies, each) => {
                let asked = rules::nth(n as usize, policies, each);
                (asked.principal, asked.path)
            }
        }
    }
}

/// The n-th request: nothing about it repeats.
#[must_use]
pub fn request(n: u64, questions: Questions) -> CheckRequest {
    let Questions { workload, raw_headers, about } = questions;
    let (principal, path) = about.nth(n);
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
            source: Some(peer("10.0.0.7", 20_000 + (n % 40_000) as u32, &format!("spiffe://{principal}"))),
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
pub async fn load(address: &str, first: u64, count: u64, questions: Questions) -> Seen {
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
                    let answer = client.check(request(first + n, questions)).await.expect("an answer").into_inner();
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
