//! Istio's JSON keys (reference/mesh.md §1.1), then what Weir decided.

use serde::Serialize;

use super::{Line, text_of};

#[derive(Serialize)]
struct Fields<'a> {
    start_time: String,
    route_name: &'static str,
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    response_code: u16,
    response_flags: Option<&'static str>,
    response_code_details: Option<&'static str>,
    connection_termination_details: Option<&'static str>,
    bytes_received: u64,
    bytes_sent: u64,
    duration: u64,
    upstream_service_time: Option<u64>,
    x_forwarded_for: Option<&'a str>,
    user_agent: Option<&'a str>,
    request_id: Option<&'a str>,
    authority: Option<&'a str>,
    upstream_host: Option<String>,
    upstream_cluster: &'a str,
    upstream_local_address: Option<String>,
    downstream_local_address: &'a str,
    downstream_remote_address: &'a str,
    requested_server_name: Option<&'a str>,
    upstream_transport_failure_reason: Option<&'static str>,
    check_decision: Option<&'static str>,
    check_id: Option<&'a str>,
    check_reason: Option<&'a str>,
    check_cached: Option<bool>,
    trace_id: Option<&'a str>,
    span_id: Option<&'a str>,
}

pub(super) fn render(line: &Line, cluster: &str, into: &mut Vec<u8>) {
    let some = |text: &'static str| (!text.is_empty()).then_some(text);
    let values = [&line.forwarded_for, &line.user_agent, &line.request_id, &line.authority];
    let [forwarded_for, user_agent, request_id, authority] = values.map(|value| text_of(value.as_ref()));
    let decided = line.decided.as_ref();
    let fields = Fields {
        start_time: line.start(),
        route_name: "default",
        method: line.method.as_str(),
        path: line.path(),
        protocol: line.protocol,
        response_code: line.code,
        response_flags: some(line.flag),
        response_code_details: some(line.details),
        connection_termination_details: None,
        bytes_received: line.received,
        bytes_sent: line.sent,
        duration: milliseconds(line.took),
        upstream_service_time: line.served.as_ref().map(|served| milliseconds(served.latency)),
        x_forwarded_for: forwarded_for.as_deref(),
        user_agent: user_agent.as_deref(),
        request_id: request_id.as_deref(),
        authority: authority.as_deref(),
        upstream_host: line.served.as_ref().map(|served| served.peer.to_string()),
        upstream_cluster: cluster,
        upstream_local_address: line.served.as_ref().map(|served| served.local.to_string()),
        downstream_local_address: &line.connection.local,
        downstream_remote_address: &line.connection.peer,
        requested_server_name: line.server_name(),
        upstream_transport_failure_reason: None,
        check_decision: decided.map(|decided| decided.decision),
        check_id: decided.map(|decided| &*decided.id).filter(|id| !id.is_empty()),
        check_reason: decided.map(|decided| &*decided.reason).filter(|reason| !reason.is_empty()),
        check_cached: decided.map(|decided| decided.cached),
        trace_id: line.trace.as_ref().map(|trace| trace.id()),
        span_id: line.trace.as_ref().map(|trace| trace.span()),
    };
    // Nothing in it can fail to be JSON; a line torn off would still end.
    let _ = serde_json::to_writer(&mut *into, &fields);
    into.push(b'\n');
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
