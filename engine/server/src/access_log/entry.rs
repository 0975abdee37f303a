//! One entry of Envoy's access log as a bag.
//!
//! Headers are those that the access log was told to send (`additional_request_headers_to_log` and its like); the user
//! agent, the referer and `x-forwarded-for` come always. The trace is read from `traceparent`: the proxy's own span is made
//! here, its parent is the span that the header names.

use envoy_types::pb::{
    envoy::{
        config::core::v3::{Address, RequestMethod, address, socket_address::PortSpecifier},
        data::accesslog::v3::{
            AccessLogCommon, AccessLogType, HttpAccessLogEntry, HttpRequestProperties, HttpResponseProperties,
            TlsProperties,
            http_access_log_entry::HttpVersion,
            tls_properties::{CertificateProperties, TlsVersion, certificate_properties::subject_alt_name::San},
        },
    },
    google::protobuf::{Duration, Struct, Timestamp},
};
use weir_attributes::{Bag, Slot, slot};
use weir_runtime::DecisionId;

use super::{Named, flags, text};
use crate::{ext_authz::metadata, refusal::HEADER_LINES_MAX, refusal::check_line};

/// Where Envoy keeps what the check answered.
const EXT_AUTHZ: &str = "envoy.filters.http.ext_authz";
const SPIFFE: &str = "spiffe://";
const SECOND: i64 = 1_000_000_000;

/// An entry and who it is about.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) bag: Bag,
    pub(super) named: Option<Named>,
}

/// The report of an entry; none when the request still runs.
pub(super) fn bag(entry: HttpAccessLogEntry) -> Option<Entry> {
    let common = entry.common_properties.unwrap_or_default();
    if !matches!(common.access_log_type(), AccessLogType::NotSet | AccessLogType::DownstreamEnd) {
        return None;
    }
    let mut bag = Bag::with_capacity(1024, 16);
    let version = HttpVersion::try_from(entry.protocol_version).unwrap_or_default();
    if let Some(name) = protocol(version) {
        bag.set_static(slot::REQUEST_PROTOCOL, name);
    }
    request(&entry.request.unwrap_or_default(), &mut bag);
    response(&entry.response.unwrap_or_default(), &mut bag);
    connection(&common, &mut bag);
    timings(&common, &mut bag);
    trace(&mut bag);
    let metadata = common.metadata.as_ref().and_then(|metadata| metadata.filter_metadata.get(EXT_AUTHZ));
    check(metadata, &common, &mut bag);
    let tagged = Named::by(|name| common.custom_tags.get(name).cloned());
    let named = tagged.or_else(|| Named::by(|name| text(metadata?, name)));
    Some(Entry { bag, named })
}

fn protocol(version: HttpVersion) -> Option<&'static str> {
    match version {
        HttpVersion::ProtocolUnspecified => None,
        HttpVersion::Http10 => Some("HTTP/1.0"),
        HttpVersion::Http11 => Some("HTTP/1.1"),
        HttpVersion::Http2 => Some("HTTP/2"),
        HttpVersion::Http3 => Some("HTTP/3"),
    }
}

fn request(request: &HttpRequestProperties, bag: &mut Bag) {
    if request.request_method() != RequestMethod::MethodUnspecified {
        bag.set_static(slot::REQUEST_METHOD, request.request_method().as_str_name());
    }
    // What the client asked for, when the route rewrote it.
    let asked = if request.original_path.is_empty() { &request.path } else { &request.original_path };
    set(slot::REQUEST_PATH, asked, bag);
    set(slot::REQUEST_HOST, &request.authority, bag);
    set(slot::REQUEST_SCHEME, &request.scheme, bag);
    set(slot::REQUEST_ID, &request.request_id, bag);
    bag.set_int(slot::REQUEST_SIZE, number(request.request_body_bytes));
    let total = request.request_headers_bytes.saturating_add(request.request_body_bytes);
    bag.set_int(slot::REQUEST_TOTAL_SIZE, number(total));
    // Envoy's map has one entry a name.
    bag.set_joined_by_proxy(true);
    for (name, value) in request.request_headers.iter().take(HEADER_LINES_MAX) {
        if check_line(name, value.as_bytes()).is_ok() {
            bag.add_header(name, value);
        }
    }
    let always = [
        ("user-agent", &request.user_agent),
        ("referer", &request.referer),
        ("x-forwarded-for", &request.forwarded_for),
    ];
    for (name, value) in always {
        if !value.is_empty() && !bag.headers().contains(name) && check_line(name, value.as_bytes()).is_ok() {
            bag.add_header(name, value);
        }
    }
}

