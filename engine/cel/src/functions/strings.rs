//! Texts: the standard functions and the strings extension. Positions are counted in code points.

use super::{Function, Outcome, Shape, global, lists, method};
use crate::{
    error::EvalErrorKind::{self, NoOverload, OutOfRange},
    run::Budget,
    value::{Text, Value},
};

const T: Shape = Shape::Text;
const I: Shape = Shape::Int;
const TEXTS: Shape = Shape::List(&Shape::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    method("contains", &[T, T], Shape::Bool, contains),
    method("startsWith", &[T, T], Shape::Bool, starts_with),
    method("endsWith", &[T, T], Shape::Bool, ends_with),
    method("charAt", &[T, I], T, char_at),
    method("indexOf", &[T, T], I, index_of),
    method("indexOf", &[T, T, I], I, index_of),
    method("lastIndexOf", &[T, T], I, last_index_of),
    method("lastIndexOf", &[T, T, I], I, last_index_of),
    method("lowerAscii", &[T], T, lower_ascii),
    method("upperAscii", &[T], T, upper_ascii),
    method("replace", &[T, T, T], T, replace),
    method("replace", &[T, T, T, I], T, replace),
    method("split", &[T, T], TEXTS, split),
    method("split", &[T, T, I], TEXTS, split),
    method("substring", &[T, I], T, substring),
    method("substring", &[T, I, I], T, substring),
    method("trim", &[T], T, trim),
    method("join", &[TEXTS], T, join),
    method("join", &[TEXTS, T], T, join),
    method("reverse", &[T], T, reverse),
    global("strings.quote", &[T], T, quote),
];

fn contains<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = args else { return Err(NoOverload) };
    budget.read(text.len())?;
    Ok(Value::Bool(text.contains(&**part)))
}

fn starts_with<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = args else { return Err(NoOverload) };
    Ok(Value::Bool(text.starts_with(&**part)))
}

fn ends_with<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = args else { return Err(NoOverload) };
    Ok(Value::Bool(text.ends_with(&**part)))
}

/// A part of a text: borrowed when the text is.
pub(super) fn slice<'a>(text: &Text<'a>, range: std::ops::Range<usize>, budget: &mut Budget) -> Outcome<'a> {
    match text {
        Text::Borrowed(text) => text.get(range).map(Value::text).ok_or(OutOfRange),
        Text::Shared(text) => {
            let part = text.get(range).ok_or(OutOfRange)?;
            budget.grow(part.len())?;
            Ok(Value::shared(part))
        }
    }
}

fn made<'a>(text: String, budget: &mut Budget) -> Outcome<'a> {
    budget.grow(text.len())?;
    Ok(Value::shared(text))
}

/// The byte where that code point starts; the end of the text counts as one.
fn byte_at(text: &str, position: i64) -> Result<usize, EvalErrorKind> {
    let position = usize::try_from(position).map_err(|_| OutOfRange)?;
    if position > text.len() {
        return Err(OutOfRange);
    }
    if text.get(..position).is_some_and(str::is_ascii) {
        return Ok(position);
    }
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(position).ok_or(OutOfRange)
}

fn position_of(text: &str, byte: usize) -> i64 {
    text.get(..byte).map_or(0, |head| head.chars().count() as i64)
}

fn char_at<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::Int(position)] = args else { return Err(NoOverload) };
    budget.read(text.len())?;
    let start = byte_at(text, *position)?;
    let length = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    slice(text, start..start + length, budget)
}

fn index_of<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, part, from) = match args {
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, *from),
        [Value::List(_), _] => return lists::index_of(args, budget),
        _ => return Err(NoOverload),
    };
    budget.read(text.len())?;
    if part.is_empty() {
        byte_at(text, from)?;
        return Ok(Value::Int(from));
    }
    let start = byte_at(text, from)?;
    let found = text.get(start..).and_then(|rest| rest.find(&**part));
    Ok(Value::Int(found.map_or(-1, |at| position_of(text, start + at))))
}

fn last_index_of<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, part, until) = match args {
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(until)] => (text, part, Some(*until)),
        [Value::List(_), _] => return lists::last_index_of(args, budget),
        _ => return Err(NoOverload),
    };
    budget.read(text.len())?;
    let Some(until) = until else {
        return Ok(Value::Int(text.rfind(&**part).map_or(-1, |at| position_of(text, at))));
    };
    // The last occurrence that begins at or before that position.
    let end = (byte_at(text, until)? + part.len()).min(text.len());
    let head = text.get(..floor(text, end)).unwrap_or_default();
    Ok(Value::Int(head.rfind(&**part).map_or(-1, |at| position_of(text, at))))
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn lower_ascii<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::String(text)] if !text.bytes().any(|byte| byte.is_ascii_uppercase()) => Ok(Value::String(text.clone())),
        [Value::String(text)] => made(text.to_ascii_lowercase(), budget),
        _ => Err(NoOverload),
    }
}

