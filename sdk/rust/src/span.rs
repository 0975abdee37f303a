//! A finished span.

use std::time::Duration;

use crate::bindings::life::weir::plugin::spans as host;
use crate::{Failure, SpanKind, SpanStatus, Timestamp, Value};

/// One span on its way to the trace sinks.
#[derive(Clone, Debug)]
pub struct Span(host::Span);

impl Span {
    /// An internal span of no length. The ids are 32 and 16 hexadecimal digits.
    pub fn new(trace_id: &str, span_id: &str, name: impl Into<String>) -> Span {
        Span(host::Span {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
            parent_id: String::new(),
            name: name.into(),
            kind: SpanKind::Internal,
            start: 0,
            duration: 0,
            attributes: Vec::new(),
            status: SpanStatus::Unset,
        })
    }

    /// The span that caused this one: 16 hexadecimal digits, or empty for a root.
    pub fn parent(mut self, parent_id: &str) -> Span {
        self.0.parent_id = parent_id.to_owned();
        self
    }

    /// Which side of a call it shows.
    pub fn kind(mut self, kind: SpanKind) -> Span {
        self.0.kind = kind;
        self
    }

    /// When it began and how long it took (at most 292 years).
    pub fn time(mut self, start: Timestamp, duration: Duration) -> Span {
        self.0.start = start.0;
        self.0.duration = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        self
    }

    /// Adds an attribute.
    pub fn attribute(mut self, name: &str, value: impl Into<Value>) -> Span {
        self.0.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// How it ended.
    pub fn status(mut self, status: SpanStatus) -> Span {
        self.0.status = status;
        self
    }

    /// Hands it to the host.
    ///
    /// # Errors
    /// The host refuses malformed ids and more than it wants from one call.
    pub fn emit(self) -> Result<(), Failure> {
        Ok(host::emit(&self.0)?)
    }
}
