//! The walk against prost, which reads the same frames from the same definitions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;

use envoy_types::pb::{
    envoy::{
        config::core::v3::{
            Address, HeaderMap, HeaderValue, Pipe, SocketAddress, address, socket_address::PortSpecifier,
        },
        service::auth::v3::{
            AttributeContext, CheckRequest,
            attribute_context::{HttpRequest, Peer, Request, TlsSession},
        },
    },
    google::protobuf::Timestamp,
};
use proptest::prelude::*;
use prost::Message as _;
use weir_attributes::{Bag, slot};

use super::*;

/// A small generator with a seed (splitmix64), for frames that must be the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

fn socket(address: &str, port: Option<PortSpecifier>) -> Address {
    let socket = SocketAddress { address: address.into(), port_specifier: port, ..Default::default() };
    Address { address: Some(address::Address::SocketAddress(socket)) }
}

fn sample() -> CheckRequest {
    let header =
        |name: &str, value: &[u8]| HeaderValue { key: name.into(), raw_value: value.to_vec(), ..Default::default() };
    let lines = vec![header(":path", b"/cart?x=1"), header("X-Role", b"user"), header("x-role", b"adm\xffin")];
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(Peer {
                address: Some(socket("10.0.0.1", Some(PortSpecifier::PortValue(4711)))),
                principal: "spiffe://cluster.local/ns/shop/sa/web".into(),
                ..Default::default()
            }),
            destination: Some(Peer {
                address: Some(socket("2001:db8::1", Some(PortSpecifier::PortValue(80)))),
                principal: "spiffe://cluster.local/ns/shop/sa/cart".into(),
                ..Default::default()
            }),
            request: Some(Request {
                time: Some(Timestamp { seconds: 1_700_000_000, nanos: 5 }),
                http: Some(HttpRequest {
                    id: "77".into(),
                    method: "GET".into(),
                    path: "/cart?x=1".into(),
                    host: "cart.shop:80".into(),
                    scheme: "http".into(),
                    protocol: "HTTP/1.1".into(),
                    header_map: Some(HeaderMap { headers: lines }),
                    ..Default::default()
                }),
            }),
            context_extensions: HashMap::from([("weir.workload".into(), "shop/cart".into()), ("a".into(), "b".into())]),
            tls_session: Some(TlsSession { sni: "cart.shop".into() }),
            ..Default::default()
        }),
    }
}

#[test]
fn a_check_becomes_attributes() {
    let frame = sample().encode_to_vec();
    let facts = decode(&frame).unwrap();
    assert_eq!(facts.claim().workload, Some("shop/cart"));
    let (bag, refusal) = facts.fill(frame.len());
    assert_eq!(refusal, None);
    for (slot, expected) in [
        (slot::REQUEST_METHOD, "GET"),
        (slot::REQUEST_PATH, "/cart?x=1"),
        (slot::REQUEST_HOST, "cart.shop:80"),
        (slot::REQUEST_ID, "77"),
        (slot::SOURCE_ADDRESS, "10.0.0.1:4711"),
        (slot::SOURCE_PRINCIPAL, "cluster.local/ns/shop/sa/web"),
        (slot::CONNECTION_URI_SAN_PEER_CERTIFICATE, "spiffe://cluster.local/ns/shop/sa/web"),
        (slot::DESTINATION_ADDRESS, "[2001:db8::1]:80"),
        (slot::DESTINATION_PRINCIPAL, "cluster.local/ns/shop/sa/cart"),
        (slot::CONNECTION_REQUESTED_SERVER_NAME, "cart.shop"),
    ] {
        assert_eq!(bag.str(slot), Some(expected), "{}", slot.attribute().name);
    }
    assert_eq!(bag.int(slot::REQUEST_TIME), Some(1_700_000_000_000_000_005));
    assert_eq!(bag.bool(slot::CONNECTION_MTLS), Some(true));
    assert_eq!(bag.headers().lines("x-role").collect::<Vec<_>>(), ["user", "adm\u{fffd}in"]);
    assert!(!bag.headers().joined_by_proxy() && !bag.headers().contains(":path"));
}