fn upper_ascii<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::String(text)] if !text.bytes().any(|byte| byte.is_ascii_lowercase()) => Ok(Value::String(text.clone())),
        [Value::String(text)] => made(text.to_ascii_uppercase(), budget),
        _ => Err(NoOverload),
    }
}

fn replace<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, from, to, count) = match args {
        [Value::String(text), Value::String(from), Value::String(to)] => (text, from, to, usize::MAX),
        [Value::String(text), Value::String(from), Value::String(to), Value::Int(count)] => {
            (text, from, to, usize::try_from(*count).unwrap_or(usize::MAX))
        }
        _ => return Err(NoOverload),
    };
    budget.read(text.len())?;
    // What it will hold is known before it is built.
    let hits = text.matches(&**from).take(count).count();
    budget.grow(text.len() + hits.saturating_mul(to.len()))?;
    Ok(Value::shared(text.replacen(&**from, to, count)))
}

fn split<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, separator, limit) = match args {
        [Value::String(text), Value::String(separator)] => (text, separator, -1),
        [Value::String(text), Value::String(separator), Value::Int(limit)] => (text, separator, *limit),
        _ => return Err(NoOverload),
    };
    budget.read(text.len())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let most = if separator.is_empty() { text.len() } else { text.matches(&**separator).count() + 1 };
    budget.grow(most.min(limit).saturating_mul(size_of::<Value<'_>>()))?;
    let pieces = pieces(text, separator, limit);
    let mut parts = Vec::with_capacity(pieces.len());
    for range in pieces {
        parts.push(slice(text, range, budget)?);
    }
    Ok(Value::shared_list(parts))
}

/// At most `limit` pieces; an empty separator splits between code points.
fn pieces(text: &str, separator: &str, limit: usize) -> Vec<std::ops::Range<usize>> {
    let mut pieces = Vec::new();
    if limit == 0 {
        return pieces;
    }
    let mut start = 0;
    if separator.is_empty() {
        for (at, _) in text.char_indices().skip(1) {
            if pieces.len() + 1 == limit {
                break;
            }
            pieces.push(start..at);
            start = at;
        }
        if !text.is_empty() {
            pieces.push(start..text.len());
        }
        return pieces;
    }
    for (at, _) in text.match_indices(separator) {
        if pieces.len() + 1 == limit {
            break;
        }
        pieces.push(start..at);
        start = at + separator.len();
    }
    pieces.push(start..text.len());
    pieces
}

fn substring<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, start, end) = match args {
        [Value::String(text), Value::Int(start)] => (text, byte_at(text, *start)?, text.len()),
        [Value::String(text), Value::Int(start), Value::Int(end)] => {
            (text, byte_at(text, *start)?, byte_at(text, *end)?)
        }
        _ => return Err(NoOverload),
    };
    budget.read(text.len())?;
    if start > end {
        return Err(OutOfRange);
    }
    slice(text, start..end, budget)
}

fn trim<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text)] = args else { return Err(NoOverload) };
    budget.read(text.len())?;
    let start = text.len() - text.trim_start().len();
    slice(text, start..text.trim_end().len().max(start), budget)
}

fn join<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (list, separator) = match args {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::String(separator)] => (list, &**separator),
        _ => return Err(NoOverload),
    };
    let mut size = 0;
    for element in list.iter() {
        size += element.as_str().ok_or(NoOverload)?.len() + separator.len();
    }
    budget.spend(list.len())?;
    budget.grow(size)?;
    let mut whole = String::with_capacity(size);
    for (index, element) in list.iter().enumerate() {
        if index > 0 {
            whole.push_str(separator);
        }
        whole.push_str(element.as_str().unwrap_or_default());
    }
    Ok(Value::shared(whole))
}

fn reverse<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text)] = args else { return lists::reverse(args, budget) };
    budget.read(text.len())?;
    made(text.chars().rev().collect(), budget)
}

fn quote<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text)] = args else { return Err(NoOverload) };
    budget.grow(text.len() * 2 + 2)?;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    Ok(Value::shared(quoted))
}
