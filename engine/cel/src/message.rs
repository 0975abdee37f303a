//! The messages of protobuf that are values of the language: wrappers, JSON, times and `Any`.

mod build;
mod json;
mod read;
mod wire;

pub(crate) use build::{build, building};
pub use read::MessageError;

use crate::{
    error::EvalErrorKind::{self, Overflow},
    types::Type,
    value::{Bytes, Map, Timestamp, Value, nanoseconds},
};

/// A message that becomes a value of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Float,
    Double,
    Text,
    Bytes,
    Timestamp,
    Duration,
    Struct,
    List,
    Value,
    Any,
}

/// A field, and its number on the wire.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) number: u32,
    pub(crate) kind: Kind,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Float,
    Double,
    Text,
    Bytes,
    /// The one value of the enum `NullValue`.
    Null,
    /// A message `Struct` or `ListValue`.
    Struct,
    List,
    /// The entries of a `Struct`, the elements of a `ListValue`: repeated.
    Entry,
    Element,
}

const fn field(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind }
}

const TIME: &[Field] = &[field("seconds", 1, Kind::Int64), field("nanos", 2, Kind::Int32)];

impl Message {
    pub(crate) const ALL: [Self; 15] = [
        Self::Bool,
        Self::Int32,
        Self::Int64,
        Self::Uint32,
        Self::Uint64,
        Self::Float,
        Self::Double,
        Self::Text,
        Self::Bytes,
        Self::Timestamp,
        Self::Duration,
        Self::Struct,
        Self::List,
        Self::Value,
        Self::Any,
    ];

    /// The full name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bool => "google.protobuf.BoolValue",
            Self::Int32 => "google.protobuf.Int32Value",
            Self::Int64 => "google.protobuf.Int64Value",
            Self::Uint32 => "google.protobuf.UInt32Value",
            Self::Uint64 => "google.protobuf.UInt64Value",
            Self::Float => "google.protobuf.FloatValue",
            Self::Double => "google.protobuf.DoubleValue",
            Self::Text => "google.protobuf.StringValue",
            Self::Bytes => "google.protobuf.BytesValue",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::Struct => "google.protobuf.Struct",
            Self::List => "google.protobuf.ListValue",
            Self::Value => "google.protobuf.Value",
            Self::Any => "google.protobuf.Any",
        }
    }

    pub(crate) fn find(name: &str) -> Option<Self> {
        name.starts_with("google.protobuf.").then(|| Self::ALL.into_iter().find(|message| message.name() == name))?
    }

    /// The type that it has in the language.
    pub(crate) fn ty(self) -> Type {
        match self {
            Self::Bool => Type::wrapper(Type::Bool),
            Self::Int32 | Self::Int64 => Type::wrapper(Type::Int),
            Self::Uint32 | Self::Uint64 => Type::wrapper(Type::Uint),
            Self::Float | Self::Double => Type::wrapper(Type::Double),
            Self::Text => Type::wrapper(Type::String),
            Self::Bytes => Type::wrapper(Type::Bytes),
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
            Self::Struct => Type::map(Type::String, Type::Dyn),
            Self::List => Type::list(Type::Dyn),
            Self::Value | Self::Any => Type::Dyn,
        }
    }

    pub(crate) fn fields(self) -> &'static [Field] {
        match self {
            Self::Bool => const { &[field("value", 1, Kind::Bool)] },
            Self::Int32 => const { &[field("value", 1, Kind::Int32)] },
            Self::Int64 => const { &[field("value", 1, Kind::Int64)] },
            Self::Uint32 => const { &[field("value", 1, Kind::Uint32)] },
            Self::Uint64 => const { &[field("value", 1, Kind::Uint64)] },
            Self::Float => const { &[field("value", 1, Kind::Float)] },
            Self::Double => const { &[field("value", 1, Kind::Double)] },
            Self::Text => const { &[field("value", 1, Kind::Text)] },
            Self::Bytes => const { &[field("value", 1, Kind::Bytes)] },
            Self::Timestamp | Self::Duration => TIME,
            Self::Struct => const { &[field("fields", 1, Kind::Entry)] },
            Self::List => const { &[field("values", 1, Kind::Element)] },
            Self::Value => {
                const {
                    &[
                        field("null_value", 1, Kind::Null),
                        field("number_value", 2, Kind::Double),
                        field("string_value", 3, Kind::Text),
                        field("bool_value", 4, Kind::Bool),
                        field("struct_value", 5, Kind::Struct),
                        field("list_value", 6, Kind::List),
                    ]
                }
            }
            Self::Any => const { &[field("type_url", 1, Kind::Text), field("value", 2, Kind::Bytes)] },
        }
    }

    /// The value of a message whose fields are these, by their place in [`Message::fields`]; the last of a place counts,
    /// and for `Value`, of which one field at a time is set, the last of all. `Any` is not made here.
    fn value<'a>(self, set: Vec<(usize, Value<'a>)>) -> Result<Value<'a>, EvalErrorKind> {
        let int = |place: usize| match set.iter().rev().find(|(other, _)| *other == place) {
            Some((_, Value::Int(value))) => *value,
            _ => 0,
        };
        match self {
            Self::Timestamp => {
                let nanoseconds = u32::try_from(int(1)).map_err(|_| Overflow)?;
                Timestamp::new(int(0), nanoseconds).map(Value::Timestamp).ok_or(Overflow)
            }
            Self::Duration => {
                let (seconds, nanos) = (int(0), int(1));
                let opposed = seconds.signum() * nanos.signum() < 0;
                if opposed || nanos.abs() > 999_999_999 {
                    return Err(Overflow);
                }
                nanoseconds(i128::from(seconds) * 1_000_000_000 + i128::from(nanos)).map(Value::Duration)
            }
            _ => Ok(set.into_iter().next_back().map_or_else(|| self.unset(), |(_, value)| value)),
        }
    }

    /// The value of a message without any field.
    fn unset<'a>(self) -> Value<'a> {
        match self {
            Self::Bool => Value::Bool(false),
            Self::Int32 | Self::Int64 => Value::Int(0),
            Self::Uint32 | Self::Uint64 => Value::Uint(0),
            Self::Float | Self::Double => Value::Double(0.0),
            Self::Text => Value::text(""),
            Self::Bytes => Value::Bytes(Bytes::Borrowed(&[])),
            Self::Struct => Value::Map(Map::new(crate::value::Entries::default())),
            Self::List => Value::list(&[]),
            Self::Value | Self::Any | Self::Timestamp | Self::Duration => Value::Null,
        }
    }
}

