#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;

use envoy_types::pb::{
    envoy::{
        config::core::v3::{
            Address, Metadata, Node, Pipe, RequestMethod, SocketAddress, address, socket_address::PortSpecifier,
        },
        data::accesslog::v3::{
            AccessLogCommon, AccessLogType, HttpAccessLogEntry, HttpRequestProperties, HttpResponseProperties,
            ResponseFlags, TcpAccessLogEntry, TlsProperties,
            response_flags::Unauthorized,
            tls_properties::{
                CertificateProperties,
                certificate_properties::{SubjectAltName, subject_alt_name::San},
            },
        },
        service::accesslog::v3::stream_access_logs_message::{HttpAccessLogEntries, TcpAccessLogEntries},
    },
    google::protobuf::{Duration, Timestamp, UInt32Value, Value},
};
use weir_attributes::slot;

use super::*;

fn socket(ip: &str, port: u32) -> Option<Address> {
    let port = Some(PortSpecifier::PortValue(port));
    let socket = SocketAddress { address: ip.into(), port_specifier: port, ..Default::default() };
    Some(Address { address: Some(address::Address::SocketAddress(socket)) })
}

fn certificate(san: &str) -> Option<CertificateProperties> {
    let name = SubjectAltName { san: Some(San::Uri(san.into())) };
    Some(CertificateProperties { subject_alt_name: vec![name], ..Default::default() })
}

fn fields(pairs: &[(&str, &str)]) -> Struct {
    let value = |text: &str| Value { kind: Some(Kind::StringValue(text.into())) };
    Struct { fields: pairs.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect() }
}

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn checked(pairs: &[(&str, &str)]) -> Option<Metadata> {
    let filters = HashMap::from([("envoy.filters.http.ext_authz".to_owned(), fields(pairs))]);
    Some(Metadata { filter_metadata: filters, ..Default::default() })
}

fn sample() -> HttpAccessLogEntry {
    let millis = |count: i32| Some(Duration { seconds: 0, nanos: count * 1_000_000 });
    HttpAccessLogEntry {
        common_properties: Some(AccessLogCommon {
            downstream_remote_address: socket("9.9.9.9", 0),
            downstream_direct_remote_address: socket("10.0.0.1", 4711),
            downstream_local_address: socket("::1", 8443),
            upstream_remote_address: socket("10.0.0.2", 8080),
            start_time: Some(Timestamp { seconds: 10, nanos: 7 }),
            time_to_first_upstream_tx_byte: millis(2),
            time_to_first_upstream_rx_byte: millis(5),
            time_to_last_downstream_tx_byte: millis(6),
            duration: millis(7),
            tls_properties: Some(TlsProperties {
                tls_version: 4,
                tls_sni_hostname: "cart.shop".into(),
                peer_certificate_properties: certificate("spiffe://cluster.local/ns/shop/sa/web"),
                local_certificate_properties: certificate("spiffe://cluster.local/ns/shop/sa/cart"),
                ..Default::default()
            }),
            response_flags: Some(ResponseFlags {
                no_healthy_upstream: true,
                upstream_overflow: true,
                ..Default::default()
            }),
            metadata: checked(&[("decision_id", "ab"), ("decision", "allow"), ("reason", "allowed-by-rule")]),
            ..Default::default()
        }),
        protocol_version: 3,
        request: Some(HttpRequestProperties {
            request_method: RequestMethod::Post.into(),
            scheme: "https".into(),
            authority: "cart.shop".into(),
            path: "/rewritten".into(),
            original_path: "/items?x=1".into(),
            user_agent: "curl".into(),
            request_id: "r1".into(),
            request_headers_bytes: 100,
            request_body_bytes: 20,
            request_headers: map(&[
                ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                ("bad name", "x"),
            ]),
            ..Default::default()
        }),
        response: Some(HttpResponseProperties {
            response_code: Some(UInt32Value { value: 503 }),
            response_headers_bytes: 30,
            response_body_bytes: 4,
            response_code_details: "no_healthy_upstream".into(),
            response_trailers: map(&[("grpc-status", "14")]),
            ..Default::default()
        }),
    }
}

