//! Messages from literals: `google.protobuf.Int32Value{value: 1}`.

use super::{Kind, Message, bytes_of, held, json::json, read, text_of};
use crate::{
    cost::{Bounds, Extent, Spend, Whole},
    error::EvalErrorKind::{self, Conversion, NoOverload, Overflow},
    functions::Effect,
    run::Budget,
    value::Value,
};

/// The value of a message literal. The first argument says which message it is and what the others are: the message's
/// place in [`Message::ALL`], and for each other argument the field's place in [`Message::fields`] and 1 where the
/// argument is an optional that stands for the field.
pub(crate) fn build<'a>(args: &[Value<'a>], budget: &mut Budget) -> Result<Value<'a>, EvalErrorKind> {
    let [Value::Bytes(form), given @ ..] = args else { return Err(NoOverload) };
    let Some((which, places)) = form.split_first() else { return Err(NoOverload) };
    let message = Message::ALL.get(usize::from(*which)).copied().ok_or(NoOverload)?;
    let mut set = Vec::with_capacity(given.len());
    for (place, value) in places.chunks_exact(2).zip(given) {
        let &[place, optional] = place else { return Err(NoOverload) };
        let field = message.fields().get(usize::from(place)).ok_or(NoOverload)?;
        let value = match (optional, value) {
            (0, value) => value,
            (_, Value::Optional(Some(value))) => value,
            (_, Value::Optional(None)) => continue,
            _ => return Err(NoOverload),
        };
        set.push((usize::from(place), convert(field.kind, value, budget)?));
    }
    if message == Message::Any {
        let inner = Message::find(held(text_of(&set, 0))).ok_or(Conversion)?;
        let bytes = bytes_of(&set, 1);
        budget.read(bytes.len())?;
        return read::read(inner, bytes, 1, budget).map_err(read::MessageError::kind);
    }
    message.value(set)
}

/// A value as a field holds it.
fn convert<'a>(kind: Kind, value: &Value<'a>, budget: &mut Budget) -> Result<Value<'a>, EvalErrorKind> {
    match (kind, value) {
        (Kind::Int32, Value::Int(number)) => i32::try_from(*number).map(|n| Value::Int(n.into())).map_err(|_| Overflow),
        (Kind::Uint32, Value::Uint(number)) => {
            u32::try_from(*number).map(|n| Value::Uint(n.into())).map_err(|_| Overflow)
        }
        // Rounded to the nearest, which is infinite for the largest.
        (Kind::Float, Value::Double(number)) => Ok(Value::Double(f64::from(*number as f32))),
        (Kind::Null, Value::Int(_)) => Ok(Value::Null),
        (Kind::Bool, Value::Bool(_))
        | (Kind::Int64, Value::Int(_))
        | (Kind::Uint64, Value::Uint(_))
        | (Kind::Double, Value::Double(_))
        | (Kind::Text, Value::String(_))
        | (Kind::Bytes, Value::Bytes(_))
        | (Kind::Null, Value::Null) => Ok(value.clone()),
        (Kind::Struct | Kind::Entry, Value::Map(_)) | (Kind::List | Kind::Element, Value::List(_)) => {
            json(value, 0, budget)
        }
        _ => Err(NoOverload),
    }
}

/// What [`build`] takes and gives.
pub(crate) fn building(message: Message, fields: &[Extent]) -> Effect {
    let whole = fields.iter().fold((0_u64, 0_u64, 0_u64), |(parts, bytes, counting), field| {
        let whole = field.whole();
        (parts.saturating_add(whole.parts), bytes.saturating_add(whole.bytes), counting.saturating_add(whole.counting))
    });
    let (parts, bytes, counting) = whole;
    let most = |steps: u64, bytes: u64| Spend::steps(Bounds::at_most(steps)) + Spend::grow(Bounds::at_most(bytes));
    match message {
        Message::Any => {
            let made = bytes.saturating_mul(READ_BYTES).saturating_add(READ_BYTES);
            let gives = Whole { parts: bytes.saturating_mul(2).saturating_add(2), bytes, counting: 0 };
            Effect { spend: most(bytes, made), gives: Extent::any(gives) }
        }
        Message::Struct | Message::List | Message::Value => {
            // Numbers become texts, bytes base64, and the keys of maps are listed and looked for.
            let made = parts.saturating_mul(JSON_BYTES).saturating_add(bytes.saturating_mul(3));
            let gives = Whole { parts, bytes: made, counting };
            let steps = parts.saturating_mul(2).saturating_add(bytes / 32).saturating_add(counting.saturating_mul(2));
            Effect { spend: most(steps, made), gives: Extent::any(gives) }
        }
        _ => {
            let len = fields.iter().map(|field| field.len().max).max().unwrap_or(0);
            Effect { spend: Spend::default(), gives: Extent::text(Bounds::at_most(len)) }
        }
    }
}

/// The bytes that one byte on the wire can make: the smallest entry of a `Struct` has two, and one that stands in parts is
/// copied once for each level that it is nested.
const READ_BYTES: u64 = 256;

/// The bytes that one value can take as JSON beside its texts: an entry and its key, or a long number.
const JSON_BYTES: u64 = 256;
