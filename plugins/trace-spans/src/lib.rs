//! A server span for each traced request, with OpenTelemetry's HTTP attributes.

use std::collections::BTreeMap;

use serde::Deserialize;
use weir::{Failure, Rows, Span, SpanKind, SpanStatus, Text, Value};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    attributes: BTreeMap<String, String>,
}

#[weir::report]
fn report(rows: Rows<'_, Inputs<'_>>, config: &Config) -> Result<(), Failure> {
    for row in rows {
        // A request that nobody traces has no ids and gets no span.
        let (Some(trace), Some(id), Some(start)) = (row.trace_id, row.trace_span_id, row.request_time) else {
            continue;
        };
        let method = row.request_method.map_or("HTTP", |method| method.as_str());
        let span = Span::new(&trace, &id, method)
            .parent(&row.trace_parent_id.unwrap_or_default())
            .kind(SpanKind::Server)
            .time(start, row.request_duration.unwrap_or_default())
            .status(status(row.response_code));
        let span = attributes(&row).into_iter().fold(span, |span, (name, value)| match value {
            Some(value) => span.attribute(name, value),
            None => span,
        });
        let configured = config.attributes.iter();
        configured.fold(span, |span, (name, value)| span.attribute(name, value.as_str())).emit()?;
    }
    Ok(())
}

fn attributes(row: &Inputs<'_>) -> [(&'static str, Option<Value>); 15] {
    let text = |value: Option<Text<'_>>| value.map(Value::from);
    let version = row.request_protocol.and_then(|protocol| protocol.as_str().strip_prefix("HTTP/"));
    let failed = row.response_code.filter(|code| *code >= 500);
    [
        ("http.request.method", text(row.request_method)),
        ("url.path", text(row.request_url_path)),
        ("url.scheme", text(row.request_scheme)),
        ("server.address", text(row.request_host)),
        ("network.protocol.version", version.map(Value::from)),
        ("user_agent.original", text(row.request_useragent)),
        ("client.address", text(row.source_ip)),
        ("http.request.body.size", row.request_size.map(Value::from)),
        ("http.response.body.size", row.response_size.map(Value::from)),
        ("http.response.status_code", row.response_code.map(Value::from)),
        ("error.type", failed.map(|code| Value::Text(code.to_string()))),
        ("weir.source.principal", text(row.source_principal)),
        ("weir.destination.workload", text(row.destination_workload)),
        ("weir.decision", text(row.check_decision)),
        ("weir.decision.id", text(row.check_id)),
    ]
}

/// The convention for servers: 4xx is the client's fault and leaves the status unset.
fn status(code: Option<i64>) -> SpanStatus {
    match code {
        Some(code) if code >= 500 => SpanStatus::Error(String::new()),
        Some(_) => SpanStatus::Unset,
        None => SpanStatus::Error("no response".into()),
    }
}
