//! Types, gradual: what is not known is `dyn`, and `dyn` fits everywhere.

mod text;

use std::sync::Arc;

use crate::{limits::TYPE_PARTS_MAX, message::Message};

/// The type of an expression or variable. Its text reads back as the same type, that of a type parameter excepted:
/// `"map(string, list(int))".parse()`.
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
    /// A URL.
    Url,
    /// A semantic version.
    Semver,
    /// A list of that element.
    List(Arc<Type>),
    /// A map of that key and value.
    Map(Arc<Type>, Arc<Type>),
    /// A value of that type, or none.
    Optional(Arc<Type>),
    /// A value of that plain type, or null: what the wrapper messages of protobuf are.
    Wrapper(Arc<Type>),
    /// A type that only declared functions know.
    Opaque(Arc<Opaque>),
    /// A type parameter of a declared function, which stands for one type in each call. Anywhere else it is `dyn`.
    Param(Arc<str>),
}

/// The name and parameters of a type that only declared functions know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Opaque {
    pub(crate) name: Box<str>,
    pub(crate) params: Box<[Type]>,
}

impl Opaque {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is made of; often nothing.
    #[must_use]
    pub fn params(&self) -> &[Type] {
        &self.params
    }
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

    /// A value of that type or null; of a type that takes null anyway, the type itself.
    #[must_use]
    pub fn wrapper(inner: Type) -> Self {
        match inner {
            Self::Bool | Self::Int | Self::Uint | Self::Double | Self::String | Self::Bytes => {
                Self::Wrapper(Arc::new(inner))
            }
            other => other,
        }
    }

    /// A type that only declared functions know, such as `tuple(int, string)`.
    #[must_use]
    pub fn opaque(name: &str, params: impl IntoIterator<Item = Type>) -> Self {
        Self::Opaque(Arc::new(Opaque { name: name.into(), params: params.into_iter().collect() }))
    }

    /// A type parameter of a declared function.
    #[must_use]
    pub fn param(name: &str) -> Self {
        Self::Param(name.into())
    }

    /// The type that a protobuf message of that full name has in the language; none for a message that it does not know.
    #[must_use]
    pub fn message(name: &str) -> Option<Self> {
        Message::find(name).map(Message::ty)
    }

    pub(crate) fn is_loose(&self) -> bool {
        matches!(self, Self::Dyn | Self::Never | Self::Param(_))
    }

    /// The same without the null that a wrapper may be.
    pub(crate) fn unwrapped(&self) -> &Type {
        match self {
            Self::Wrapper(inner) => inner,
            other => other,
        }
    }

    fn takes_null(&self) -> bool {
        use Type::{Cidr, Duration, Ip, Opaque, Optional, Semver, Timestamp, Url, Wrapper};
        matches!(self, Timestamp | Duration | Optional(_) | Ip | Cidr | Url | Semver | Wrapper(_) | Opaque(_))
    }

    /// The most general of both when one fits where the other does.
    pub(crate) fn unite(&self, other: &Type) -> Option<Type> {
        match (self, other) {
            (Self::Never, kept) | (kept, Self::Never) => Some(kept.clone()),
            (Self::Dyn | Self::Param(_), _) | (_, Self::Dyn | Self::Param(_)) => Some(Self::Dyn),
            (Self::List(a), Self::List(b)) => a.unite(b).map(Self::list),
            (Self::Optional(a), Self::Optional(b)) => a.unite(b).map(Self::optional),
            (Self::Map(a, b), Self::Map(c, d)) => Some(Self::map(a.unite(c)?, b.unite(d)?)),
            (Self::Wrapper(a), Self::Wrapper(b)) => (a == b).then(|| self.clone()),
            (Self::Wrapper(inner), plain) | (plain, Self::Wrapper(inner)) if **inner == *plain => {
                Some(Self::Wrapper(inner.clone()))
            }
            (Self::Null, kept) | (kept, Self::Null) if kept.takes_null() => Some(kept.clone()),
            (Self::Opaque(a), Self::Opaque(b)) if a.name == b.name && a.params.len() == b.params.len() => {
                let params: Option<Vec<Type>> = a.params.iter().zip(&b.params).map(|(a, b)| a.unite(b)).collect();
                params.map(|params| Self::opaque(&a.name, params))
            }
            (a, b) => (a == b).then(|| a.clone()),
        }
    }

    /// As [`Type::unite`], `dyn` where they do not fit.
    pub(crate) fn join(&self, other: &Type) -> Type {
        self.unite(other).unwrap_or(Self::Dyn)
    }

    /// The same, or `dyn` when it has more than [`TYPE_PARTS_MAX`] parts.
    pub(crate) fn bounded(self) -> Type {
        let mut left = TYPE_PARTS_MAX;
        if self.within(&mut left) { self } else { Self::Dyn }
    }

    /// Whether it has at most that many parts.
    fn within(&self, left: &mut usize) -> bool {
        let Some(fewer) = left.checked_sub(1) else { return false };
        *left = fewer;
        match self {
            Self::List(inner) | Self::Optional(inner) | Self::Wrapper(inner) => inner.within(left),
            Self::Map(key, value) => key.within(left) && value.within(left),
            Self::Opaque(opaque) => opaque.params.iter().all(|param| param.within(left)),
            _ => true,
        }
    }

    /// The same with `dyn` for what an empty literal left open.
    #[must_use]
    pub(crate) fn settled(&self) -> Type {
        match self {
            Self::Never | Self::Param(_) => Self::Dyn,
            Self::List(element) => Self::list(element.settled()),
            Self::Map(key, value) => Self::map(key.settled(), value.settled()),
            Self::Optional(inner) => Self::optional(inner.settled()),
            Self::Opaque(opaque) => Self::opaque(&opaque.name, opaque.params.iter().map(Self::settled)),
            other => other.clone(),
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
            weir_attributes::Type::Struct => Self::map(Self::String, Self::Dyn),
        }
    }
}
