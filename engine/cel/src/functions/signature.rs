//! The shapes of parameters and results, and how they take types.

use std::fmt;

use crate::{cost::Extent, types::Type};

/// The type of a parameter or result in a table; letters stand for one type throughout a form.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    Dyn,
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Timestamp,
    Duration,
    Type,
    Ip,
    Cidr,
    Url,
    Semver,
    A,
    B,
    List(&'static Shape),
    Map(&'static Shape, &'static Shape),
    Optional(&'static Shape),
    /// An int, uint or double: in a result the one that was given, `dyn` when they were of several types.
    Number,
    /// What has an order, likewise.
    Comparable,
    /// The one parameter of a form that takes any number of them, one at least.
    Many(&'static Shape),
}

static NUMBERS: [Type; 3] = [Type::Int, Type::Uint, Type::Double];

static COMPARABLE: [Type; 8] =
    [Type::Int, Type::Uint, Type::Double, Type::Bool, Type::Duration, Type::Timestamp, Type::String, Type::Bytes];

/// What the letters stand for.
pub(crate) type Letters = [Option<Type>; 2];

impl Shape {
    /// Whether a value of that type may be given; binds letters.
    pub(crate) fn takes(self, actual: &Type, letters: &mut Letters) -> bool {
        match (self, actual) {
            (Self::A, _) => bind(letters, 0, actual),
            (Self::B, _) => bind(letters, 1, actual),
            (Self::Number, _) => one_of(&NUMBERS, letters, actual),
            (Self::Comparable, _) => one_of(&COMPARABLE, letters, actual),
            (Self::Many(each), _) => each.takes(actual, letters),
            (Self::Dyn, _) | (_, Type::Never) => true,
            // What is inside of it is not known either.
            (Self::List(inner) | Self::Optional(inner), Type::Dyn) => inner.takes(actual, letters),
            (Self::Map(key, value), Type::Dyn) => key.takes(actual, letters) && value.takes(actual, letters),
            (_, Type::Dyn) => true,
            (Self::List(element), Type::List(actual)) => element.takes(actual, letters),
            (Self::Optional(inner), Type::Optional(actual)) => inner.takes(actual, letters),
            (Self::Map(key, value), Type::Map(k, v)) => key.takes(k, letters) && value.takes(v, letters),
            (Self::List(_) | Self::Map(..) | Self::Optional(_), _) => false,
            _ => self.unite(actual),
        }
    }

    /// Whether a value of that extent may be given.
    pub(crate) fn may_take(self, extent: &Extent) -> bool {
        match self {
            Self::A | Self::B | Self::Dyn => true,
            Self::Many(each) => each.may_take(extent),
            Self::List(_) => extent.may_be_list(),
            Self::Map(..) => extent.may_be_map(),
            Self::Optional(_) => extent.may_be_optional(),
            _ => extent.may_be_flat(),
        }
    }

    fn unite(self, actual: &Type) -> bool {
        self.result(&Letters::default()).unite(actual).is_some()
    }

    /// The type, with what the letters stand for.
    pub(crate) fn result(self, letters: &Letters) -> Type {
        let letter = |index: usize| letters.get(index).cloned().flatten().unwrap_or(Type::Never);
        match self {
            Self::Dyn => Type::Dyn,
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::Text => Type::String,
            Self::Bytes => Type::Bytes,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
            Self::Type => Type::Type,
            Self::Ip => Type::Ip,
            Self::Cidr => Type::Cidr,
            Self::Url => Type::Url,
            Self::Semver => Type::Semver,
            Self::A | Self::Number | Self::Comparable => letter(0),
            Self::B => letter(1),
            Self::List(element) => Type::list(element.result(letters)),
            Self::Map(key, value) => Type::map(key.result(letters), value.result(letters)),
            Self::Optional(inner) => Type::optional(inner.result(letters)),
            Self::Many(each) => each.result(letters),
        }
    }
}

/// Whether a type is one of a class; what the class stands for is then that type, `dyn` when there are several.
fn one_of(class: &[Type], letters: &mut Letters, actual: &Type) -> bool {
    let actual = actual.unwrapped();
    let fits = actual.is_loose() || class.contains(actual);
    if let Some(place) = letters.first_mut().filter(|_| fits) {
        *place = Some(place.as_ref().map_or_else(|| actual.clone(), |bound| bound.join(actual)));
    }
    fits
}

fn bind(letters: &mut Letters, index: usize, actual: &Type) -> bool {
    let Some(place) = letters.get_mut(index) else { return false };
    let united = match place {
        None => Some(actual.clone()),
        Some(bound) => bound.unite(actual),
    };
    let fits = united.is_some();
    if fits {
        *place = united;
    }
    fits
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A => f.write_str("A"),
            Self::B => f.write_str("B"),
            Self::Number => f.write_str("number"),
            Self::Comparable => f.write_str("comparable"),
            Self::Many(each) => write!(f, "{each}, ..."),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(inner) => write!(f, "optional({inner})"),
            other => write!(f, "{}", other.result(&Letters::default())),
        }
    }
}
