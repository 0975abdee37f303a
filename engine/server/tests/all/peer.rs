//! PeerAuthentication at every door: what must be authenticated is told to proxies, and denied when it is not.

use envoy_types::pb::envoy::{
    config::core::v3::{Address, SocketAddress, address::Address as Kind, socket_address::PortSpecifier},
    service::auth::v3::{attribute_context::Peer, authorization_client::AuthorizationClient},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use weir_attributes::{Slot, slot};
use weir_proto::v1::{
    Attribute, Attributes, CheckRequest, PeerMode, WatchRequest, Workload, attribute::Value,
    policy_client::PolicyClient, snapshots_client::SnapshotsClient, stream_response::Message,
};

use crate::{engine::Engine, ext_authz::check};

/// STRICT for the workload, but for its port 9000.
const STRICT: &str = "
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  mtls: {mode: STRICT}
  portLevelMtls: {9000: {mode: DISABLE}}
";

const PRINCIPAL: &str = "cluster.local/ns/shop/sa/web";

/// Principal, port, and whether it may pass.
const ROWS: [(Option<&str>, u16, bool); 5] = [
    (Some(PRINCIPAL), 8080, true),
    (None, 8080, false),
    (Some(""), 8080, false),
    (None, 9000, true),
    (Some(PRINCIPAL), 9000, true),
];

async fn strict() -> Engine {
    let engine = Engine::start().await;
    engine.reconfigure(|policies| format!("{policies}{STRICT}")).await;
    engine
}

fn peer(principal: Option<&str>, port: u16) -> Peer {
    let socket = SocketAddress {
        address: "10.0.0.1".into(),
        port_specifier: Some(PortSpecifier::PortValue(port.into())),
        ..Default::default()
    };
    let address = Some(Address { address: Some(Kind::SocketAddress(socket)) });
    let principal = principal.filter(|text| !text.is_empty()).map(|text| format!("spiffe://{text}"));
    Peer { address, principal: principal.unwrap_or_default(), ..Default::default() }
}

#[tokio::test]
async fn envoys_question_without_a_peer_is_denied_under_strict() {
    let engine = strict().await;
    let mut client = AuthorizationClient::new(engine.channel().await);
    for (principal, port, expected) in ROWS {
        let mut request = check("GET", &[]);
        let attributes = request.attributes.as_mut().unwrap();
        attributes.source = Some(peer(principal, 4000));
        attributes.destination = Some(peer(None, port));
        let answer = client.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status.unwrap().code == 0, expected, "{principal:?} {port}");
    }
    let told = check("GET", &[("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/web")]);
    let answer = client.check(told).await.unwrap().into_inner();
    assert_ne!(answer.status.unwrap().code, 0, "neither a peer nor a port, and a header is no identity");
}

fn text(slot: Slot, text: &str) -> Attribute {
    Attribute { number: slot.attribute().wire, value: Some(Value::Text(text.into())) }
}

fn native(id: u64, principal: Option<&str>, port: u16) -> CheckRequest {
    let mut attributes = vec![text(slot::REQUEST_METHOD, "GET"), text(slot::REQUEST_PATH, "/items")];
    attributes.push(text(slot::DESTINATION_ADDRESS, &format!("10.0.0.1:{port}")));
    attributes.extend(principal.map(|principal| text(slot::SOURCE_PRINCIPAL, principal)));
    let attributes = Attributes { attributes, ..Default::default() };
    CheckRequest { id, attributes: Some(attributes), ..Default::default() }
}

#[tokio::test]
async fn weirs_own_question_without_a_peer_is_denied_under_strict_in_both_ways() {
    let engine = strict().await;
    let mut client = PolicyClient::new(engine.channel().await);
    let (checks, receiver) = mpsc::channel(8);
    let mut answers = client.check_stream(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    answers.message().await.unwrap();
    for (principal, port, expected) in ROWS {
        let told = client.check(native(1, principal, port)).await.unwrap().into_inner();
        checks.send(native(1, principal, port)).await.unwrap();
        let Some(Message::Check(streamed)) = answers.message().await.unwrap().unwrap().message else {
            panic!("an answer is due")
        };
        for answer in [told, streamed] {
            assert_eq!(answer.status == 200, expected, "{principal:?} {port}");
            assert!(expected || answer.reason == "peer-not-authenticated", "{}", answer.reason);
        }
    }
}

#[tokio::test]
async fn a_proxy_is_told_the_modes_of_its_workload_at_once_and_whenever_they_change() {
    let engine = Engine::start().await;
    let mut client = SnapshotsClient::new(engine.channel().await);
    let (requests, receiver) = mpsc::channel(8);
    let mut answers = client.watch(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    let of = |name: &str| WatchRequest {
        workload: Some(Workload { name: name.into(), ..Default::default() }),
        ..Default::default()
    };
    requests.send(of("shop/cart")).await.unwrap();
    let first = answers.message().await.unwrap().unwrap();
    assert_eq!(first.snapshot, &*engine.runtime.snapshot_version());
    assert_eq!(first.peers.unwrap().mode(), PeerMode::Unset);

    let version = engine.reconfigure(|policies| format!("{policies}{STRICT}")).await;
    let second = answers.message().await.unwrap().unwrap();
    let peers = second.peers.unwrap();
    assert_eq!((second.snapshot, peers.mode()), (version, PeerMode::Strict));
    assert_eq!(peers.ports.into_iter().collect::<Vec<_>>(), [(9000, PeerMode::Disable.into())]);

    requests.send(of("shop/nobody")).await.unwrap();
    let third = answers.message().await.unwrap().unwrap();
    assert_eq!(third.peers, None, "nobody knows that workload");
    drop(requests);
    assert!(answers.message().await.unwrap().is_none());
}
