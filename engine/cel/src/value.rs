//! Values: borrowed from the request or the program where they can be, else shared; every clone is cheap.

mod compare;
mod convert;
mod json;
mod map;
mod owned;
mod semver;
mod text;
mod time;
mod url;

use std::{fmt, net::IpAddr, ops::Deref, sync::Arc};

use ipnet::IpNet;

pub(crate) use compare::{equal, order};
pub(crate) use json::json;
pub(crate) use map::{ATTRIBUTE_BYTES, ENTRY_BYTES, attribute as attribute_key, lines as header_lines, lines_of};
pub use map::{Entries, Map};
pub use semver::Semver;
pub use time::Timestamp;
pub(crate) use time::{format_duration, nanoseconds, parse_duration, parse_offset};
pub use url::Url;

/// Something that an expression borrows, or shares with other values.
#[derive(Debug)]
pub enum Held<'a, T: ?Sized> {
    /// Borrowed from the activation or the program.
    Borrowed(&'a T),
    /// Made while running.
    Shared(Arc<T>),
}

impl<T: ?Sized> Clone for Held<'_, T> {
    fn clone(&self) -> Self {
        match self {
            Self::Borrowed(value) => Self::Borrowed(value),
            Self::Shared(value) => Self::Shared(Arc::clone(value)),
        }
    }
}

impl<T: ?Sized> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Borrowed(value) => value,
            Self::Shared(value) => value,
        }
    }
}

impl<'a, T: ?Sized> Held<'a, T> {
    /// The same, borrowed.
    pub(crate) fn lend(&'a self) -> Held<'a, T> {
        Held::Borrowed(self)
    }
}

/// Unicode text.
pub type Text<'a> = Held<'a, str>;
/// A sequence of bytes.
pub type Bytes<'a> = Held<'a, [u8]>;
/// A list.
pub type List<'a> = Held<'a, [Value<'a>]>;

/// The value of an expression.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// 64-bit signed integer.
    Int(i64),
    /// 64-bit unsigned integer.
    Uint(u64),
    /// 64-bit floating point number.
    Double(f64),
    /// Unicode text.
    String(Text<'a>),
    /// A sequence of bytes.
    Bytes(Bytes<'a>),
    /// A point in time.
    Timestamp(Timestamp),
    /// Nanoseconds.
    Duration(i64),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// A type.
    Type(TypeName),
    /// A value, or none.
    Optional(Option<Arc<Value<'a>>>),
    /// An IP address.
    Ip(IpAddr),
    /// A range of IP addresses, its host bits kept.
    Cidr(IpNet),
    /// A URL.
    Url(Arc<Url>),
    /// A semantic version.
    Semver(Arc<Semver>),
}

impl<'a> Value<'a> {
    /// A text that the caller keeps.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self::String(Text::Borrowed(text))
    }

    /// A list that the caller keeps.
    #[must_use]
    pub fn list(elements: &'a [Value<'a>]) -> Self {
        Self::List(List::Borrowed(elements))
    }

    pub(crate) fn shared(text: impl Into<Arc<str>>) -> Self {
        Self::String(Text::Shared(text.into()))
    }

    pub(crate) fn shared_list(elements: Vec<Value<'a>>) -> Self {
        Self::List(List::Shared(elements.into()))
    }

    pub(crate) fn some(value: Value<'a>) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// The same, borrowed where something is shared.
    pub(crate) fn lend(&'a self) -> Value<'a> {
        match self {
            Self::String(text) => Value::String(text.lend()),
            Self::Bytes(bytes) => Value::Bytes(bytes.lend()),
            Self::List(list) => Value::List(list.lend()),
            Self::Map(Map::Entries(entries)) => Value::Map(Map::Entries(entries.lend())),
            other => other.clone(),
        }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, when it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The int, when it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// What `type()` says of it.
    #[must_use]
    pub fn type_name(&self) -> TypeName {
        match self {
            Self::Null => TypeName::Null,
            Self::Bool(_) => TypeName::Bool,
            Self::Int(_) => TypeName::Int,
            Self::Uint(_) => TypeName::Uint,
            Self::Double(_) => TypeName::Double,
            Self::String(_) => TypeName::String,
            Self::Bytes(_) => TypeName::Bytes,
            Self::Timestamp(_) => TypeName::Timestamp,
            Self::Duration(_) => TypeName::Duration,
            Self::List(_) => TypeName::List,
            Self::Map(_) => TypeName::Map,
            Self::Type(_) => TypeName::Type,
            Self::Optional(_) => TypeName::Optional,
            Self::Ip(_) => TypeName::Ip,
            Self::Cidr(_) => TypeName::Cidr,
            Self::Url(_) => TypeName::Url,
            Self::Semver(_) => TypeName::Semver,
        }
    }
}

impl<'a> From<weir_attributes::Value<'a>> for Value<'a> {
    fn from(value: weir_attributes::Value<'a>) -> Self {
        match value {
            weir_attributes::Value::String(text) => Self::text(text),
            weir_attributes::Value::Int(value) => Self::Int(value),
            weir_attributes::Value::Bool(value) => Self::Bool(value),
            weir_attributes::Value::Timestamp(nanoseconds) => Self::Timestamp(Timestamp::from_nanoseconds(nanoseconds)),
            weir_attributes::Value::Duration(nanoseconds) => Self::Duration(nanoseconds),
            weir_attributes::Value::Map(map) => Self::Map(Map::Attribute(Arc::new(map))),
            weir_attributes::Value::ListMap(headers) => Self::Map(Map::Lines(Arc::new(headers))),
            weir_attributes::Value::Struct(map) => Self::Map(Map::Struct(map)),
        }
    }
}

/// The name of a type as a value: `type(1)` or `int`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub enum TypeName {
    Null,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Timestamp,
    Duration,
    List,
    Map,
    Type,
    Optional,
    Ip,
    Cidr,
    Url,
    Semver,
}

impl TypeName {
    const ALL: [Self; 17] = [
        Self::Null,
        Self::Bool,
        Self::Int,
        Self::Uint,
        Self::Double,
        Self::String,
        Self::Bytes,
        Self::Timestamp,
        Self::Duration,
        Self::List,
        Self::Map,
        Self::Type,
        Self::Optional,
        Self::Ip,
        Self::Cidr,
        Self::Url,
        Self::Semver,
    ];

    /// The name as it is written in an expression.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::List => "list",
            Self::Map => "map",
            Self::Type => "type",
            Self::Optional => "optional_type",
            Self::Ip => "net.IP",
            Self::Cidr => "net.CIDR",
            Self::Url => "kubernetes.URL",
            Self::Semver => "kubernetes.Semver",
        }
    }

    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|candidate| candidate.name() == name)
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
