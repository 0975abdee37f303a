//! What reports become: log records, spans and changes of metrics, in the words of no sink.

use std::sync::Arc;

/// The value of a field of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// UTF-8 text.
    Text(String),
    /// 64-bit signed integer.
    Int(i64),
    /// A float; not finite ones are written as null.
    Float(f64),
    /// True or false.
    Bool(bool),
}

/// Name and value, in the adapter's order.
pub type Fields = Vec<(Arc<str>, Value)>;

/// How grave a log record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Finest detail.
    Trace,
    /// For who looks for a fault.
    Debug,
    /// What happened.
    Info,
    /// What should be looked at.
    Warn,
    /// What failed.
    Error,
    /// What stopped the process.
    Fatal,
}

impl Severity {
    /// The name in capital letters, as OpenTelemetry has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Trace => "TRACE",
            Severity::Debug => "DEBUG",
            Severity::Info => "INFO",
            Severity::Warn => "WARN",
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
        }
    }

    /// OpenTelemetry's severity number: the first of its range, 1, 5, 9, 13, 17 or 21.
    #[must_use]
    pub fn number(self) -> i32 {
        1 + 4 * self as i32
    }
}

/// A trace and a span in it; neither is all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanRef {
    /// 16 bytes.
    pub trace: [u8; 16],
    /// 8 bytes.
    pub span: [u8; 8],
}

impl SpanRef {
    /// From 32 and 16 hexadecimal digits; none when malformed or all zero.
    #[must_use]
    pub fn parse(trace: &str, span: &str) -> Option<Self> {
        Some(Self { trace: parse_hex(trace)?, span: parse_hex(span)? })
    }
}

/// `2 * N` hexadecimal digits, not all zero.
#[must_use]
pub fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0u8; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let mut digit = pair.iter().map(|c| char::from(*c).to_digit(16));
        *byte = (digit.next()?? << 4 | digit.next()??) as u8;
    }
    bytes.iter().any(|byte| *byte != 0).then_some(bytes)
}

/// One log record.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    /// When it happened, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// How grave it is.
    pub severity: Severity,
    /// The text.
    pub body: String,
    /// Its fields.
    pub fields: Fields,
    /// The span it belongs to.
    pub span: Option<SpanRef>,
    /// The adapter that made it.
    pub adapter: Arc<str>,
}

/// What part a span plays in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Inside a process.
    Internal,
    /// Serves a request.
    Server,
    /// Makes a request.
    Client,
    /// Sends a message.
    Producer,
    /// Takes a message.
    Consumer,
}

/// How what a span describes ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpanStatus {
    /// Nobody said.
    Unset,
    /// Well.
    Ok,
    /// Not well, and why.
    Error(String),
}

/// One finished span.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRecord {
    /// Its trace and its own id.
    pub id: SpanRef,
    /// The span above it; none for a root.
    pub parent: Option<[u8; 8]>,
    /// What it is called.
    pub name: String,
    /// Its part.
    pub kind: SpanKind,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub start: i64,
    /// The same; never before `start`.
    pub end: i64,
    /// Its fields.
    pub fields: Fields,
    /// How it ended.
    pub status: SpanStatus,
    /// The adapter that made it.
    pub adapter: Arc<str>,
}

/// What a family of metrics is.
#[derive(Clone, Debug, PartialEq)]
pub enum FamilyKind {
    /// A sum that only grows.
    Counter,
    /// A distribution.
    Histogram {
        /// Upper bounds, rising, without infinity.
        buckets: Vec<f64>,
    },
}

/// A family of metrics, declared once.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    pub name: String,
    /// One sentence, not empty.
    pub help: String,
    /// As OpenTelemetry writes it, for instance `s` or `By`; may be empty.
    pub unit: String,
    /// `[a-zA-Z_][a-zA-Z0-9_]*`, each once.
    pub labels: Vec<String>,
    /// Counter or histogram.
    pub kind: FamilyKind,
}

/// A declared family; never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FamilyId(pub(crate) u64);

/// How a series changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Of a counter.
    Add(u64),
    /// Of a histogram: several values at once.
    Observe(Vec<f64>),
}

/// A change of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The family.
    pub family: FamilyId,
    /// As many values as the family has labels, in their order.
    pub labels: Vec<Arc<str>>,
    /// The change.
    pub change: Change,
}

/// Everything that came out of one batch of reports.
#[derive(Clone, Debug, Default)]
pub struct Emissions {
    /// For the log sinks.
    pub logs: Vec<LogRecord>,
    /// For the trace sinks.
    pub spans: Vec<SpanRecord>,
    /// For the metric sinks.
    pub updates: Vec<Update>,
}

/// About how many bytes those fields hold.
fn fields_size(fields: &Fields) -> usize {
    let value = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
    fields.iter().map(|(name, field)| name.len() + value(field) + size_of::<(Arc<str>, Value)>()).sum()
}

impl LogRecord {
    /// About how many bytes it holds.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.body.len() + fields_size(&self.fields)
    }
}

impl SpanRecord {
    /// About how many bytes it holds.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.name.len() + fields_size(&self.fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_of_the_right_length_and_not_zero() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parsed = SpanRef::parse(trace, "00F067aa0ba902b7").expect("valid");
        assert_eq!(parsed.span, [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        for (trace, span) in [
            ("", ""),
            (trace, ""),
            (trace, "0000000000000000"),
            ("00000000000000000000000000000000", "00f067aa0ba902b7"),
            (trace, "00f067aa0ba902b"),
            (trace, "00f067aa0ba902bg"),
            (trace, "+0f067aa0ba902b7"),
            (trace, "é0f067aa0ba902b"),
        ] {
            assert_eq!(SpanRef::parse(trace, span), None, "{trace} {span}");
        }
    }

    #[test]
    fn severities_are_opentelemetrys_numbers() {
        use Severity::{Debug, Error, Fatal, Info, Trace, Warn};
        assert_eq!([Trace, Debug, Info, Warn, Error, Fatal].map(Severity::number), [1, 5, 9, 13, 17, 21]);
    }
}
