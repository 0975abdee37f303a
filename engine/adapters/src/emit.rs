//! The host's functions for plugins: each checks what it gets before it keeps it.

use std::sync::Arc;

use tracing::Level;

use crate::contract::check::weir::plugin::log::{self, Level as WireLevel};
use crate::contract::check::weir::plugin::types;
use crate::contract::report::weir::plugin::{fields, metrics, records, spans};
use crate::guest::Guest;
use crate::metrics::declare;
use crate::{Emission, FIELDS_MAX, FamilyKind, Field, FieldValue, LogRecord, MetricFamily};
use crate::{Severity, SpanKind, SpanRecord, SpanStatus};

/// What one emission costs beside its texts and values, in bytes.
const EMISSION_BYTES: usize = 64;

impl Guest {
    /// Keeps an emission if this call may still emit `bytes` more.
    fn keep(&mut self, bytes: usize, emission: Emission) -> Result<(), String> {
        if self.configuring {
            return Err("nothing can be emitted in configure; do it in report".into());
        }
        let left = self.output_left.checked_sub(bytes + EMISSION_BYTES);
        let (Some(output), Some(emissions)) = (left, self.emissions_left.checked_sub(1)) else {
            return Err("this call has emitted as much as it may; emit less for each row".into());
        };
        (self.output_left, self.emissions_left) = (output, emissions);
        self.emissions.push(emission);
        Ok(())
    }

    fn labels(&mut self, family: u32, labels: Vec<metrics::Label>) -> Result<Vec<Arc<str>>, String> {
        let family = self.families.get(family as usize).ok_or("there is no metric family of that number")?;
        if family.labels.len() != labels.len() {
            let (name, want, got) = (&family.name, family.labels.len(), labels.len());
            return Err(format!("{name} has {want} labels, {got} came"));
        }
        let mut texts = Vec::with_capacity(labels.len());
        for label in labels {
            texts.push(match label {
                metrics::Label::Text(text) => text.into(),
                metrics::Label::Symbol(number) => {
                    self.symbols.get(number).ok_or("a label is no symbol of this batch")?
                }
            });
        }
        Ok(texts)
    }

    fn kind(&self, family: u32) -> Option<&FamilyKind> {
        self.families.get(family as usize).map(|family| &family.kind)
    }

    fn declare(&mut self, family: metrics::Family, kind: FamilyKind) -> Result<u32, String> {
        if !self.configuring {
            return Err("metric families are declared in configure, not later".into());
        }
        let metrics::Family { name, help, unit, labels } = family;
        declare(&mut self.families, MetricFamily { name, help, unit, labels, kind })
    }
}

impl types::Host for Guest {}
impl fields::Host for Guest {}

impl log::Host for Guest {
    fn write(&mut self, level: WireLevel, message: String) {
        let level = match level {
            WireLevel::Trace => Level::TRACE,
            WireLevel::Debug => Level::DEBUG,
            WireLevel::Info => Level::INFO,
            WireLevel::Warn => Level::WARN,
            WireLevel::Error => Level::ERROR,
        };
        self.voice.say(level, &message);
    }
}

impl metrics::Host for Guest {
    fn declare_counter(&mut self, family: metrics::Family) -> Result<u32, String> {
        self.declare(family, FamilyKind::Counter)
    }

    fn declare_histogram(&mut self, family: metrics::Family, buckets: Vec<f64>) -> Result<u32, String> {
        self.declare(family, FamilyKind::Histogram { buckets })
    }

    fn add(&mut self, counter: u32, labels: Vec<metrics::Label>, by: u64) -> Result<(), String> {
        let labels = self.labels(counter, labels)?;
        match self.kind(counter) {
            Some(FamilyKind::Counter) => {
                let family = counter as usize;
                self.keep(size_of_texts(&labels), Emission::Counter { family, labels, by })
            }
            _ => Err("add is for counters; use observe".into()),
        }
    }

    fn observe(&mut self, histogram: u32, labels: Vec<metrics::Label>, values: Vec<f64>) -> Result<(), String> {
        let labels = self.labels(histogram, labels)?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err("a histogram takes finite numbers only".into());
        }
        match self.kind(histogram) {
            Some(FamilyKind::Histogram { .. }) => {
                let bytes = size_of_texts(&labels) + 8 * values.len();
                self.keep(bytes, Emission::Histogram { family: histogram as usize, labels, values })
            }
            _ => Err("observe is for histograms; use add".into()),
        }
    }
}

