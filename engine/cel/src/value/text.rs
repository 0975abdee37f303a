//! Values as people and programs write them: literals of the language.

use std::fmt::{self, Write as _};

use weir_attributes::Json;

use super::{Map, Value, format_duration};
use crate::limits::VALUE_TEXT_MAX;

/// A literal that evaluates to the same value: `"a"`, `1u`, `duration("1.5s")`, `{"k": [1, 2]}`. After
/// [`VALUE_TEXT_MAX`] bytes it ends in `…`: one list may hold another many times, so that a small value has a text
/// without end.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Room { out: f, left: VALUE_TEXT_MAX, full: false };
        match write(self, &mut writer) {
            Err(_) if writer.full => writer.out.write_str("…"),
            outcome => outcome,
        }
    }
}

/// A writer that refuses what does not fit any more.
struct Room<'f, 'o> {
    out: &'f mut fmt::Formatter<'o>,
    left: usize,
    full: bool,
}

impl fmt::Write for Room<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.left.checked_sub(text.len()) {
            Some(left) if !self.full => {
                self.left = left;
                self.out.write_str(text)
            }
            _ => {
                self.full = true;
                Err(fmt::Error)
            }
        }
    }
}

fn write(value: &Value<'_>, out: &mut Room<'_, '_>) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Uint(value) => write!(out, "{value}u"),
        Value::Double(value) if value.is_finite() => write!(out, "{value:?}"),
        Value::Double(value) if value.is_nan() => out.write_str("double(\"NaN\")"),
        Value::Double(value) => write!(out, "double(\"{}Infinity\")", if *value < 0.0 { "-" } else { "" }),
        Value::String(text) => quoted(text, out),
        Value::Bytes(bytes) => {
            out.write_str("b\"")?;
            bytes.iter().try_for_each(|byte| match byte {
                b'"' | b'\\' => write!(out, "\\{}", char::from(*byte)),
                b' '..=b'~' => out.write_char(char::from(*byte)),
                _ => write!(out, "\\x{byte:02x}"),
            })?;
            out.write_str("\"")
        }
        Value::Timestamp(time) => write!(out, "timestamp(\"{time}\")"),
        Value::Duration(nanoseconds) => write!(out, "duration(\"{}\")", format_duration(*nanoseconds)),
        Value::List(list) => listed(list.iter(), ("[", "]"), out, write),
        Value::Map(map) => write_map(map, out),
        Value::Type(name) => write!(out, "{name}"),
        Value::Optional(None) => out.write_str("optional.none()"),
        Value::Optional(Some(inner)) => {
            out.write_str("optional.of(")?;
            write(inner, out)?;
            out.write_str(")")
        }
        Value::Ip(address) => write!(out, "ip(\"{address}\")"),
        Value::Cidr(range) => write!(out, "cidr(\"{range}\")"),
        Value::Url(url) => {
            out.write_str("url(")?;
            quoted(&url.to_string(), out)?;
            out.write_str(")")
        }
        Value::Semver(version) => write!(out, "semver(\"{version}\")"),
    }
}

fn write_map(map: &Map<'_>, out: &mut Room<'_, '_>) -> fmt::Result {
    const BRACES: (&str, &str) = ("{", "}");
    match map {
        Map::Entries(entries) => listed(entries.pairs().iter(), BRACES, out, |(key, value), out| {
            write(key, out)?;
            out.write_str(": ")?;
            write(value, out)
        }),
        Map::Attribute(map) => listed(map.keys(), BRACES, out, |key, out| {
            quoted(key, out)?;
            out.write_str(": ")?;
            quoted(&map.get(key).unwrap_or_default(), out)
        }),
        Map::Lines(headers) => listed(headers.names(), BRACES, out, |name, out| {
            quoted(name, out)?;
            out.write_str(": ")?;
            listed(headers.lines(name), ("[", "]"), out, quoted)
        }),
        Map::Struct(map) => write_struct(map, out),
    }
}

fn write_struct(map: &weir_attributes::Struct, out: &mut Room<'_, '_>) -> fmt::Result {
    listed(map.iter(), ("{", "}"), out, |(key, value), out| {
        quoted(key, out)?;
        out.write_str(": ")?;
        write_json(value, out)
    })
}

fn write_json(value: &Json, out: &mut Room<'_, '_>) -> fmt::Result {
    match value {
        Json::Null => out.write_str("null"),
        Json::Bool(value) => write!(out, "{value}"),
        Json::Int(value) => write!(out, "{value}"),
        Json::Double(value) => write(&Value::Double(*value), out),
        Json::String(text) => quoted(text, out),
        Json::List(list) => listed(list.items().iter(), ("[", "]"), out, write_json),
        Json::Map(map) => write_struct(map, out),
    }
}

fn listed<'f, 'o, T>(
    items: impl Iterator<Item = T>,
    (open, close): (&str, &str),
    out: &mut Room<'f, 'o>,
    each: impl Fn(T, &mut Room<'f, 'o>) -> fmt::Result,
) -> fmt::Result {
    out.write_str(open)?;
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        each(item, out)?;
    }
    out.write_str(close)
}

/// A text in quotes. What could steer a terminal is escaped, as all that is not seen.
fn quoted(text: &str, out: &mut Room<'_, '_>) -> fmt::Result {
    out.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            _ if is_unseen(character) => match u32::from(character) {
                point @ ..=0xffff => write!(out, "\\u{point:04x}")?,
                point => write!(out, "\\U{point:08x}")?,
            },
            _ => out.write_char(character)?,
        }
    }
    out.write_str("\"")
}

/// Control characters, other line ends, and marks that turn the direction of a text or have no width.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(character, '\u{e0000}'..='\u{e007f}')
}
