//! What a plugin makes of what happened.

use std::sync::Arc;

use crate::Field;

/// One thing that a plugin emitted.
#[derive(Clone, Debug, PartialEq)]
pub enum Emission {
    /// A log record, for the log sinks.
    Log(LogRecord),
    /// An increment of a counter.
    Counter {
        /// Index into [`crate::Adapter::metric_families`].
        family: usize,
        /// One value for each of the family's labels.
        labels: Vec<Arc<str>>,
        /// How much.
        by: u64,
    },
    /// Values of a histogram.
    Histogram {
        /// Index into [`crate::Adapter::metric_families`].
        family: usize,
        /// One value for each of the family's labels.
        labels: Vec<Arc<str>>,
        /// Finite numbers.
        values: Vec<f64>,
    },
    /// A finished span, for the trace sinks.
    Span(SpanRecord),
}

/// How grave a record is; the numbers are OpenTelemetry's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Severity {
    Trace = 1,
    Debug = 5,
    Info = 9,
    Warn = 13,
    Error = 17,
    Fatal = 21,
}

/// A log record about a request.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRecord {
    /// Nanoseconds since 1970-01-01T00:00:00Z; none when the plugin did not know.
    pub time: Option<i64>,
    /// How grave it is.
    pub severity: Severity,
    /// The text.
    pub body: String,
    /// At most [`crate::FIELDS_MAX`].
    pub attributes: Vec<Field>,
    /// The trace it belongs to.
    pub trace_id: Option<[u8; 16]>,
    /// The span it belongs to.
    pub span_id: Option<[u8; 8]>,
}

/// Which side of a call a span shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SpanKind {
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// How a span ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum SpanStatus {
    Unset,
    Ok,
    Error(String),
}

/// A finished span.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRecord {
    /// Never all zero.
    pub trace_id: [u8; 16],
    /// Never all zero.
    pub span_id: [u8; 8],
    /// None for a root.
    pub parent_id: Option<[u8; 8]>,
    /// What was done.
    pub name: String,
    /// Which side it shows.
    pub kind: SpanKind,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub start: i64,
    /// Nanoseconds, never negative.
    pub duration: i64,
    /// At most [`crate::FIELDS_MAX`].
    pub attributes: Vec<Field>,
    /// How it ended.
    pub status: SpanStatus,
}
