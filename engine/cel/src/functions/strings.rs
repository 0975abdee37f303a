//! Texts: the standard functions and the strings extension. Positions are counted in code points.

use super::{Effect, Function, Growth, Outcome, Shape, global, growth::reading, lists, method};
use crate::{
    cost::{Bounds, Extent, Spend, list_bytes},
    error::EvalErrorKind::{self, NoOverload, OutOfRange},
    run::Budget,
    value::{Text, Value},
};

const T: Shape = Shape::Text;
const I: Shape = Shape::Int;
const TEXTS: Shape = Shape::List(&Shape::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    method("contains", &[T, T], Shape::Bool, contains).costs(Growth::Reads),
    method("startsWith", &[T, T], Shape::Bool, starts_with).costs(Growth::Reads),
    method("endsWith", &[T, T], Shape::Bool, ends_with).costs(Growth::Reads),
    method("charAt", &[T, I], T, char_at).costs(Growth::By(letter)),
    method("indexOf", &[T, T], I, index_of).costs(Growth::Reads),
    method("indexOf", &[T, T, I], I, index_of).costs(Growth::Reads),
    method("lastIndexOf", &[T, T], I, last_index_of).costs(Growth::Reads),
    method("lastIndexOf", &[T, T, I], I, last_index_of).costs(Growth::Reads),
    method("lowerAscii", &[T], T, lower_ascii).costs(Growth::Copies(1, 0)),
    method("upperAscii", &[T], T, upper_ascii).costs(Growth::Copies(1, 0)),
    method("replace", &[T, T, T], T, replace).costs(Growth::By(replacing)),
    method("replace", &[T, T, T, I], T, replace).costs(Growth::By(replacing)),
    method("split", &[T, T], TEXTS, split).costs(Growth::By(splitting)),
    method("split", &[T, T, I], TEXTS, split).costs(Growth::By(splitting)),
    method("substring", &[T, I], T, substring).costs(Growth::Copies(1, 0)),
    method("substring", &[T, I, I], T, substring).costs(Growth::Copies(1, 0)),
    method("trim", &[T], T, trim).costs(Growth::Copies(1, 0)),
    method("join", &[TEXTS], T, join).costs(Growth::By(joining)),
    method("join", &[TEXTS, T], T, join).costs(Growth::By(joining)),
    method("reverse", &[T], T, reverse).costs(Growth::Copies(1, 0)),
    global("strings.quote", &[T], T, quote).costs(Growth::Copies(2, 2)),
];

fn contains<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = args else { return Err(NoOverload) };
    budget.read(text.len())?;
    Ok(Value::Bool(text.contains(&**part)))
}

fn starts_with<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = args else { return Err(NoOverload) };
    budget.read(part.len())?;
    Ok(Value::Bool(text.starts_with(&**part)))
}

fn ends_with<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(part)] = args else { return Err(NoOverload) };
    budget.read(part.len())?;
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
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, Some(*from)),
        [Value::List(_), _] => return lists::index_of(args, budget),
        _ => return Err(NoOverload),
    };
    budget.read(text.len())?;
    if part.is_empty() {
        return nowhere(text, from.unwrap_or(0));
    }
    let start = from.map_or(Ok(0), |from| place_in(text, from))?;
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
    if part.is_empty() {
        return nowhere(text, until);
    }
    // The last occurrence that begins at or before that position.
    let end = (place_in(text, until)? + part.len()).min(text.len());
    let head = text.get(..floor(text, end)).unwrap_or_default();
    Ok(Value::Int(head.rfind(&**part).map_or(-1, |at| position_of(text, at))))
}

/// Where an empty text is found: where the search begins, at the latest at the end.
fn nowhere<'a>(text: &str, position: i64) -> Outcome<'a> {
    if position < 0 {
        return Err(OutOfRange);
    }
    Ok(Value::Int(position.min(text.chars().count() as i64)))
}

