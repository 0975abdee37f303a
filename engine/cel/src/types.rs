//! Types, gradual: what is not known is `dyn`, and `dyn` fits everywhere.

use std::{fmt, sync::Arc};

/// The type of an expression or variable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Type {
    /// Not known before the expression runs.
    Dyn,
    /// The element of an empty literal: it fits everywhere, and is `dyn` where it stays.
    Never,
    /// `null`.
    Null,
    /// True or false.
    Bool,
    /// 64-bit signed integer.
    Int,
    /// 64-bit unsigned integer.
    Uint,
    /// 64-bit floating point number.
    Double,
    /// Unicode text.
    String,
    /// A sequence of bytes.
    Bytes,
    /// A point in time, years 1 to 9999, in nanoseconds.
    Timestamp,
    /// A span of time in nanoseconds, about 292 years at most.
    Duration,
    /// The type of a type.
    Type,
    /// An IP address.
    Ip,
    /// A range of IP addresses.
    Cidr,
    /// A list of that element.
    List(Arc<Type>),
    /// A map of that key and value.
    Map(Arc<Type>, Arc<Type>),
    /// A value of that type, or none.
    Optional(Arc<Type>),
}

impl Type {
    /// A list of that element.
    #[must_use]
    pub fn list(element: Type) -> Self {
        Self::List(Arc::new(element))
    }

    /// A map of that key and value.
    #[must_use]
    pub fn map(key: Type, value: Type) -> Self {
        Self::Map(Arc::new(key), Arc::new(value))
    }

    /// An optional of that type.
    #[must_use]
    pub fn optional(inner: Type) -> Self {
        Self::Optional(Arc::new(inner))
    }

    pub(crate) fn is_loose(&self) -> bool {
        matches!(self, Self::Dyn | Self::Never)
    }

    fn takes_null(&self) -> bool {
        matches!(self, Self::Timestamp | Self::Duration | Self::Optional(_) | Self::Ip | Self::Cidr)
    }

    /// The most general of both when one fits where the other does.
    pub(crate) fn unite(&self, other: &Type) -> Option<Type> {
        match (self, other) {
            (Self::Never, kept) | (kept, Self::Never) => Some(kept.clone()),
            (Self::Dyn, _) | (_, Self::Dyn) => Some(Self::Dyn),
            (Self::List(a), Self::List(b)) => a.unite(b).map(Self::list),
            (Self::Optional(a), Self::Optional(b)) => a.unite(b).map(Self::optional),
            (Self::Map(a, b), Self::Map(c, d)) => Some(Self::map(a.unite(c)?, b.unite(d)?)),
            (Self::Null, kept) | (kept, Self::Null) if kept.takes_null() => Some(kept.clone()),
            (a, b) => (a == b).then(|| a.clone()),
        }
    }

    /// As [`Type::unite`], `dyn` where they do not fit.
    pub(crate) fn join(&self, other: &Type) -> Type {
        self.unite(other).unwrap_or(Self::Dyn)
    }

    /// The same with `dyn` for what an empty literal left open.
    #[must_use]
    pub(crate) fn settled(&self) -> Type {
        match self {
            Self::Never => Self::Dyn,
            Self::List(element) => Self::list(element.settled()),
            Self::Map(key, value) => Self::map(key.settled(), value.settled()),
            Self::Optional(inner) => Self::optional(inner.settled()),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn | Self::Never => f.write_str("dyn"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::Type => f.write_str("type"),
            Self::Ip => f.write_str("ip"),
            Self::Cidr => f.write_str("cidr"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(inner) => write!(f, "optional({inner})"),
        }
    }
}

impl From<weir_attributes::Type> for Type {
    fn from(ty: weir_attributes::Type) -> Self {
        match ty {
            weir_attributes::Type::String => Self::String,
            weir_attributes::Type::Int => Self::Int,
            weir_attributes::Type::Bool => Self::Bool,
            weir_attributes::Type::Timestamp => Self::Timestamp,
            weir_attributes::Type::Duration => Self::Duration,
            weir_attributes::Type::Map => Self::map(Self::String, Self::String),
            weir_attributes::Type::ListMap => Self::map(Self::String, Self::list(Self::String)),
        }
    }
}