fn with(change: impl FnOnce(&mut AccessLogCommon)) -> HttpAccessLogEntry {
    let mut entry = sample();
    change(entry.common_properties.as_mut().unwrap());
    entry
}

#[test]
fn an_entry_becomes_attributes() {
    let bag = bag(sample()).unwrap().bag;
    for (slot, expected) in [
        (slot::REQUEST_METHOD, "POST"),
        (slot::REQUEST_PATH, "/items?x=1"),
        (slot::REQUEST_HOST, "cart.shop"),
        (slot::REQUEST_SCHEME, "https"),
        (slot::REQUEST_PROTOCOL, "HTTP/2"),
        (slot::REQUEST_ID, "r1"),
        (slot::SOURCE_ADDRESS, "10.0.0.1:4711"),
        (slot::SOURCE_PRINCIPAL, "cluster.local/ns/shop/sa/web"),
        (slot::DESTINATION_ADDRESS, "[::1]:8443"),
        (slot::DESTINATION_PRINCIPAL, "cluster.local/ns/shop/sa/cart"),
        (slot::UPSTREAM_ADDRESS, "10.0.0.2:8080"),
        (slot::CONNECTION_TLS_VERSION, "TLSv1.3"),
        (slot::CONNECTION_REQUESTED_SERVER_NAME, "cart.shop"),
        (slot::RESPONSE_FLAGS, "UH,UO"),
        (slot::RESPONSE_CODE_DETAILS, "no_healthy_upstream"),
        (slot::CHECK_ID, "ab"),
        (slot::CHECK_DECISION, "allow"),
        (slot::CHECK_REASON, "allowed-by-rule"),
        (slot::TRACE_ID, "0af7651916cd43dd8448eb211c80319c"),
        (slot::TRACE_PARENT_ID, "b7ad6b7169203331"),
    ] {
        assert_eq!(bag.str(slot), Some(expected), "{}", slot.attribute().name);
    }
    for (slot, expected) in [
        (slot::REQUEST_TIME, 10_000_000_007),
        (slot::REQUEST_DURATION, 6_000_000),
        (slot::RESPONSE_BACKEND_LATENCY, 3_000_000),
        (slot::REQUEST_SIZE, 20),
        (slot::REQUEST_TOTAL_SIZE, 120),
        (slot::RESPONSE_CODE, 503),
        (slot::RESPONSE_SIZE, 4),
        (slot::RESPONSE_TOTAL_SIZE, 34),
        (slot::RESPONSE_GRPC_STATUS, 14),
    ] {
        assert_eq!(bag.int(slot), Some(expected), "{}", slot.attribute().name);
    }
    assert_eq!(bag.bool(slot::CONNECTION_MTLS), Some(true));
    assert_eq!(bag.headers().joined("user-agent").as_deref(), Some("curl"));
    assert!(!bag.headers().contains("bad name"));
    let span = bag.str(slot::TRACE_SPAN_ID).unwrap();
    assert!(span.len() == 16 && span != "b7ad6b7169203331");
}

#[test]
fn an_empty_entry_is_a_report_without_facts_and_not_a_panic() {
    let bag = bag(HttpAccessLogEntry::default()).unwrap().bag;
    for slot in [slot::REQUEST_METHOD, slot::REQUEST_PATH, slot::RESPONSE_CODE, slot::TRACE_ID, slot::CHECK_DECISION] {
        assert!(bag.get(slot).is_none(), "{}", slot.attribute().name);
    }
    let pipe = Address { address: Some(address::Address::Pipe(Pipe { path: "/run/x".into(), mode: 0 })) };
    let piped = with(|common| common.downstream_direct_remote_address = Some(pipe));
    assert!(super::bag(piped).unwrap().bag.str(slot::SOURCE_ADDRESS).is_none());
}

#[test]
fn a_traceparent_that_is_not_one_is_no_trace() {
    for told in [
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
    ] {
        let mut entry = sample();
        entry.request.as_mut().unwrap().request_headers = map(&[("traceparent", told)]);
        assert!(bag(entry).unwrap().bag.str(slot::TRACE_ID).is_none(), "{told}");
    }
}

