//! Log records as JSON lines, to standard output or a file.

use std::{sync::Arc, time::Duration};

use crate::{
    Error, json,
    json::Clock,
    ledger::{Ledger, Loss},
    output::Target,
    record::{LogRecord, Value},
    writer::{Render, Room, Weigh, Writer},
};

/// Most log records that wait to be written.
pub const LOG_RECORDS_MAX: usize = 10_000;
/// Most bytes of log records that wait to be written.
pub const LOG_BYTES_MAX: usize = 32 * 1024 * 1024;

impl Weigh for LogRecord {
    fn weight(&self) -> usize {
        self.size()
    }
}

/// Writes log records. Dropping it writes what it has, for at most a second.
#[derive(Debug)]
pub struct LogSink {
    writer: Writer<LogRecord>,
}

impl LogSink {
    /// Opens the target and starts the thread that writes.
    ///
    /// # Errors
    /// When the file cannot be opened or the thread not started.
    pub fn start(target: Target) -> Result<Self, Error> {
        let ledger = Ledger::of_sink("log", &[Loss::QueueFull, Loss::WriteFailed]);
        let room = Room { records: LOG_RECORDS_MAX, bytes: LOG_BYTES_MAX };
        Ok(Self { writer: Writer::start("log-sink", room, target, ledger, Lines::default())? })
    }

    /// Hands records over; never blocks. What finds no room is counted as lost.
    pub fn write(&self, records: Vec<LogRecord>) {
        for record in records {
            self.writer.push(record, true);
        }
    }

    /// Waits until everything that was handed over before is written or lost; false when the deadline passed first.
    pub fn flush(&self, deadline: Duration) -> bool {
        self.writer.flush(deadline)
    }

    /// Opens the file again by its name before the next line, as after a rotation.
    pub fn reopen(&self) {
        self.writer.reopen();
    }

    /// Why the last write failed; none after one that succeeded.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.writer.last_error()
    }

    /// The account of its records.
    #[must_use]
    pub fn ledger(&self) -> &Arc<Ledger> {
        self.writer.ledger()
    }
}

#[derive(Debug, Default)]
struct Lines {
    clock: Clock,
}

impl Render<LogRecord> for Lines {
    fn render(&mut self, record: &LogRecord, out: &mut Vec<u8>) {
        out.push(b'{');
        json::key(out, "time");
        self.clock.time(out, record.time);
        json::text(out, "severity", record.severity.as_str());
        json::text(out, "adapter", &record.adapter);
        json::text(out, "body", &record.body);
        if let Some(span) = record.span {
            for (name, id) in [("trace_id", &span.trace[..]), ("span_id", &span.span[..])] {
                json::key(out, name);
                out.push(b'"');
                json::hex(out, id);
                out.push(b'"');
            }
        }
        json::key(out, "attributes");
        out.push(b'{');
        for (name, value) in &record.fields {
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            json::string(out, name);
            out.push(b':');
            match value {
                Value::Text(text) => json::string(out, text),
                Value::Int(number) => json::int(out, *number),
                Value::Float(number) => json::float(out, *number),
                Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
            }
        }
        out.extend_from_slice(b"}}\n");
    }
}