#[test]
fn a_principal_that_is_no_spiffe_uri_is_no_identity_but_shows_a_certificate() {
    for (principal, certificate, mtls) in
        [("cart.shop.svc", "", true), ("CN=spiffe://a/ns/b/sa/c", "", true), ("", "pem", true), ("", "", false)]
    {
        let mut check = sample();
        let source = check.attributes.as_mut().unwrap().source.as_mut().unwrap();
        (source.principal, source.certificate) = (principal.into(), certificate.into());
        let (bag, _) = decode(&check.encode_to_vec()).unwrap().fill(0);
        assert_eq!(bag.str(slot::SOURCE_PRINCIPAL), None, "{principal}");
        assert_eq!(bag.bool(slot::CONNECTION_MTLS), Some(mtls), "{principal}");
    }
}

#[test]
fn pipes_and_named_ports_are_no_port() {
    let pipe = Address { address: Some(address::Address::Pipe(Pipe { path: "/run/a".into(), mode: 0 })) };
    let named = socket("10.0.0.1", Some(PortSpecifier::NamedPort("http".into())));
    for (address, expected) in [(Some(pipe), None), (Some(named), Some("10.0.0.1")), (None, None)] {
        let mut check = sample();
        check.attributes.as_mut().unwrap().source.as_mut().unwrap().address = address;
        let (bag, _) = decode(&check.encode_to_vec()).unwrap().fill(0);
        assert_eq!(bag.str(slot::SOURCE_ADDRESS), expected);
    }
}

#[test]
fn what_is_malformed_is_named_by_field_and_offset() {
    let http = |http: &[u8]| {
        let wrap = |number: u8, inner: &[u8]| [&[number << 3 | 2, inner.len() as u8], inner].concat();
        wrap(1, &wrap(4, &wrap(2, http)))
    };
    for (frame, expected) in [
        (
            http(&[0x1a, 0, 0x1a, 0, 0x1a, 4, 0x0a, 9, b'a', b'b']),
            "attributes.request.http.headers[2].key: truncated length at offset 13",
        ),
        (http(&[0x12, 9]), "attributes.request.http.method: truncated length at offset 7"),
        (http(&[0x10, 9]), "attributes.request.http.method: wire type Varint where Length is due at offset 6"),
        (http(&[0x22, 1, 0xff]), "attributes.request.http.path: string is not UTF-8 at offset 8"),
        (http(&[0x6a, 3, 0x0a, 2, 0x22]), "attributes.request.http.header_map.headers[0]"),
        (http(&[0xa3, 0x06]), "attributes.request.http: a group, which proto3 does not have, at offset 6"),
        (http(&[0x9a, 0x06, 9]), "attributes.request.http.(field 99): truncated length at offset 8"),
    ] {
        let fault = decode(&frame).unwrap_err().to_string();
        assert!(fault.starts_with(expected), "{fault}");
    }
    let mut check = sample();
    check.attributes.as_mut().unwrap().source.as_mut().unwrap().address =
        Some(socket("10.0.0.1", Some(PortSpecifier::PortValue(70_000))));
    let fault = decode(&check.encode_to_vec()).unwrap_err().to_string();
    assert!(fault.starts_with("attributes.source.address.socket_address.port_value: port above 65535"), "{fault}");
}

#[test]
fn a_frame_cut_at_any_byte_is_a_fault_or_what_prost_reads() {
    let frame = sample().encode_to_vec();
    for length in 0..frame.len() {
        agree(&frame[..length]);
    }
}

#[test]
fn malformed_frames_are_refused_where_prost_refuses_them() {
    let (whole, mut random) = (sample().encode_to_vec(), Random(1));
    let mut refused = 0;
    for _ in 0..2000 {
        let mut frame = whole.clone();
        for _ in 0..=random.below(3) {
            let place = random.below(frame.len());
            match random.below(4) {
                0 => frame[place] = random.below(256) as u8,
                1 => frame[place] ^= 1 << random.below(8),
                2 => frame.truncate(place + 1),
                _ => frame.insert(place, random.below(256) as u8),
            }
        }
        refused += usize::from(!agree(&frame));
    }
    assert!(refused > 200, "only {refused} frames were malformed");
}