fn response(response: &HttpResponseProperties, bag: &mut Bag) {
    if let Some(code) = response.response_code.filter(|code| code.value != 0) {
        bag.set_int(slot::RESPONSE_CODE, code.value.into());
    }
    set(slot::RESPONSE_CODE_DETAILS, &response.response_code_details, bag);
    bag.set_int(slot::RESPONSE_SIZE, number(response.response_body_bytes));
    let total = response.response_headers_bytes.saturating_add(response.response_body_bytes);
    bag.set_int(slot::RESPONSE_TOTAL_SIZE, number(total));
    for (name, value) in response.response_headers.iter().take(HEADER_LINES_MAX) {
        if check_line(name, value.as_bytes()).is_ok() {
            bag.add_response_header(name, value);
        }
    }
    let status = [&response.response_trailers, &response.response_headers].map(|map| map.get("grpc-status"));
    if let Some(status) = status.into_iter().flatten().find_map(|status| status.parse().ok()) {
        bag.set_int(slot::RESPONSE_GRPC_STATUS, status);
    }
}

fn connection(common: &AccessLogCommon, bag: &mut Bag) {
    // The peer itself; the other address may come from a header.
    let peer = common.downstream_direct_remote_address.as_ref().or(common.downstream_remote_address.as_ref());
    let known = [
        (slot::SOURCE_ADDRESS, peer),
        (slot::DESTINATION_ADDRESS, common.downstream_local_address.as_ref()),
        (slot::UPSTREAM_ADDRESS, common.upstream_remote_address.as_ref()),
    ];
    for (slot, told) in known {
        if let Some(told) = told.and_then(address) {
            bag.set_text(slot, &told);
        }
    }
    set(slot::CONNECTION_ID, &common.stream_id, bag);
    let flags = common.response_flags.as_ref().map(flags::short).unwrap_or_default();
    set(slot::RESPONSE_FLAGS, &flags, bag);
    match &common.tls_properties {
        Some(tls) => self::tls(tls, bag),
        None => bag.set_bool(slot::CONNECTION_MTLS, false),
    }
}

fn tls(tls: &TlsProperties, bag: &mut Bag) {
    set(slot::CONNECTION_REQUESTED_SERVER_NAME, &tls.tls_sni_hostname, bag);
    let version = match tls.tls_version() {
        TlsVersion::VersionUnspecified => None,
        TlsVersion::TlSv1 => Some("TLSv1"),
        TlsVersion::TlSv11 => Some("TLSv1.1"),
        TlsVersion::TlSv12 => Some("TLSv1.2"),
        TlsVersion::TlSv13 => Some("TLSv1.3"),
    };
    if let Some(version) = version {
        bag.set_static(slot::CONNECTION_TLS_VERSION, version);
    }
    let peer = tls.peer_certificate_properties.as_ref();
    let given = peer.is_some_and(|peer| !peer.subject.is_empty() || !peer.subject_alt_name.is_empty());
    bag.set_bool(slot::CONNECTION_MTLS, given);
    if let Some(identity) = peer.and_then(identity) {
        bag.set_text(slot::CONNECTION_URI_SAN_PEER_CERTIFICATE, identity);
        bag.set_text(slot::SOURCE_PRINCIPAL, identity.trim_start_matches(SPIFFE));
    }
    if let Some(identity) = tls.local_certificate_properties.as_ref().and_then(identity) {
        bag.set_text(slot::DESTINATION_PRINCIPAL, identity.trim_start_matches(SPIFFE));
    }
}

