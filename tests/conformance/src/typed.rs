//! Values with their types, as rows write them and as lines show them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use weir_cel::{Bytes, Entries, Env, List, Map, Scratch, Timestamp, Value};

/// A value with its type. 64-bit numbers are texts; a double may be NaN or Infinity.
#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub(crate) enum Typed {
    Null {},
    Bool {
        v: bool,
    },
    Int {
        v: String,
    },
    Uint {
        v: String,
    },
    Double {
        v: String,
    },
    String {
        v: String,
    },
    Bytes {
        b64: String,
    },
    Timestamp {
        s: String,
        n: u32,
    },
    Duration {
        s: String,
        n: i32,
    },
    List {
        v: Vec<Typed>,
    },
    Map {
        v: Vec<(Typed, Typed)>,
    },
    Type {
        v: String,
    },
    Enum {
        v: i64,
    },
    Message {
        #[serde(rename = "type")]
        name: String,
        wire: String,
    },
}

impl Typed {
    /// The value.
    pub(crate) fn value(&self) -> Result<Value<'static>, String> {
        Ok(match self {
            Self::Null {} => Value::Null,
            Self::Bool { v } => Value::Bool(*v),
            Self::Int { v } => Value::Int(number(v)?),
            Self::Uint { v } => Value::Uint(number(v)?),
            Self::Double { v } => Value::Double(number(v)?),
            Self::String { v } => Value::from(v.clone()),
            Self::Bytes { b64 } => Value::Bytes(Bytes::Shared(decoded(b64)?.into())),
            Self::Timestamp { s, n } => {
                let timestamp = Timestamp::new(number(s)?, *n);
                Value::Timestamp(timestamp.ok_or_else(|| format!("{s} s {n} ns is no timestamp"))?)
            }
            Self::Duration { s, n } => {
                let seconds: i64 = number(s)?;
                let nanoseconds = seconds.checked_mul(1_000_000_000).and_then(|n_| n_.checked_add(i64::from(*n)));
                Value::Duration(nanoseconds.ok_or_else(|| format!("{s} s {n} ns is no duration"))?)
            }
            Self::List { v } => {
                let elements: Result<Vec<Value<'static>>, String> = v.iter().map(Self::value).collect();
                Value::List(List::Shared(elements?.into()))
            }
            Self::Map { v } => {
                let mut entries = Entries::default();
                for (key, value) in v {
                    entries.push(key.value()?, value.value()?).map_err(|kind| format!("no map: {kind:?}"))?;
                }
                Value::Map(Map::new(entries))
            }
            Self::Enum { v } => Value::Int(*v),
            Self::Type { v } => type_of_name(v)?,
            Self::Message { name, wire } => {
                Value::from_message(name, &decoded(wire)?).map_err(|error| format!("{name}: {error}"))?
            }
        })
    }

    /// What [`show`] says of the value.
    pub(crate) fn shown(&self) -> Result<String, String> {
        match self {
            Self::Type { v } => Ok(format!("type {v}")),
            Self::List { v } => {
                let parts: Result<Vec<String>, String> = v.iter().map(Self::shown).collect();
                Ok(list(&parts?))
            }
            Self::Map { v } => {
                let pairs: Result<Vec<String>, String> =
                    v.iter().map(|(key, value)| Ok(pair(&key.shown()?, &value.shown()?))).collect();
                Ok(map(pairs?))
            }
            plain => plain.value().map(|value| show(&value)),
        }
    }
}

/// The value that the name of a type has in an expression.
fn type_of_name(name: &str) -> Result<Value<'static>, String> {
    let program = Env::builder().build().compile(name).map_err(|errors| errors.to_string())?;
    match program.evaluate(&Vec::<Value<'_>>::new(), &mut Scratch::new()) {
        Ok(value @ Value::Type(_)) => Ok(value.into_static()),
        _ => Err(format!("there is no type `{name}`")),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no such number"))
}

fn decoded(base64: &str) -> Result<Vec<u8>, String> {
    BASE64_STANDARD.decode(base64).map_err(|error| format!("`{base64}` is not base64: {error}"))
}

/// A value with the types of all its parts, in one spelling: two values are the same where their texts are.
pub(crate) fn show(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("bool {value}"),
        Value::Int(value) => format!("int {value}"),
        Value::Uint(value) => format!("uint {value}"),
        Value::Double(value) => format!("double {value:?}"),
        Value::String(text) => format!("string {:?}", &**text),
        Value::Bytes(bytes) => format!("bytes {:?}", bytes.escape_ascii().to_string()),
        Value::Timestamp(at) => format!("timestamp {}.{:09}", at.seconds(), at.subsecond_nanoseconds()),
        Value::Duration(nanoseconds) => format!("duration {nanoseconds}ns"),
        Value::List(elements) => list(&elements.iter().map(show).collect::<Vec<_>>()),
        Value::Map(Map::Entries(entries)) => {
            map(entries.pairs().iter().map(|(key, value)| pair(&show(key), &show(value))).collect())
        }
        Value::Map(Map::Attribute(_) | Map::Lines(_)) => match value.clone().into_static() {
            Value::Map(Map::Entries(_)) => show(&value.clone().into_static()),
            other => format!("{other:?}"),
        },
        Value::Type(name) => format!("type {name}"),
        Value::Optional(None) => "optional none".to_owned(),
        Value::Optional(Some(inner)) => format!("optional {}", show(inner)),
        Value::Ip(address) => format!("ip {address}"),
        Value::Cidr(range) => format!("cidr {range}"),
        other => format!("{other:?}"),
    }
}

fn list(elements: &[String]) -> String {
    format!("[{}]", elements.join(", "))
}

fn pair(key: &str, value: &str) -> String {
    format!("{key}: {value}")
}

fn map(mut pairs: Vec<String>) -> String {
    pairs.sort();
    format!("{{{}}}", pairs.join(", "))
}