/// Both refuse the frame, or both read the same; true when they read it. The walk alone refuses groups and ports that
/// are none, and prost alone looks into fields that a check does not need.
fn agree(frame: &[u8]) -> bool {
    match (decode(frame), CheckRequest::decode(frame)) {
        (Ok(facts), Ok(check)) => {
            same(&facts, &check);
            true
        }
        (Ok(facts), Err(_)) => {
            let _ = facts.fill(frame.len());
            true
        }
        (Err(fault), Ok(_)) => {
            let text = fault.to_string();
            assert!(text.contains("group") || text.contains("port above"), "{text}: {frame:x?}");
            false
        }
        (Err(_), Err(_)) => false,
    }
}

fn peer(peer: &Peer) -> super::Peer<'_> {
    let (address, port) = match peer.address.as_ref().and_then(|address| address.address.as_ref()) {
        Some(address::Address::SocketAddress(socket)) => match socket.port_specifier {
            Some(PortSpecifier::PortValue(port)) => (socket.address.as_str(), port as u16),
            _ => (socket.address.as_str(), 0),
        },
        _ => ("", 0),
    };
    super::Peer { address, port, principal: &peer.principal, has_certificate: !peer.certificate.is_empty() }
}

/// The walk and prost read the same; a map that prost made has no order and each key once.
fn same(facts: &Facts<'_>, check: &CheckRequest) {
    let Some(attributes) = &check.attributes else { return assert!(facts.http.is_none()) };
    for (ours, theirs) in [(&facts.source, &attributes.source), (&facts.destination, &attributes.destination)] {
        assert_eq!(format!("{ours:?}"), format!("{:?}", theirs.as_ref().map(peer)));
    }
    let extension = |name: &str| attributes.context_extensions.get(name).map(String::as_str);
    assert_eq!(facts.workload, extension("weir.workload"));
    assert_eq!(facts.namespace, extension("weir.namespace"));
    assert_eq!(facts.labels, extension("weir.labels"));
    assert_eq!(facts.sni, attributes.tls_session.as_ref().map_or("", |session| &session.sni));
    let request = attributes.request.as_ref();
    let time = request.and_then(|request| request.time).map(|time| (time.seconds, time.nanos));
    assert_eq!(facts.time.map(|time| (time.seconds, time.nanos)), time);
    let (Some(ours), Some(theirs)) = (&facts.http, request.and_then(|request| request.http.as_ref())) else {
        return assert!(facts.http.is_none() && request.and_then(|request| request.http.as_ref()).is_none());
    };
    assert_eq!(
        (ours.id, ours.method, ours.path, ours.host),
        (&*theirs.id, &*theirs.method, &*theirs.path, &*theirs.host)
    );
    assert_eq!((ours.scheme, ours.query, ours.protocol), (&*theirs.scheme, &*theirs.query, &*theirs.protocol));
    assert_eq!(ours.size, theirs.size);
    let lines = |line: &HeaderValue| match line.raw_value.is_empty() {
        true => (line.key.clone(), line.value.clone().into_bytes()),
        false => (line.key.clone(), line.raw_value.clone()),
    };
    let expected = theirs.header_map.iter().flat_map(|map| map.headers.iter().map(lines)).collect::<Vec<_>>();
    assert_eq!(ours.lines.iter().map(|line| (line.name.to_owned(), line.value.to_vec())).collect::<Vec<_>>(), expected);
    let last = ours.joined.iter().map(|line| (line.name, line.value)).collect::<HashMap<_, _>>();
    let expected = theirs.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    assert_eq!(last, expected);
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z-]{1,8}",
        Just("x-role".to_owned()),
        Just(":path".to_owned()),
        Just("content-length".to_owned())
    ]
}

fn peers() -> impl Strategy<Value = Option<Peer>> {
    let port = prop_oneof![
        any::<u16>().prop_map(|port| Some(PortSpecifier::PortValue(port.into()))),
        Just(Some(PortSpecifier::NamedPort("http".into()))),
        Just(None),
    ];
    let address = prop_oneof![Just("10.0.0.1"), Just("::1"), Just(""), Just("not an address")];
    let principal = prop_oneof![Just("spiffe://td/ns/a/sa/b"), Just("a.b"), Just(""), Just("spiffe://")];
    let made = (address, port, principal, "[a-z]{0,3}").prop_map(|(address, port, principal, certificate)| Peer {
        address: Some(socket(address, port)),
        principal: principal.into(),
        certificate,
        service: "s".into(),
        ..Default::default()
    });
    proptest::option::of(made)
}

