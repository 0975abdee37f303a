//! What is wrong with a frame, and where.

use std::fmt;

use super::Kind;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Truncated,
    Varint,
    FieldNumber,
    WireType,
    Group,
    Utf8,
    Mismatch { expected: Kind, found: Kind },
    Port,
}

#[derive(Clone, Copy, Debug)]
enum Segment {
    Field(&'static str),
    Item(&'static str, usize),
    Unknown(u32),
}

/// Something wrong in a frame: `attributes.request.http.headers[3]: truncated length at offset 117`.
#[derive(Debug)]
pub(crate) struct Fault(Box<Place>);

#[derive(Debug)]
struct Place {
    what: What,
    offset: usize,
    /// From the innermost field outwards.
    path: Vec<Segment>,
}

impl Fault {
    pub(crate) fn new(what: What, offset: usize) -> Self {
        Self(Box::new(Place { what, offset, path: Vec::new() }))
    }

    pub(crate) fn within_unknown(mut self, number: u32) -> Self {
        self.0.path.push(Segment::Unknown(number));
        self
    }
}

/// Names the field that a result came from, while the error is on its way out.
pub(crate) trait Within {
    fn within(self, field: &'static str) -> Self;
    fn within_item(self, field: &'static str, index: usize) -> Self;
}

impl<T> Within for Result<T, Fault> {
    fn within(self, field: &'static str) -> Self {
        self.map_err(|mut fault| {
            fault.0.path.push(Segment::Field(field));
            fault
        })
    }

    fn within_item(self, field: &'static str, index: usize) -> Self {
        self.map_err(|mut fault| {
            fault.0.path.push(Segment::Item(field, index));
            fault
        })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Truncated => f.write_str("truncated length"),
            What::Varint => f.write_str("varint of more than 64 bits"),
            What::FieldNumber => f.write_str("field number out of range"),
            What::WireType => f.write_str("unknown wire type"),
            What::Group => f.write_str("a group, which proto3 does not have,"),
            What::Utf8 => f.write_str("string is not UTF-8"),
            What::Mismatch { expected, found } => write!(f, "wire type {found:?} where {expected:?} is due"),
            What::Port => f.write_str("port above 65535"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.path.iter().rev().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            match segment {
                Segment::Field(name) => f.write_str(name)?,
                Segment::Item(name, at) => write!(f, "{name}[{at}]")?,
                Segment::Unknown(number) => write!(f, "(field {number})")?,
            }
        }
        let separator = if self.0.path.is_empty() { "" } else { ": " };
        write!(f, "{separator}{} at offset {}", self.0.what, self.0.offset)
    }
}