impl Kind {
    /// The type of what may be given for it in a literal.
    pub(crate) fn ty(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int32 | Self::Int64 => Type::Int,
            Self::Uint32 | Self::Uint64 => Type::Uint,
            Self::Float | Self::Double => Type::Double,
            Self::Text => Type::String,
            Self::Bytes => Type::Bytes,
            Self::Null => Type::Null,
            Self::Struct | Self::Entry => Type::map(Type::String, Type::Dyn),
            Self::List | Self::Element => Type::list(Type::Dyn),
        }
    }

    /// Whether what has that type may be given for it in a literal.
    pub(crate) fn takes(self, ty: &Type) -> bool {
        self.ty().unite(ty).is_some() || self == Self::Null && *ty == Type::Int
    }
}

/// The name of the one value of the enum `NullValue`, which is 0.
pub(crate) const NULL_VALUE: &str = "google.protobuf.NullValue.NULL_VALUE";

/// The name of the message that an `Any` holds: what follows the last slash of its URL.
fn held(type_url: &str) -> &str {
    type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
}

fn text_of<'v>(set: &'v [(usize, Value<'_>)], place: usize) -> &'v str {
    match set.iter().rev().find(|(other, _)| *other == place) {
        Some((_, Value::String(text))) => text,
        _ => "",
    }
}

fn bytes_of<'v>(set: &'v [(usize, Value<'_>)], place: usize) -> &'v [u8] {
    match set.iter().rev().find(|(other, _)| *other == place) {
        Some((_, Value::Bytes(bytes))) => bytes,
        _ => &[],
    }
}
