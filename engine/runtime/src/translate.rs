//! Adapters and telemetry do not know each other: here the words of one become the words of the other.

use std::{collections::HashMap, sync::Arc};

use weir_adapters as adapters;
use weir_attributes::{Json, JsonError, List, Struct};
use weir_policy::{Answer, HeaderOperation, Side, Text};
use weir_telemetry::record as telemetry;

/// What an adapter decided, as the evaluation wants it.
pub(crate) fn verdict(verdict: adapters::AdapterVerdict) -> Answer {
    let side = match verdict.decision {
        adapters::AdapterDecision::Deny => Side::Response,
        _ => Side::Request,
    };
    let headers = verdict.headers.into_iter().map(|operation| header(side, operation)).collect();
    let (ttl, max_uses) = (verdict.ttl, verdict.max_uses);
    match verdict.decision {
        adapters::AdapterDecision::Deny => {
            let message = verdict.message.map(|message| Text::Shared(message.into()));
            Answer::Deny { status: verdict.status.unwrap_or(403), message, ttl, max_uses, headers }
        }
        _ => Answer::Allow { ttl, max_uses, headers },
    }
}

fn header(side: Side, operation: adapters::HeaderOp) -> HeaderOperation {
    let text = |text: String| Text::Shared(text.into());
    match operation {
        adapters::HeaderOp::Set(name, value) => HeaderOperation::Set(side, text(name), text(value)),
        adapters::HeaderOp::Append(name, value) => HeaderOperation::Append(side, text(name), text(value)),
        adapters::HeaderOp::Remove(name) => HeaderOperation::Remove(side, text(name)),
    }
}

/// A metric family that an adapter declared.
pub(crate) fn family(family: &adapters::MetricFamily) -> telemetry::Family {
    telemetry::Family {
        name: family.name.clone(),
        help: family.help.clone(),
        unit: family.unit.clone(),
        labels: family.labels.clone(),
        kind: match &family.kind {
            adapters::FamilyKind::Counter => telemetry::FamilyKind::Counter,
            adapters::FamilyKind::Histogram { buckets } => {
                telemetry::FamilyKind::Histogram { buckets: buckets.clone() }
            }
        },
    }
}

/// The live metric families of adapters, by owner and name.
pub(crate) type FamilyIds = HashMap<(Arc<str>, Box<str>), telemetry::FamilyId>;

/// What an adapter emitted; a family that is not live any more takes its updates with it.
pub(crate) fn emissions(emitted: adapters::Emitted, ids: &FamilyIds, now: i64) -> telemetry::Emissions {
    let adapters::Emitted { adapter, families, emissions } = emitted;
    let id = |family: &adapters::MetricFamily| ids.get(&(adapter.clone(), family.name.as_str().into())).copied();
    let families: Vec<_> = families.iter().map(id).collect();
    let mut all = telemetry::Emissions::default();
    for emission in emissions {
        match emission {
            adapters::Emission::Log(record) => all.logs.push(log(&adapter, record, now)),
            adapters::Emission::Span(span) => all.spans.push(self::span(&adapter, span)),
            adapters::Emission::Counter { family, labels, by } => {
                update(&mut all, &families, family, labels, telemetry::Change::Add(by));
            }
            adapters::Emission::Histogram { family, labels, values } => {
                update(&mut all, &families, family, labels, telemetry::Change::Observe(values));
            }
        }
    }
    all
}

fn update(
    all: &mut telemetry::Emissions,
    families: &[Option<telemetry::FamilyId>],
    family: usize,
    labels: Vec<Arc<str>>,
    change: telemetry::Change,
) {
    // The host has already refused an update to a family that was not declared.
    if let Some(&Some(family)) = families.get(family) {
        all.updates.push(telemetry::Update { family, labels, change });
    }
}

