//! Log records about requests.

use super::{fields, optional_id};
use crate::contract::v1::weir::plugin::records;
use crate::contract::v1::weir::plugin::types::Refusal;
use crate::guest::Guest;
use crate::services::allowed;
use crate::{Emission, LogRecord, Severity};

impl records::Host for Guest {
    fn emit(&mut self, record: records::LogRecord) -> Result<(), Refusal> {
        allowed(self.services.records, "records = true")?;
        let (attributes, bytes) = fields(record.attributes)?;
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