#[test]
fn the_decision_is_in_the_metadata_else_in_the_denials_header_else_it_failed() {
    let refused = ResponseFlags { unauthorized_details: Some(Unauthorized { reason: 1 }), ..Default::default() };
    let mut denied = with(|common| common.metadata = None);
    denied.response.as_mut().unwrap().response_headers = map(&[("x-weir-decision-id", "cd")]);
    let failed = with(|common| (common.metadata, common.response_flags) = (None, Some(refused)));
    let unasked = with(|common| common.metadata = None);
    for (entry, id, decision) in
        [(denied, Some("cd"), Some("deny")), (failed, None, Some("error")), (unasked, None, None)]
    {
        let bag = bag(entry).unwrap().bag;
        assert_eq!((bag.str(slot::CHECK_ID), bag.str(slot::CHECK_DECISION)), (id, decision));
    }
}

fn message(entries: Vec<HttpAccessLogEntry>) -> StreamAccessLogsMessage {
    StreamAccessLogsMessage {
        identifier: None,
        log_entries: Some(LogEntries::HttpLogs(HttpAccessLogEntries { log_entry: entries })),
    }
}

fn identifier(node: &[(&str, &str)], log: &str) -> Identifier {
    let node = Node { id: "cart-envoy".into(), metadata: Some(fields(node)), ..Default::default() };
    Identifier { node: Some(node), log_name: log.into() }
}

#[test]
fn the_nearest_name_tells_the_workload() {
    let (tag, check) = (&[("weir.workload", "shop/tag")][..], &[("weir.workload", "shop/check")][..]);
    let node = &[("weir.namespace", "shop"), ("weir.labels", "app=node")][..];
    for (tags, metadata, node, log, expected) in [
        (tag, check, node, "shop/log", (Some("shop/tag"), None, None)),
        (&[], check, node, "shop/log", (Some("shop/check"), None, None)),
        (&[], &[], node, "shop/log", (None, Some("shop"), Some("app=node"))),
        (&[], &[], &[], "shop/log", (Some("shop/log"), None, None)),
        (&[], &[], &[], "ingress", (None, None, None)),
    ] {
        let entry = with(|common| (common.custom_tags, common.metadata) = (map(tags), checked(metadata)));
        let origin = Origin::of(&identifier(node, log));
        assert_eq!(origin.proxy, "cart-envoy");
        let groups = Skipped::default().groups(&origin, message(vec![entry]));
        let claim = groups[0].0.as_ref().map(Named::claim).unwrap_or_default();
        assert_eq!((claim.workload, claim.namespace, claim.labels), expected);
    }
}

#[test]
fn neighbours_about_one_workload_go_together_in_order() {
    let about = |name: &str| with(|common| common.custom_tags = map(&[("weir.workload", name)]));
    let entries = ["a", "a", "b", "a"].map(about).to_vec();
    let groups = Skipped::default().groups(&Origin::default(), message(entries));
    let shape = groups.iter().map(|(named, bags)| (named.clone().unwrap().workload.unwrap(), bags.len()));
    assert_eq!(shape.collect::<Vec<_>>(), [("a".to_owned(), 2), ("b".to_owned(), 1), ("a".to_owned(), 1)]);
}

#[test]
fn what_is_no_finished_request_is_counted_and_passed_over() {
    let skipped = Skipped::default();
    let kinds = [AccessLogType::DownstreamStart, AccessLogType::DownstreamEnd, AccessLogType::UpstreamEnd];
    let entries = kinds.map(|kind| with(|common| common.access_log_type = kind.into())).to_vec();
    assert_eq!(skipped.groups(&Origin::default(), message(entries))[0].1.len(), 1);
    let tcp = TcpAccessLogEntries { log_entry: vec![TcpAccessLogEntry::default(); 3] };
    let tcp = StreamAccessLogsMessage { identifier: None, log_entries: Some(LogEntries::TcpLogs(tcp)) };
    assert!(skipped.groups(&Origin::default(), tcp).is_empty());
    assert_eq!((skipped.tcp.load(Relaxed), skipped.unfinished.load(Relaxed)), (3, 2));
}
