//! A decision as one line of JSON.

use std::sync::{Arc, Mutex, PoisonError};

use weir_attributes::{Bag, Headers, Map, Slot, Value, slot};

use super::{Decision, HEADER_LINES_MAX, Outcome, Recent, SCHEMA, Said, TEXT_BYTES_MAX};
use crate::{json, json::Clock, redact::Redactor, writer::Render};

/// Renders decisions on the writer's thread.
#[derive(Debug)]
pub(super) struct Lines {
    redactor: Arc<Redactor>,
    recent: Arc<Mutex<Recent>>,
    /// Nobody reads the lines but the ring.
    off: bool,
    clock: Clock,
}

impl Lines {
    pub(super) fn new(redactor: Arc<Redactor>, recent: Arc<Mutex<Recent>>, off: bool) -> Self {
        Self { redactor, recent, off, clock: Clock::default() }
    }

    fn line(&mut self, decision: &Decision, out: &mut Vec<u8>) {
        out.push(b'{');
        json::key(out, "schema");
        json::int(out, i64::from(SCHEMA));
        json::key(out, "id");
        out.push(b'"');
        json::hex(out, &decision.id.0.to_be_bytes());
        out.push(b'"');
        json::key(out, "time");
        self.clock.time(out, decision.time);
        json::key(out, "duration_ns");
        json::int(out, i64::try_from(decision.duration.as_nanos()).unwrap_or(i64::MAX));
        json::text(out, "snapshot", &decision.snapshot);
        optional(out, "workload", decision.workload.as_deref());
        json::text(out, "door", decision.door);
        json::text(out, "decision", decision.outcome.as_str());
        if decision.status != 0 {
            json::key(out, "status");
            json::int(out, i64::from(decision.status));
        }
        json::text(out, "reason", decision.reason);
        optional(out, "policy", decision.policy.as_deref());
        optional(out, "rule", decision.rule.as_deref());
        if let Some(message) = &decision.message {
            json::key(out, "message");
            long(out, &self.redactor.scrub(message, &decision.bag));
        }
        if !decision.audit.is_empty() {
            json::key(out, "audit");
            list(out, decision.audit.iter(), |out, policy| json::string(out, policy));
        }
        if !decision.dry_run.is_empty() {
            json::key(out, "dry_run");
            out.push(b'{');
            for tried in &decision.dry_run {
                json::key(out, tried.side);
                out.push(b'{');
                json::text(out, "decision", tried.outcome.as_str());
                optional(out, "rule", tried.rule.as_deref());
                out.push(b'}');
            }
            out.push(b'}');
        }
        if !decision.adapters.is_empty() {
            json::key(out, "adapters");
            list(out, decision.adapters.iter(), |out, said| self.said(said, &decision.bag, out));
        }
        if decision.in_doubt {
            json::key(out, "in_doubt");
            out.extend_from_slice(b"true");
        }
        self.request(&decision.bag, out);
        self.values(decision, out);
        out.extend_from_slice(b"}\n");
    }

    fn said(&self, said: &Said, bag: &Bag, out: &mut Vec<u8>) {
        out.push(b'{');
        json::text(out, "plugin", &said.plugin);
        let metadata = (!said.metadata.is_empty()).then(|| said.metadata.to_string());
        let reason = Some(&*said.reason).filter(|reason| !reason.is_empty());
        for (name, text) in [("reason", reason), ("metadata", metadata.as_deref())] {
            if let Some(text) = text {
                json::key(out, name);
                long(out, &self.redactor.scrub(text, bag));
            }
        }
        out.push(b'}');
    }

    fn request(&self, bag: &Bag, out: &mut Vec<u8>) {
        optional(out, "method", bag.str(slot::REQUEST_METHOD));
        let target = bag.str(slot::REQUEST_URL_PATH).or_else(|| bag.str(slot::REQUEST_PATH));
        optional(out, "path", target.map(|target| target.split(['?', '#']).next().unwrap_or_default()));
        optional(out, "host", bag.str(slot::REQUEST_HOST));
        json::key(out, "peer");
        out.push(b'{');
        optional(out, "principal", bag.str(slot::SOURCE_PRINCIPAL));
        optional(out, "ip", bag.str(slot::SOURCE_IP));
        out.push(b'}');
    }