fn log(adapter: &Arc<str>, record: adapters::LogRecord, now: i64) -> telemetry::LogRecord {
    telemetry::LogRecord {
        time: record.time.unwrap_or(now),
        severity: severity(record.severity),
        body: record.body,
        fields: fields(record.attributes),
        span: record.trace_id.zip(record.span_id).map(|(trace, span)| telemetry::SpanRef { trace, span }),
        adapter: adapter.clone(),
    }
}

fn span(adapter: &Arc<str>, span: adapters::SpanRecord) -> telemetry::SpanRecord {
    telemetry::SpanRecord {
        id: telemetry::SpanRef { trace: span.trace_id, span: span.span_id },
        parent: span.parent_id,
        name: span.name,
        kind: match span.kind {
            adapters::SpanKind::Internal => telemetry::SpanKind::Internal,
            adapters::SpanKind::Server => telemetry::SpanKind::Server,
            adapters::SpanKind::Client => telemetry::SpanKind::Client,
            adapters::SpanKind::Producer => telemetry::SpanKind::Producer,
            adapters::SpanKind::Consumer => telemetry::SpanKind::Consumer,
        },
        start: span.start,
        end: span.start.saturating_add(span.duration),
        fields: fields(span.attributes),
        status: match span.status {
            adapters::SpanStatus::Unset => telemetry::SpanStatus::Unset,
            adapters::SpanStatus::Ok => telemetry::SpanStatus::Ok,
            adapters::SpanStatus::Error(message) => telemetry::SpanStatus::Error(message),
        },
        adapter: adapter.clone(),
    }
}

fn severity(severity: adapters::Severity) -> telemetry::Severity {
    match severity {
        adapters::Severity::Trace => telemetry::Severity::Trace,
        adapters::Severity::Debug => telemetry::Severity::Debug,
        adapters::Severity::Info => telemetry::Severity::Info,
        adapters::Severity::Warn => telemetry::Severity::Warn,
        adapters::Severity::Error => telemetry::Severity::Error,
        adapters::Severity::Fatal => telemetry::Severity::Fatal,
    }
}

fn fields(fields: Vec<adapters::Field>) -> telemetry::Fields {
    fields.into_iter().map(|(name, field)| (name.into(), value(field))).collect()
}

/// Telemetry knows fewer types: times are numbers of nanoseconds, lists and maps are JSON, bytes hexadecimal.
fn value(value: adapters::Value) -> telemetry::Value {
    match value {
        adapters::Value::Text(text) => telemetry::Value::Text(text),
        adapters::Value::Int(number) | adapters::Value::Timestamp(number) | adapters::Value::Duration(number) => {
            telemetry::Value::Int(number)
        }
        adapters::Value::Double(number) => telemetry::Value::Float(number),
        adapters::Value::Bool(truth) => telemetry::Value::Bool(truth),
        adapters::Value::Bytes(bytes) => {
            telemetry::Value::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        adapters::Value::Pairs(pairs) => {
            let pairs = pairs.into_iter().map(|(name, value)| (name, serde_json::Value::String(value)));
            telemetry::Value::Text(serde_json::Value::Object(pairs.collect()).to_string())
        }
        adapters::Value::Texts(texts) => telemetry::Value::Text(serde_json::Value::from(texts).to_string()),
    }
}

/// A value that an enrich adapter found out.
pub(crate) fn json(value: adapters::Value) -> Result<Json, JsonError> {
    let text = |text: String| Json::String(text.into());
    Ok(match value {
        adapters::Value::Text(value) => text(value),
        adapters::Value::Int(number) | adapters::Value::Timestamp(number) | adapters::Value::Duration(number) => {
            Json::Int(number)
        }
        adapters::Value::Double(number) => Json::Double(number),
        adapters::Value::Bool(truth) => Json::Bool(truth),
        adapters::Value::Bytes(bytes) => text(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        adapters::Value::Pairs(pairs) => {
            Json::Map(Struct::new(pairs.into_iter().map(|(name, value)| (name.into(), text(value))).collect())?)
        }
        adapters::Value::Texts(texts) => Json::List(List::new(texts.into_iter().map(text).collect())?),
    })
}
