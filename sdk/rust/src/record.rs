//! A log record about a request.

use crate::bindings::life::weir::plugin::records as host;
use crate::{Failure, Severity, Timestamp, Value};

/// One record on its way to the log sinks.
#[derive(Clone, Debug)]
pub struct LogRecord(host::LogRecord);

impl LogRecord {
    /// A record of severity info with this text.
    pub fn new(body: impl Into<String>) -> LogRecord {
        LogRecord(host::LogRecord {
            time: None,
            severity: Severity::Info,
            body: body.into(),
            attributes: Vec::new(),
            trace_id: String::new(),
            span_id: String::new(),
        })
    }

    /// When it happened; otherwise the record carries the time at which the host got it.
    pub fn time(mut self, time: Option<Timestamp>) -> LogRecord {
        self.0.time = time.map(|time| time.0);
        self
    }

    /// How grave it is.
    pub fn severity(mut self, severity: Severity) -> LogRecord {
        self.0.severity = severity;
        self
    }

    /// Adds an attribute.
    pub fn attribute(mut self, name: &str, value: impl Into<Value>) -> LogRecord {
        self.0.attributes.push((name.to_owned(), value.into()));
        self
    }

    /// Links the record to a trace: 32 and 16 hexadecimal digits, or empty.
    pub fn trace(mut self, trace_id: &str, span_id: &str) -> LogRecord {
        self.0.trace_id = trace_id.to_owned();
        self.0.span_id = span_id.to_owned();
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