impl records::Host for Guest {
    fn emit(&mut self, record: records::LogRecord) -> Result<(), String> {
        let (attributes, bytes) = attributes(record.attributes)?;
        let bytes = bytes + record.body.len();
        let record = LogRecord {
            time: record.time,
            severity: match record.severity {
                records::Severity::Trace => Severity::Trace,
                records::Severity::Debug => Severity::Debug,
                records::Severity::Info => Severity::Info,
                records::Severity::Warn => Severity::Warn,
                records::Severity::Error => Severity::Error,
                records::Severity::Fatal => Severity::Fatal,
            },
            body: record.body,
            attributes,
            trace_id: optional_id(&record.trace_id, "trace-id")?,
            span_id: optional_id(&record.span_id, "span-id")?,
        };
        self.keep(bytes, Emission::Log(record))
    }
}

impl spans::Host for Guest {
    fn emit(&mut self, span: spans::Span) -> Result<(), String> {
        let (attributes, bytes) = attributes(span.attributes)?;
        let status = match span.status {
            spans::Status::Unset => SpanStatus::Unset,
            spans::Status::Ok => SpanStatus::Ok,
            spans::Status::Error(text) => SpanStatus::Error(text),
        };
        let bytes = bytes + span.name.len() + if let SpanStatus::Error(text) = &status { text.len() } else { 0 };
        let record = SpanRecord {
            trace_id: optional_id(&span.trace_id, "trace-id")?.ok_or("a span needs a trace-id")?,
            span_id: optional_id(&span.span_id, "span-id")?.ok_or("a span needs a span-id")?,
            parent_id: optional_id(&span.parent_id, "parent-id")?,
            name: span.name,
            kind: match span.kind {
                spans::Kind::Internal => SpanKind::Internal,
                spans::Kind::Server => SpanKind::Server,
                spans::Kind::Client => SpanKind::Client,
                spans::Kind::Producer => SpanKind::Producer,
                spans::Kind::Consumer => SpanKind::Consumer,
            },
            start: span.start,
            duration: span.duration.max(0),
            attributes,
            status,
        };
        self.keep(bytes, Emission::Span(record))
    }
}

fn size_of_texts(texts: &[Arc<str>]) -> usize {
    texts.iter().map(|text| text.len() + size_of::<Arc<str>>()).sum()
}

fn attributes(wire: Vec<fields::Field>) -> Result<(Vec<Field>, usize), String> {
    if wire.len() > FIELDS_MAX {
        return Err(format!("{} attributes, the limit is {FIELDS_MAX}", wire.len()));
    }
    let mut bytes = wire.len() * size_of::<Field>();
    let fields = wire.into_iter().map(|(name, value)| {
        bytes += name.len();
        let value = match value {
            fields::FieldValue::Text(text) => {
                bytes += text.len();
                FieldValue::Text(text)
            }
            fields::FieldValue::Int(number) => FieldValue::Int(number),
            fields::FieldValue::Float(number) => FieldValue::Float(number),
            fields::FieldValue::Boolean(flag) => FieldValue::Bool(flag),
        };
        (name, value)
    });
    Ok((fields.collect(), bytes))
}

/// 2 N hexadecimal digits that are not all zero, or nothing.
fn optional_id<const N: usize>(hex: &str, what: &str) -> Result<Option<[u8; N]>, String> {
    if hex.is_empty() {
        return Ok(None);
    }
    let mut id = [0u8; N];
    let malformed = || format!("{what} must be {} hexadecimal digits, not all zero", 2 * N);
    if hex.len() != 2 * N {
        return Err(malformed());
    }
    for (byte, pair) in id.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|b| char::from(*b).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return Err(malformed()) };
        *byte = (high << 4 | low) as u8;
    }
    match id.iter().any(|byte| *byte != 0) {
        true => Ok(Some(id)),
        false => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::optional_id;

    #[test]
    fn ids_are_hexadecimal_of_full_length_and_not_zero() {
        assert_eq!(optional_id::<2>("", "id"), Ok(None));
        assert_eq!(optional_id::<2>("aB01", "id"), Ok(Some([0xab, 1])));
        for wrong in ["ab0", "ab012", "0000", "ab0g", "+1+1", "é0"] {
            assert!(optional_id::<2>(wrong, "id").is_err(), "{wrong}");
        }
    }
}
