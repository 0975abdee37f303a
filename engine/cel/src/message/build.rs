//! Messages from literals: `google.protobuf.Int32Value{value: 1}`.

use super::{Kind, Message, bytes_of, held, json::json, read, text_of};
use crate::{
    error::EvalErrorKind::{self, Conversion, NoOverload, Overflow},
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