/// The mesh identity of a certificate: its URI SAN.
fn identity(certificate: &CertificateProperties) -> Option<&str> {
    certificate.subject_alt_name.iter().find_map(|name| match name.san.as_ref()? {
        San::Uri(uri) => uri.starts_with(SPIFFE).then_some(uri.as_str()),
        San::Dns(_) => None,
    })
}

fn timings(common: &AccessLogCommon, bag: &mut Bag) {
    if let Some(time) = common.start_time.and_then(moment) {
        bag.set_int(slot::REQUEST_TIME, time);
    }
    if let Some(length) = common.time_to_last_downstream_tx_byte.or(common.duration).and_then(length) {
        bag.set_int(slot::REQUEST_DURATION, length);
    }
    let sent = common.time_to_first_upstream_tx_byte.and_then(length);
    let answered = common.time_to_first_upstream_rx_byte.and_then(length);
    if let Some(latency) = answered.zip(sent).map(|(answered, sent)| answered - sent).filter(|latency| *latency >= 0) {
        bag.set_int(slot::RESPONSE_BACKEND_LATENCY, latency);
    }
}

/// W3C trace context: `00-TRACE-PARENT-FLAGS`; what is not exactly that is no trace.
fn trace(bag: &mut Bag) {
    let told = bag.headers().joined("traceparent").unwrap_or_default().into_owned();
    let mut parts = told.split('-');
    let (Some(version), Some(trace), Some(parent), Some(flags)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let real = |text: &str| text.bytes().any(|byte| byte != b'0');
    let whole = hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if whole && hex(trace, 32) && real(trace) && hex(parent, 16) && real(parent) && hex(flags, 2) {
        bag.set_text(slot::TRACE_ID, trace);
        bag.set_text(slot::TRACE_PARENT_ID, parent);
        let span = (DecisionId::random().0 as u64).max(1);
        bag.set_text(slot::TRACE_SPAN_ID, &format!("{span:016x}"));
    }
}

/// What the check answered: Envoy's dynamic metadata, else the header of a denial; with the flag of a failed check alone
/// there was no answer.
fn check(metadata: Option<&Struct>, common: &AccessLogCommon, bag: &mut Bag) {
    if let Some(fields) = metadata {
        for (slot, name) in [
            (slot::CHECK_ID, metadata::DECISION_ID),
            (slot::CHECK_DECISION, metadata::DECISION),
            (slot::CHECK_REASON, metadata::REASON),
        ] {
            if let Some(value) = text(fields, name) {
                set(slot, &value, bag);
            }
        }
    }
    if bag.str(slot::CHECK_DECISION).is_some() {
        return;
    }
    let denied = bag.response_headers().joined(crate::ext_authz::DECISION_ID).map(std::borrow::Cow::into_owned);
    if let Some(id) = denied {
        set(slot::CHECK_ID, &id, bag);
        bag.set_static(slot::CHECK_DECISION, "deny");
    } else if common.response_flags.is_some_and(|flags| flags.unauthorized_details.is_some()) {
        bag.set_static(slot::CHECK_DECISION, "error");
    }
}

fn set(slot: Slot, text: &str, bag: &mut Bag) {
    if !text.is_empty() {
        bag.set_text(slot, text);
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// `ip:port`; none for a pipe or an address inside Envoy.
fn address(told: &Address) -> Option<String> {
    let Some(address::Address::SocketAddress(socket)) = &told.address else { return None };
    let ip = socket.address.as_str();
    match socket.port_specifier {
        Some(PortSpecifier::PortValue(port)) if ip.contains(':') => Some(format!("[{ip}]:{port}")),
        Some(PortSpecifier::PortValue(port)) => Some(format!("{ip}:{port}")),
        _ => Some(ip.to_owned()).filter(|ip| !ip.is_empty()),
    }
}

/// Nanoseconds since 1970.
fn moment(time: Timestamp) -> Option<i64> {
    time.seconds.checked_mul(SECOND)?.checked_add(time.nanos.into())
}

/// Nanoseconds.
fn length(time: Duration) -> Option<i64> {
    time.seconds.checked_mul(SECOND)?.checked_add(time.nanos.into()).filter(|nanos| *nanos >= 0)
}
