//! Sends a span for each traced request to Zipkin.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir::{Cell, Configure, Failure, Rows, Text, bindings, emit};

const SINK: &str = "zipkin";

/// Bytes of spans after which a body is full: a sink takes 256 KiB at once.
const BODY_BYTES: usize = 64 << 10;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    service_name: Option<String>,
    tags: BTreeMap<String, String>,
}

struct Zipkin {
    config: Config,
    bound: Vec<String>,
}

impl Configure for Zipkin {
    fn configure(json: &str) -> Result<Self, Failure> {
        let bound = bindings().iter().map(|binding| binding.name.clone()).collect();
        Ok(Zipkin { config: Config::configure(json)?, bound })
    }
}

/// A span of the API's version 2.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    trace_id: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
    kind: &'static str,
    name: &'a str,
    /// Microseconds since 1970-01-01T00:00:00Z.
    timestamp: i64,
    /// Microseconds, at least 1: 0 is none to Zipkin.
    duration: u64,
    local_endpoint: Endpoint<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote_endpoint: Option<Endpoint<'a>>,
    tags: BTreeMap<&'a str, String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<&'a str>,
}

#[weir::report]
fn report(rows: Rows<'_, Inputs<'_>>, zipkin: &Zipkin) -> Result<(), Failure> {
    let mut body = Vec::new();
    for row in rows {
        // A request that nobody traces has no ids and gets no span.
        let Some(span) = zipkin.span(&row) else { continue };
        body.push(if body.is_empty() { b'[' } else { b',' });
        let json = serde_json::to_vec(&span).map_err(|error| Failure::Internal(error.to_string()))?;
        body.extend_from_slice(&json);
        if body.len() >= BODY_BYTES {
            send(&mut body)?;
        }
    }
    if body.is_empty() { Ok(()) } else { send(&mut body) }
}

fn send(body: &mut Vec<u8>) -> Result<(), Failure> {
    body.push(b']');
    emit(SINK, body)?;
    body.clear();
    Ok(())
}

impl Zipkin {
    fn span<'a>(&'a self, row: &Inputs<'a>) -> Option<Span<'a>> {
        let text = |value: Option<Text<'a>>| value.map(|text| text.as_str()).filter(|text| !text.is_empty());
        let time = row.request_time?.0;
        let micros = row.request_duration.unwrap_or_default().as_micros();
        let source = text(row.source_ip);
        let v6 = source.is_some_and(|address| address.contains(':'));
        Some(Span {
            trace_id: text(row.trace_id)?,
            id: text(row.trace_span_id)?,
            parent_id: text(row.trace_parent_id),
            kind: "SERVER",
            name: text(row.request_method).unwrap_or("http"),
            timestamp: time / 1000,
            duration: u64::try_from(micros).unwrap_or(u64::MAX).max(1),
            local_endpoint: Endpoint { service_name: self.service(row), ..Endpoint::default() },
            remote_endpoint: source.map(|_| Endpoint {
                service_name: None,
                ipv4: source.filter(|_| !v6),
                ipv6: source.filter(|_| v6),
            }),
            tags: self.tags(row),
        })
    }

    fn service(&self, row: &Inputs<'_>) -> Option<String> {
        if let Some(name) = &self.config.service_name {
            return Some(name.clone());
        }
        let workload = row.destination_workload?;
        Some(match row.destination_namespace {
            Some(namespace) => format!("{workload}.{namespace}"),
            None => workload.to_string(),
        })
    }

    fn tags<'a>(&'a self, row: &Inputs<'a>) -> BTreeMap<&'a str, String> {
        let text = |value: Option<Text<'_>>| value.map(|text| text.to_string());
        let code = row.response_code;
        let usual = [
            ("http.method", text(row.request_method)),
            ("http.path", text(row.request_url_path)),
            ("http.host", text(row.request_host)),
            ("http.protocol", text(row.request_protocol)),
            ("http.status_code", code.map(|code| code.to_string())),
            ("response_flags", text(row.response_flags)),
            ("peer.principal", text(row.source_principal)),
            ("weir.decision", text(row.check_decision)),
            ("weir.decision_id", text(row.check_id)),
            ("error", code.filter(|code| *code >= 500).map(|code| code.to_string())),
        ];
        let usual = usual.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let fixed = self.config.tags.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let bound = self.bound.iter().enumerate();
        let bound = bound.filter_map(|(number, name)| Some((name.as_str(), written(row.bound.at(number)?)?)));
        usual.chain(fixed).chain(bound).collect()
    }
}

/// A value as a tag; none when it has no such form.
fn written(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.to_string()),
        Cell::Int(number) => Some(number.to_string()),
        Cell::Double(number) => Some(number.to_string()),
        Cell::Boolean(flag) => Some(flag.to_string()),
        Cell::Timestamp(time) => Some(time.0.to_string()),
        Cell::Duration(time) => Some(time.as_secs_f64().to_string()),
        Cell::Texts(texts) => Some(texts.iter().map(|text| text.as_str()).collect::<Vec<_>>().join(",")),
        Cell::Bytes(_) | Cell::Pairs(_) => None,
    }
}
