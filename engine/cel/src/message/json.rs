//! Values as JSON has them: what a `Struct`, `ListValue` or `Value` can hold.

use crate::{
    error::EvalErrorKind::{self, Conversion, NoOverload},
    limits::MESSAGE_NESTING_MAX,
    run::Budget,
    value::{Entries, Map, Value, format_duration},
};

/// The integers that a double holds exactly, each alone.
const INTEROPERABLE: i64 = (1 << 53) - 1;

/// The value as JSON; `depth` lists and maps are around it.
pub(super) fn json<'a>(value: &Value<'a>, depth: usize, budget: &mut Budget) -> Result<Value<'a>, EvalErrorKind> {
    if depth >= MESSAGE_NESTING_MAX {
        return Err(Conversion);
    }
    budget.spend(1)?;
    let text = match value {
        Value::Null | Value::Bool(_) | Value::Double(_) | Value::String(_) => return Ok(value.clone()),
        Value::Int(number) if (-INTEROPERABLE..=INTEROPERABLE).contains(number) => {
            return Ok(Value::Double(*number as f64));
        }
        Value::Uint(number) if *number <= INTEROPERABLE.cast_unsigned() => return Ok(Value::Double(*number as f64)),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Timestamp(time) => time.to_string(),
        Value::Duration(nanoseconds) => format_duration(*nanoseconds),
        Value::Bytes(bytes) => {
            budget.grow(bytes.len().div_ceil(3) * 4)?;
            return Ok(Value::shared(base64(bytes)));
        }
        Value::List(list) => {
            budget.grow(size_of_val(&**list))?;
            let elements: Result<Vec<Value<'a>>, _> =
                list.iter().map(|element| json(element, depth + 1, budget)).collect();
            return elements.map(Value::shared_list);
        }
        Value::Map(map) => return object(map, depth, budget),
        _ => return Err(NoOverload),
    };
    budget.grow(text.len())?;
    Ok(Value::shared(text))
}

fn object<'a>(map: &Map<'a>, depth: usize, budget: &mut Budget) -> Result<Value<'a>, EvalErrorKind> {
    let mut entries = Entries::default();
    for key in map.keys(budget)? {
        if key.as_str().is_none() {
            return Err(NoOverload);
        }
        let value = map.get(&key, budget)?.ok_or(EvalErrorKind::AbsentKey)?;
        let value = json(&value, depth + 1, budget)?;
        entries.insert(key, value, budget)?;
    }
    Ok(Value::Map(Map::new(entries)))
}

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for place in 0..4 {
            let letter = ALPHABET.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            text.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}
