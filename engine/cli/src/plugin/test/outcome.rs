//! What a plugin answered and emitted, as JSON: what cases compare and programs read.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};
use weir_adapters::{
    AdapterDecision, AdapterVerdict, Emission, Field, HeaderOp, LogRecord, MetricFamily, Severity, SpanKind,
    SpanRecord, SpanStatus, Value,
};

/// Bytes that somebody may read; others as a number if they are one of `increment`, else in base64.
pub(super) fn text(bytes: &[u8]) -> Json {
    let printable = |text: &&str| text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
    match (std::str::from_utf8(bytes).ok().filter(printable), <[u8; 8]>::try_from(bytes)) {
        (Some(text), _) => text.into(),
        (None, Ok(number)) => i64::from_le_bytes(number).into(),
        (None, Err(_)) => format!("base64:{}", STANDARD.encode(bytes)).into(),
    }
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Int(number) | Value::Timestamp(number) | Value::Duration(number) => (*number).into(),
        Value::Double(number) => (*number).into(),
        Value::Bool(flag) => (*flag).into(),
        Value::Bytes(bytes) => text(bytes),
        Value::Pairs(pairs) => pairs.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str()))).collect(),
        Value::Texts(texts) => texts.as_slice().into(),
    }
}

pub(super) fn fields(fields: &[Field]) -> Json {
    fields.iter().map(|(name, of)| (name.clone(), value(of))).collect()
}

pub(super) fn verdict(verdict: &AdapterVerdict, to: &mut Map<String, Json>) {
    let decision = match verdict.decision {
        AdapterDecision::Allow => "allow",
        AdapterDecision::Deny => "deny",
        AdapterDecision::Abstain => "abstain",
    };
    let header = |op: &HeaderOp| match op {
        HeaderOp::Set(name, value) => json!({"set": {name: value}}),
        HeaderOp::Append(name, value) => json!({"append": {name: value}}),
        HeaderOp::Remove(name) => json!({"remove": name}),
    };
    let all = [
        ("decision", decision.into()),
        ("status", verdict.status.into()),
        ("message", verdict.message.as_deref().into()),
        ("reason", verdict.reason.as_str().into()),
        ("ttl-ms", verdict.ttl.map(|ttl| ttl.as_millis() as u64).into()),
        ("max-uses", verdict.max_uses.into()),
        ("headers", verdict.headers.iter().map(header).collect()),
        ("metadata", fields(&verdict.metadata)),
    ];
    to.extend(all.map(|(name, value)| (name.to_owned(), value)));
}

/// Metrics summed by series, records and spans in their order.
pub(super) fn emissions(families: &[MetricFamily], emissions: &[Emission], to: &mut Map<String, Json>) {
    let (mut records, mut spans) = (Vec::new(), Vec::new());
    let mut series: BTreeMap<(usize, Vec<String>), (u64, Vec<f64>)> = BTreeMap::new();
    let key =
        |family: &usize, labels: &[std::sync::Arc<str>]| (*family, labels.iter().map(ToString::to_string).collect());
    for emission in emissions {
        match emission {
            Emission::Log(record) => records.push(log_record(record)),
            Emission::Span(span) => spans.push(span_record(span)),
            Emission::Counter { family, labels, by } => series.entry(key(family, labels)).or_default().0 += by,
            Emission::Histogram { family, labels, values } => {
                series.entry(key(family, labels)).or_default().1.extend(values);
            }
        }
    }
    let mut metrics: Map<String, Json> = Map::new();
    for ((family, labels), (sum, values)) in series {
        let Some(family) = families.get(family) else { continue };
        let names = family.labels.iter().map(ToString::to_string);
        let labels: Map<String, Json> = names.zip(labels.into_iter().map(Json::from)).collect();
        let one = match values.is_empty() {
            true => json!({"labels": labels, "value": sum}),
            false => json!({"labels": labels, "values": values}),
        };
        let all = metrics.entry(family.name.to_string()).or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.push(one);
        }
    }
    let all = [("records", records.into()), ("spans", spans.into()), ("metrics", metrics.into())];
    to.extend(all.map(|(name, value): (_, Json)| (name.to_owned(), value)));
}

fn log_record(record: &LogRecord) -> Json {
    let severity = match record.severity {
        Severity::Trace => "trace",
        Severity::Debug => "debug",
        Severity::Info => "info",
        Severity::Warn => "warn",
        Severity::Error => "error",
        Severity::Fatal => "fatal",
    };
    json!({
        "time": record.time, "severity": severity, "body": record.body, "attributes": fields(&record.attributes),
        "trace-id": record.trace_id.map(|id| hex(&id)), "span-id": record.span_id.map(|id| hex(&id)),
    })
}

fn span_record(span: &SpanRecord) -> Json {
    let kind = match span.kind {
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    };
    let (status, message) = match &span.status {
        SpanStatus::Unset => ("unset", None),
        SpanStatus::Ok => ("ok", None),
        SpanStatus::Error(text) => ("error", Some(text)),
    };
    json!({
        "name": span.name, "kind": kind, "status": status, "error": message, "start": span.start,
        "duration": span.duration, "attributes": fields(&span.attributes), "trace-id": hex(&span.trace_id),
        "span-id": hex(&span.span_id), "parent-id": span.parent_id.map(|id| hex(&id)),
    })
}

fn hex(bytes: &[u8]) -> String {
    crate::plugin::build::hex(bytes)
}
