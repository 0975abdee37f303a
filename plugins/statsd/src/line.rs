//! Lines of the protocol, and datagrams of lines.

use serde::Deserialize;
use weir::Cell;

/// Bytes of a datagram that no Ethernet cuts.
const DATAGRAM_MAX: usize = 1432;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Type {
    Counter,
    /// Milliseconds.
    Timer,
    Gauge,
    Histogram,
    Set,
}

impl Type {
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Type::Counter => "c",
            Type::Timer => "ms",
            Type::Gauge => "g",
            Type::Histogram => "h",
            Type::Set => "s",
        }
    }
}

/// The value as the protocol writes it; none when it has no such form.
pub(crate) fn value(ty: Type, cell: Cell<'_>) -> Option<String> {
    match (ty, cell) {
        (Type::Set, Cell::Text(text)) => Some(clean(&text)),
        (_, Cell::Duration(time)) => Some((time.as_secs_f64() * 1e3).to_string()),
        // A gauge that begins with a sign is a change, not a value.
        (Type::Gauge, Cell::Int(number)) if number < 0 => None,
        (Type::Gauge, Cell::Double(number)) if number < 0.0 => None,
        (_, Cell::Int(number)) => Some(number.to_string()),
        (_, Cell::Double(number)) if number.is_finite() => Some(number.to_string()),
        (_, Cell::Boolean(flag)) => Some(u8::from(flag).to_string()),
        _ => None,
    }
}

/// The value as a tag.
pub(crate) fn tag(cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => clean(&text),
        Cell::Int(number) => number.to_string(),
        Cell::Double(number) => number.to_string(),
        Cell::Boolean(flag) => flag.to_string(),
        Cell::Duration(time) => time.as_millis().to_string(),
        Cell::Timestamp(time) => time.0.to_string(),
        Cell::Bytes(_) | Cell::Pairs(_) | Cell::Texts(_) => "unknown".to_owned(),
    }
}

/// Without what the protocol gives a meaning to.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|char| if char.is_control() || ":|#@, ".contains(char) { '_' } else { char }).take(200).collect()
}

/// Lines on their way.
#[derive(Debug, Default)]
pub(crate) struct Datagram(Vec<u8>);

impl Datagram {
    /// Adds a line; gives the datagram that had no room for it.
    pub(crate) fn add(&mut self, line: &str) -> Option<Vec<u8>> {
        let full = if self.0.len() + 1 + line.len() > DATAGRAM_MAX { self.take() } else { None };
        if !self.0.is_empty() {
            self.0.push(b'\n');
        }
        self.0.extend_from_slice(line.as_bytes());
        full
    }

    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.0)).filter(|lines| !lines.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use weir::{Cell, Text};

    use super::{DATAGRAM_MAX, Datagram, Type, clean, value};

    #[test]
    fn values_are_written_as_their_type_says() {
        for (ty, cell, expected) in [
            (Type::Timer, Cell::Duration(Duration::from_micros(1500)), Some("1.5")),
            (Type::Counter, Cell::Int(3), Some("3")),
            (Type::Gauge, Cell::Int(-3), None),
            (Type::Set, Cell::Text(Text::new("a:b|c")), Some("a_b_c")),
            (Type::Counter, Cell::Text(Text::new("a")), None),
            (Type::Histogram, Cell::Double(f64::NAN), None),
        ] {
            assert_eq!(value(ty, cell).as_deref(), expected, "{ty:?} {cell:?}");
        }
    }

    #[test]
    fn a_line_is_never_cut_and_a_datagram_is_never_longer_than_it_may_be() {
        let (mut datagram, mut sent) = (Datagram::default(), Vec::new());
        for n in 0..100 {
            sent.extend(datagram.add(&format!("weir.requests.{n}:1|c")));
        }
        sent.extend(datagram.take());
        assert!(sent.len() > 1 && sent.iter().all(|bytes| bytes.len() <= DATAGRAM_MAX));
        assert_eq!(sent.join(&b'\n').split(|byte| *byte == b'\n').count(), 100);
    }

    #[test]
    fn what_the_protocol_reads_is_taken_out_of_names() {
        assert_eq!(clean("a b:c|d#e@f,g\nh"), "a_b_c_d_e_f_g_h");
    }
}
