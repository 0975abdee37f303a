//! Finished spans.

use super::{fields, optional_id};
use crate::contract::v1::weir::plugin::spans;
use crate::contract::v1::weir::plugin::types::Refusal;
use crate::guest::Guest;
use crate::services::{allowed, invalid};
use crate::{Emission, SpanKind, SpanRecord, SpanStatus};

impl spans::Host for Guest {
    fn emit(&mut self, span: spans::Span) -> Result<(), Refusal> {
        allowed(self.services.spans, "spans = true")?;
        let (attributes, bytes) = fields(span.attributes)?;
        let status = match span.status {
            spans::Status::Unset => SpanStatus::Unset,
            spans::Status::Ok => SpanStatus::Ok,
            spans::Status::Error(text) => SpanStatus::Error(text),
        };
        let bytes = bytes + span.name.len() + if let SpanStatus::Error(text) = &status { text.len() } else { 0 };
        let needs = |what| move || invalid(format!("a span needs a {what}"));
        let record = SpanRecord {
            trace_id: optional_id(&span.trace_id, "trace-id")?.ok_or_else(needs("trace-id"))?,
            span_id: optional_id(&span.span_id, "span-id")?.ok_or_else(needs("span-id"))?,
            parent_id: optional_id(&span.parent_id, "parent-id")?,
            name: span.name,
            kind: match span.kind {
                spans::SpanKind::Internal => SpanKind::Internal,
                spans::SpanKind::Server => SpanKind::Server,
                spans::SpanKind::Client => SpanKind::Client,
                spans::SpanKind::Producer => SpanKind::Producer,
                spans::SpanKind::Consumer => SpanKind::Consumer,
            },
            start: span.start,
            duration: span.duration.max(0),
            attributes,
            status,
        };
        self.keep(bytes, Emission::Span(record))
    }
}