    /// Everything that the policies can read; null for what the request does not have.
    fn values(&self, decision: &Decision, out: &mut Vec<u8>) {
        let (reads, bag) = (&*decision.reads, &decision.bag);
        json::key(out, "values");
        out.push(b'{');
        for slot in &reads.slots {
            json::key(out, slot.attribute().name);
            match bag.get(*slot) {
                Some(value) => self.value(*slot, value, out),
                None => out.extend_from_slice(b"null"),
            }
        }
        if reads.all_headers || !reads.headers.is_empty() {
            json::key(out, "request.headers");
            self.headers(decision, out);
        }
        out.push(b'}');
    }

    fn headers(&self, decision: &Decision, out: &mut Vec<u8>) {
        let (reads, headers) = (&*decision.reads, decision.bag.headers());
        let mut room = HEADER_LINES_MAX;
        out.push(b'{');
        if reads.all_headers {
            headers.names().take(HEADER_LINES_MAX).for_each(|name| self.header(name, headers, &mut room, out));
        } else {
            reads.headers.iter().for_each(|name| self.header(name, headers, &mut room, out));
        }
        out.push(b'}');
    }

    /// The lines of one name as a list, while there is room.
    fn header(&self, name: &str, headers: Headers<'_>, room: &mut usize, out: &mut Vec<u8>) {
        if *room == 0 {
            return;
        }
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        json::string(out, clip(name).0);
        out.push(b':');
        if !headers.contains(name) {
            out.extend_from_slice(b"null");
            return;
        }
        let lines = headers.iter().filter(|(line, _)| *line == name).take(*room);
        list(out, lines, |out, (_, value)| {
            *room -= 1;
            long(out, &self.redactor.header(name, value));
        });
    }

    fn value(&self, slot: Slot, value: Value<'_>, out: &mut Vec<u8>) {
        match value {
            Value::String(text) => long(out, &self.redactor.attribute(slot, text)),
            Value::Int(number) | Value::Timestamp(number) | Value::Duration(number) => json::int(out, number),
            Value::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
            Value::Map(Map::Labels(labels)) => {
                out.push(b'{');
                for (name, label) in labels.iter().take(HEADER_LINES_MAX) {
                    if out.last() != Some(&b'{') {
                        out.push(b',');
                    }
                    json::string(out, clip(name).0);
                    out.push(b':');
                    long(out, &self.redactor.text(label));
                }
                out.push(b'}');
            }
            Value::Struct(map) => long(out, &self.redactor.attribute(slot, &map.to_string())),
            Value::Map(Map::Headers(headers)) | Value::ListMap(headers) => {
                list(out, headers.iter().take(HEADER_LINES_MAX), |out, (name, value)| {
                    list(out, [clip(name).0.into(), self.redactor.header(name, value)].iter(), |out, text| {
                        long(out, text);
                    });
                });
            }
        }
    }
}

impl Render<Decision> for Lines {
    fn render(&mut self, decision: &Decision, buffer: &mut Vec<u8>) {
        let start = buffer.len();
        self.line(decision, buffer);
        if decision.outcome == Outcome::Deny
            && let Some(line) = buffer.get(start..)
        {
            self.recent.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
        if self.off {
            // The line feed alone keeps the account: nobody reads it.
            buffer.truncate(start);
            buffer.push(b'\n');
        }
    }
}

fn optional(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        json::key(out, name);
        long(out, value);
    }
}

fn list<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// A text that comes from a request: cut when it is too long.
fn long(out: &mut Vec<u8>, text: &str) {
    let (kept, cut) = clip(text);
    out.push(b'"');
    json::escape(out, kept);
    if cut {
        out.extend_from_slice("…".as_bytes());
    }
    out.push(b'"');
}

fn clip(text: &str) -> (&str, bool) {
    if text.len() <= TEXT_BYTES_MAX {
        return (text, false);
    }
    let mut end = TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (text.get(..end).unwrap_or_default(), true)
}