fn https() -> impl Strategy<Value = HttpRequest> {
    let value = HeaderValueStrategy::default();
    let texts = ("[A-Z]{0,4}", "(/[a-z?&=.%]{0,20})?", "[a-z.]{0,6}", ".{0,4}", "[a-z=]{0,4}");
    (
        texts,
        proptest::collection::hash_map(names(), "[ -~]{0,10}", 0..6),
        proptest::option::of(proptest::collection::vec((names(), value.0, any::<bool>()), 0..40)),
        any::<i64>(),
    )
        .prop_map(|((method, path, host, id, query), headers, lines, size)| HttpRequest {
            method,
            path,
            host,
            id,
            query,
            headers,
            size,
            body: "body".into(),
            header_map: lines.map(|lines| HeaderMap {
                headers: lines
                    .into_iter()
                    .map(|(key, value, raw)| match raw {
                        true => HeaderValue { key, raw_value: value, ..Default::default() },
                        false => {
                            HeaderValue { key, value: String::from_utf8_lossy(&value).into(), ..Default::default() }
                        }
                    })
                    .collect(),
            }),
            ..Default::default()
        })
}

struct HeaderValueStrategy(BoxedStrategy<Vec<u8>>);

impl Default for HeaderValueStrategy {
    fn default() -> Self {
        Self(proptest::collection::vec(any::<u8>(), 0..8).boxed())
    }
}

fn checks() -> impl Strategy<Value = CheckRequest> {
    let time = proptest::option::of((any::<i64>(), any::<i32>()));
    let extensions = proptest::collection::hash_map(
        prop_oneof![Just("weir.workload"), Just("weir.namespace"), Just("weir.labels"), Just("other")],
        "[a-z=,/]{0,8}",
        0..4,
    );
    (peers(), peers(), proptest::option::of(https()), time, extensions).prop_map(
        |(source, destination, http, time, extensions)| CheckRequest {
            attributes: Some(AttributeContext {
                source,
                destination,
                request: Some(Request { http, time: time.map(|(seconds, nanos)| Timestamp { seconds, nanos }) }),
                context_extensions: extensions.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                ..Default::default()
            }),
        },
    )
}

fn headers_of(bag: &Bag) -> Vec<(String, String)> {
    let mut headers = bag.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>();
    headers.sort();
    headers
}

proptest! {
    #[test]
    fn the_walk_reads_what_prost_reads(check in checks(), unknown in proptest::collection::vec(any::<u8>(), 0..5)) {
        let mut frame = check.encode_to_vec();
        // A field that nobody knows, number 99.
        frame.extend([0x9a, 0x06, unknown.len() as u8]);
        frame.extend(unknown);
        let facts = decode(&frame).unwrap();
        same(&facts, &check);
        let (bag, refusal) = facts.fill(frame.len());
        let Some(http) = check.attributes.and_then(|all| all.request).and_then(|request| request.http) else {
            prop_assert_eq!(refusal, Some(crate::refusal::Refusal::NotHttp));
            return Ok(());
        };
        let raw = http.header_map.as_ref().is_some_and(|map| !map.headers.is_empty());
        prop_assert_eq!(bag.headers().joined_by_proxy(), !raw);
        if refusal.is_none() {
            let text = |line: &HeaderValue| match line.raw_value.is_empty() {
                true => line.value.clone(),
                false => String::from_utf8_lossy(&line.raw_value).into_owned(),
            };
            let lines: Vec<(String, String)> = match raw {
                true => http.header_map.iter().flat_map(|map| map.headers.iter().map(|line| (line.key.clone(), text(line)))).collect(),
                false => http.headers.into_iter().collect(),
            };
            let mut expected = lines
                .into_iter()
                .filter(|(name, _)| !name.starts_with(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
                .collect::<Vec<_>>();
            expected.sort();
            prop_assert_eq!(headers_of(&bag), expected);
        }
    }
}
