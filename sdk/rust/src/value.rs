//! Values that Rust has no name for, and the way of each type to a [`Value`].

use std::time::Duration;

use crate::{Text, Value};

/// Nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// A map of an attribute such as `request.headers`: names in lower case, in the order of the wire.
///
/// ```
/// let headers = weir::Pairs(vec![("x-a".into(), "1".into()), ("x-a".into(), "2".into())]);
/// assert_eq!(headers.get("x-a"), Some("1"));
/// assert_eq!(headers.all("x-a").collect::<Vec<_>>(), ["1", "2"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Every value of that name: more than one only in a `list_map`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

macro_rules! value {
    ($($from:ty => |$name:ident| $value:expr;)*) => {
        $(impl From<$from> for Value {
            fn from($name: $from) -> Self {
                $value
            }
        })*
    };
}

value! {
    &str => |text| Value::Text(text.to_owned());
    String => |text| Value::Text(text);
    Text<'_> => |text| Value::Text(text.to_string());
    i64 => |number| Value::Int(number);
    f64 => |number| Value::Double(number);
    bool => |flag| Value::Boolean(flag);
    Vec<u8> => |bytes| Value::Bytes(bytes);
    Timestamp => |time| Value::Timestamp(time.0);
    Duration => |time| Value::Duration(i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
    Pairs => |pairs| Value::Pairs(pairs.0);
    Vec<String> => |texts| Value::Texts(texts);
}