/// As [`byte_at`], where the end is no place to begin at.
fn place_in(text: &str, position: i64) -> Result<usize, EvalErrorKind> {
    match byte_at(text, position)? {
        at if at < text.len() => Ok(at),
        _ => Err(OutOfRange),
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn lower_ascii<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    budget.read(args.first().and_then(Value::as_str).map_or(0, str::len))?;
    match args {
        [Value::String(text)] if !text.bytes().any(|byte| byte.is_ascii_uppercase()) => Ok(Value::String(text.clone())),
        [Value::String(text)] => {
            budget.grow(text.len())?;
            Ok(Value::shared(text.to_ascii_lowercase()))
        }
        _ => Err(NoOverload),
    }
}

fn upper_ascii<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    budget.read(args.first().and_then(Value::as_str).map_or(0, str::len))?;
    match args {
        [Value::String(text)] if !text.bytes().any(|byte| byte.is_ascii_lowercase()) => Ok(Value::String(text.clone())),
        [Value::String(text)] => {
            budget.grow(text.len())?;
            Ok(Value::shared(text.to_ascii_uppercase()))
        }
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
    budget.grow(text.len().saturating_add(hits.saturating_mul(to.len())))?;
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
    // The pieces, and the list of them.
    budget.grow(most.min(limit).saturating_mul(2 * size_of::<Value<'_>>()))?;
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
    budget.read(args.first().and_then(Value::as_str).map_or(0, str::len))?;
    let (text, start, end) = match args {
        [Value::String(text), Value::Int(start)] => (text, byte_at(text, *start)?, text.len()),
        [Value::String(text), Value::Int(start), Value::Int(end)] => {
            (text, byte_at(text, *start)?, byte_at(text, *end)?)
        }
        _ => return Err(NoOverload),
    };
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
    budget.spend(list.len())?;
    let mut size = 0;
    for element in list.iter() {
        size += element.as_str().ok_or(NoOverload)?.len() + separator.len();
    }
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
    budget.grow(text.len())?;
    let mut reversed = String::with_capacity(text.len());
    reversed.extend(text.chars().rev());
    Ok(Value::shared(reversed))
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

fn letter(args: &[Extent]) -> Effect {
    Effect { spend: reading(args) + Spend::grow(Bounds::at_most(4)), gives: Extent::text(Bounds::at_most(4)) }
}

/// How often a separator or a text to replace can stand in a text; an empty one stands between all letters.
fn hits(args: &[Extent]) -> u64 {
    let [text, part, ..] = args else { return u64::MAX };
    match part.len().min {
        0 => text.len().max.saturating_add(1),
        least => text.len().max / least,
    }
}

fn replacing(args: &[Extent]) -> Effect {
    let [text, _, to, ..] = args else { return Effect::unknown() };
    let len = Bounds::at_most(text.len().max.saturating_add(hits(args).saturating_mul(to.len().max)));
    Effect { spend: reading(args) + Spend::grow(len), gives: Extent::text(len) }
}

fn splitting(args: &[Extent]) -> Effect {
    let [text, ..] = args else { return Effect::unknown() };
    let all = Bounds::at_most(text.len().max);
    let pieces = Bounds::at_most(hits(args).saturating_add(1));
    let spend = reading(args) + Spend::grow(list_bytes(pieces)) + Spend::grow(list_bytes(pieces)) + Spend::grow(all);
    let spend = spend + Spend::steps(Bounds::at_most(1));
    Effect { spend, gives: Extent::list(pieces, Extent::text(all)).of_bytes(all.max) }
}

fn joining(args: &[Extent]) -> Effect {
    let [list, separators @ ..] = args else { return Effect::unknown() };
    let count = Bounds::at_most(list.count().max);
    let separator = separators.first().map_or(Bounds::ZERO, Extent::len);
    let len = Bounds::at_most(list.whole().bytes) + count.times(Bounds::at_most(separator.max));
    Effect { spend: reading(args) + Spend::steps(count) + Spend::grow(len), gives: Extent::text(len) }
}
