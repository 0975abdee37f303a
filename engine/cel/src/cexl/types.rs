//! The types of the language, by Mixer's names.

use std::{fmt, str::FromStr};

use crate::{
    types,
    value::{Bytes, Map, Timestamp, Value},
};

/// The type of an attribute or expression: a `ValueType` of Mixer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// [`Value::String`].
    String,
    /// [`Value::Int`].
    Int64,
    /// [`Value::Double`].
    Double,
    /// [`Value::Bool`].
    Bool,
    /// [`Value::Timestamp`].
    Timestamp,
    /// [`Value::Ip`].
    IpAddress,
    /// [`Value::String`]: an e-mail address.
    EmailAddress,
    /// [`Value::String`]: a URI.
    Uri,
    /// [`Value::String`]: a DNS name.
    DnsName,
    /// [`Value::Duration`].
    Duration,
    /// [`Value::Map`] of texts to texts.
    StringMap,
}

/// How a type is called in Mixer's configuration, and in [`types::Type`].
const NAMES: [(Type, &str, &str); 11] = [
    (Type::String, "STRING", "string"),
    (Type::Int64, "INT64", "int"),
    (Type::Double, "DOUBLE", "double"),
    (Type::Bool, "BOOL", "bool"),
    (Type::Timestamp, "TIMESTAMP", "timestamp"),
    (Type::IpAddress, "IP_ADDRESS", "ip"),
    (Type::EmailAddress, "EMAIL_ADDRESS", "mixer.EmailAddress"),
    (Type::Uri, "URI", "mixer.Uri"),
    (Type::DnsName, "DNS_NAME", "mixer.DnsName"),
    (Type::Duration, "DURATION", "duration"),
    (Type::StringMap, "STRING_MAP", "map(string, string)"),
];

impl Type {
    /// The name in Mixer's configuration: `STRING_MAP`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.names().0
    }

    fn names(self) -> (&'static str, &'static str) {
        NAMES.iter().find(|(ty, ..)| *ty == self).map_or(("", ""), |(_, name, plain)| (name, plain))
    }

    /// Whether its values are texts.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::String | Self::EmailAddress | Self::Uri | Self::DnsName)
    }

    /// Whether a value is one of that type.
    pub(super) fn fits(self, value: &Value<'_>) -> bool {
        match self {
            Self::String | Self::EmailAddress | Self::Uri | Self::DnsName => matches!(value, Value::String(_)),
            Self::Int64 => matches!(value, Value::Int(_)),
            Self::Double => matches!(value, Value::Double(_)),
            Self::Bool => matches!(value, Value::Bool(_)),
            Self::Timestamp => matches!(value, Value::Timestamp(_)),
            Self::IpAddress => matches!(value, Value::Ip(_)),
            Self::Duration => matches!(value, Value::Duration(_)),
            Self::StringMap => matches!(value, Value::Map(_)),
        }
    }

    /// The value of an absent attribute in the mode COMPAT.
    pub(super) fn zero(self) -> Value<'static> {
        match self {
            Self::String | Self::EmailAddress | Self::Uri | Self::DnsName => Value::text(""),
            Self::Int64 => Value::Int(0),
            Self::Double => Value::Double(0.0),
            Self::Bool => Value::Bool(false),
            Self::Timestamp => Value::Timestamp(Timestamp::from_nanoseconds(0)),
            Self::IpAddress => Value::Bytes(Bytes::Borrowed(&[])),
            Self::Duration => Value::Duration(0),
            Self::StringMap => Value::Map(Map::new(Default::default())),
        }
    }

    /// The type of that name in CEL's terms; none for one that the language does not have.
    pub(super) fn of(ty: &types::Type) -> Option<Self> {
        let name = ty.to_string();
        NAMES.iter().find(|(_, _, plain)| *plain == name).map(|(ty, ..)| *ty)
    }
}

/// The same in CEL's terms; what CEL does not have is `mixer.EmailAddress`, `mixer.Uri` and `mixer.DnsName`.
impl From<Type> for types::Type {
    fn from(ty: Type) -> Self {
        match ty {
            Type::String => Self::String,
            Type::Int64 => Self::Int,
            Type::Double => Self::Double,
            Type::Bool => Self::Bool,
            Type::Timestamp => Self::Timestamp,
            Type::IpAddress => Self::Ip,
            Type::Duration => Self::Duration,
            Type::StringMap => Self::map(Self::String, Self::String),
            Type::EmailAddress | Type::Uri | Type::DnsName => Self::opaque(ty.names().1, []),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no type `{0}`: it is one of STRING, INT64, DOUBLE, BOOL, TIMESTAMP, IP_ADDRESS, EMAIL_ADDRESS, URI, DNS_NAME, DURATION, STRING_MAP"
)]
pub struct UnknownType(String);

impl FromStr for Type {
    type Err = UnknownType;

    fn from_str(name: &str) -> Result<Self, UnknownType> {
        let found = NAMES.iter().find(|(_, known, _)| *known == name).map(|(ty, ..)| *ty);
        found.ok_or_else(|| UnknownType(name.chars().take(80).collect()))
    }
}
