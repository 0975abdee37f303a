//! Values as literals of the language.

use std::fmt::Write as _;

use crate::{
    limits::RESIDUAL_LITERAL_MAX,
    types::Type,
    value::{Map, Value},
};

/// The literal of a value and the type that the checker gives it; none when there is no short one that surely gives the
/// same value.
pub(super) fn literal(value: &Value<'_>) -> Option<(String, Type)> {
    // Every part of a literal takes a byte at least; one list may hold another many times.
    let ty = type_of(value, &mut RESIDUAL_LITERAL_MAX.clone())?;
    let mut text = Bounded(String::new());
    write!(text, "{value}").ok()?;
    Some((text.0, ty))
}

struct Bounded(String);

impl std::fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        if self.0.len() + text.len() > RESIDUAL_LITERAL_MAX {
            return Err(std::fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn type_of(value: &Value<'_>, room: &mut usize) -> Option<Type> {
    *room = room.checked_sub(1)?;
    Some(match value {
        Value::Null => Type::Null,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Uint(_) => Type::Uint,
        Value::Double(_) => Type::Double,
        Value::String(_) => Type::String,
        Value::Bytes(_) => Type::Bytes,
        Value::Timestamp(_) => Type::Timestamp,
        Value::Duration(_) => Type::Duration,
        Value::Ip(_) => Type::Ip,
        Value::Cidr(_) => Type::Cidr,
        Value::Url(_) => Type::Url,
        Value::Semver(_) => Type::Semver,
        Value::List(list) => {
            let mut joined = Type::Never;
            for element in list.iter() {
                joined = joined.join(&type_of(element, room)?);
            }
            Type::list(joined)
        }
        Value::Map(Map::Entries(entries)) => {
            let (mut keys, mut values) = (Type::Never, Type::Never);
            for (key, value) in entries.pairs() {
                (keys, values) = (keys.join(&type_of(key, room)?), values.join(&type_of(value, room)?));
            }
            Type::map(keys, values)
        }
        Value::Optional(None) => Type::optional(Type::Never),
        Value::Optional(Some(inner)) => Type::optional(type_of(inner, room)?),
        // Names of types may be declared as something else; maps of the request look keys up in their own way.
        _ => return None,
    })
}

/// Whether an expression of that type may stand where one of the other type stood: the checker then finds the same
/// forms and refuses nothing new.
pub(super) fn fits(ty: &Type, wanted: &Type) -> bool {
    match (ty, wanted) {
        (Type::Never, Type::Dyn) => false,
        (Type::Never, _) => true,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => fits(a, b),
        (Type::Map(a, b), Type::Map(c, d)) => fits(a, c) && fits(b, d),
        (a, b) => a == b,
    }
}
