//! Istio's default text format (reference/mesh.md §1.1), field by field.

use std::io::Write as _;

use super::{Line, text_of};

pub(super) fn render(line: &Line, cluster: &str, into: &mut Vec<u8>) {
    let dash = |text: &'static str| if text.is_empty() { "-" } else { text };
    // Writing to memory does not fail.
    let _ = write!(into, "[{}] \"{} ", line.start(), line.method);
    quoted(into, Some(line.path()));
    let _ = write!(
        into,
        " {}\" {} {} {} - \"-\" {} {} {} ",
        line.protocol,
        line.code,
        dash(line.flag),
        dash(line.details),
        line.received,
        line.sent,
        line.took.as_millis(),
    );
    match &line.served {
        Some(served) => drop(write!(into, "{}", served.latency.as_millis())),
        None => into.push(b'-'),
    }
    for value in [&line.forwarded_for, &line.user_agent, &line.request_id, &line.authority] {
        into.extend_from_slice(b" \"");
        quoted(into, text_of(value.as_ref()).as_deref());
        into.push(b'"');
    }
    match &line.served {
        Some(served) => drop(write!(into, " \"{}\" {cluster} {}", served.peer, served.local)),
        None => drop(write!(into, " \"-\" {cluster} -")),
    }
    let _ = write!(into, " {} {} ", line.connection.local, line.connection.peer);
    quoted(into, line.server_name());
    into.extend_from_slice(b" default\n");
}

/// Text that cannot end its quotes, its field or its line.
fn quoted(into: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return into.push(b'-') };
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => into.extend_from_slice(&[b'\\', byte]),
            byte if byte.is_ascii_control() => drop(write!(into, "\\x{byte:02x}")),
            byte => into.push(byte),
        }
    }
}
