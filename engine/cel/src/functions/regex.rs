//! Regular expressions: RE2's language, in linear time.

use regex::{Captures, Regex, RegexBuilder};

use super::{Function, Outcome, Shape, global, method, strings::slice};
use crate::{
    error::EvalErrorKind::{self, BadPattern, Invalid, NoOverload},
    limits::{REGEX_RUN_MAX, REGEX_RUN_STEPS},
    run::Budget,
    value::{Text, Value},
};

const T: Shape = Shape::Text;
const TEXTS: Shape = Shape::List(&Shape::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    global("matches", &[T, T], Shape::Bool, matches),
    method("matches", &[T, T], Shape::Bool, matches),
    method("find", &[T, T], T, |args, budget| computed(args, find, budget)),
    method("findAll", &[T, T], TEXTS, |args, budget| computed(args, find_all, budget)),
    method("findAll", &[T, T, Shape::Int], TEXTS, |args, budget| computed(args, find_all, budget)),
    global("regex.extract", &[T, T], Shape::Optional(&T), |args, budget| computed(args, extract, budget)),
    global("regex.extractAll", &[T, T], TEXTS, |args, budget| computed(args, extract_all, budget)),
    global("regex.replace", &[T, T, T], T, |args, budget| computed(args, replace, budget)),
    global("regex.replace", &[T, T, T, Shape::Int], T, |args, budget| computed(args, replace, budget)),
];

/// The code of a function whose second argument is a pattern, which is compiled already.
pub(crate) type Search = for<'a> fn(&Regex, &[Value<'a>], &mut Budget) -> Outcome<'a>;

/// That of the function of that name; `matches` is a test, which has a plan of its own.
pub(crate) fn search(name: &str) -> Option<Search> {
    Some(match name {
        "find" => find,
        "findAll" => find_all,
        "regex.extract" => extract,
        "regex.extractAll" => extract_all,
        "regex.replace" => replace,
        _ => return None,
    })
}

/// What is wrong with a pattern, and with the replacement where that is known, for that function.
pub(crate) fn misuse(name: &str, pattern: &Regex, replacement: Option<&str>) -> Option<&'static str> {
    match (name, replacement) {
        ("regex.extract" | "regex.extractAll", _) if groups(pattern) > 1 => Some("the pattern has more than one group"),
        ("regex.replace", Some(text)) if parts(text, groups(pattern)).any(|part| part.is_err()) => {
            Some("the replacement names a group that the pattern does not have, or has a lone backslash")
        }
        _ => None,
    }
}

/// Compiles a pattern whose compiled form is at most `limit` bytes.
pub(crate) fn compile(pattern: &str, limit: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(limit).dfa_size_limit(limit).nest_limit(64).build()
}

/// Compiles a pattern that is computed while running: the planner compiles those that stand in the source.
fn compile_now(pattern: &str, budget: &mut Budget) -> Result<Regex, EvalErrorKind> {
    budget.spend(REGEX_RUN_STEPS as usize)?;
    budget.read(pattern.len())?;
    compile(pattern, REGEX_RUN_MAX).map_err(|_| BadPattern)
}

fn matches<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern)] = args else { return Err(NoOverload) };
    let pattern = compile_now(pattern, budget)?;
    budget.read(text.len())?;
    Ok(Value::Bool(pattern.is_match(text)))
}

fn computed<'a>(args: &[Value<'a>], run: Search, budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(_), Value::String(pattern), ..] = args else { return Err(NoOverload) };
    let pattern = compile_now(pattern, budget)?;
    run(&pattern, args, budget)
}

/// How many groups a pattern has.
fn groups(pattern: &Regex) -> usize {
    pattern.captures_len() - 1
}

/// The first match; an empty text when there is none.
fn find<'a>(pattern: &Regex, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), _] = args else { return Err(NoOverload) };
    budget.read(text.len())?;
    match pattern.find(text) {
        Some(found) => slice(text, found.range(), budget),
        None => Ok(Value::text("")),
    }
}

/// The matches one after the other, at most `limit`. Looking for the next one may read all that is left each time, so
/// that is what each costs.
fn each<'t>(
    pattern: &Regex,
    text: &'t str,
    limit: usize,
    budget: &mut Budget,
    mut take: impl FnMut(Captures<'t>, &mut Budget) -> Result<(), EvalErrorKind>,
) -> Result<(), EvalErrorKind> {
    if limit == 0 {
        return Ok(());
    }
    budget.read(text.len())?;
    for captures in pattern.captures_iter(text).take(limit) {
        let end = captures.get(0).map_or(text.len(), |whole| whole.end());
        budget.spend(1)?;
        budget.read(text.len() - end)?;
        take(captures, budget)?;
    }
    Ok(())
}

/// A list of the group of each match that `group` says.
fn listed<'a>(
    pattern: &Regex,
    text: &Text<'a>,
    limit: usize,
    budget: &mut Budget,
    group: usize,
) -> Result<Vec<Value<'a>>, EvalErrorKind> {
    let mut found = Vec::new();
    each(pattern, text, limit, budget, |captures, budget| {
        match captures.get(group) {
            // A group that matched nothing is left out; a whole match stays, however short.
            Some(part) if group == 0 || !part.is_empty() => {
                budget.grow(2 * size_of::<Value<'_>>())?;
                found.push(slice(text, part.range(), budget)?);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

fn find_all<'a>(pattern: &Regex, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, limit) = match args {
        [Value::String(text), _] => (text, usize::MAX),
        // Below zero there is no limit.
        [Value::String(text), _, Value::Int(limit)] => (text, usize::try_from(*limit).unwrap_or(usize::MAX)),
        _ => return Err(NoOverload),
    };
    listed(pattern, text, limit, budget, 0).map(Value::shared_list)
}

fn extract<'a>(pattern: &Regex, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), _] = args else { return Err(NoOverload) };
    let group = groups(pattern);
    if group > 1 {
        return Err(Invalid);
    }
    match listed(pattern, text, 1, budget, group)?.pop() {
        Some(found) => {
            budget.grow(2 * size_of::<Value<'_>>())?;
            Ok(Value::some(found))
        }
        None => Ok(Value::Optional(None)),
    }
}

fn extract_all<'a>(pattern: &Regex, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), _] = args else { return Err(NoOverload) };
    let group = groups(pattern);
    if group > 1 {
        return Err(Invalid);
    }
    listed(pattern, text, usize::MAX, budget, group).map(Value::shared_list)
}

/// What a replacement is made of.
enum Part<'t> {
    Text(&'t str),
    Group(usize),
}

/// The parts of a replacement: `\1` is the first group, `\0` the whole match, `\\` a backslash.
fn parts(replacement: &str, groups: usize) -> impl Iterator<Item = Result<Part<'_>, EvalErrorKind>> {
    let mut rest = replacement;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(escaped) = rest.strip_prefix('\\') else {
            let (text, after) = rest.split_at(rest.find('\\').unwrap_or(rest.len()));
            rest = after;
            return Some(Ok(Part::Text(text)));
        };
        let next = escaped.chars().next();
        rest = next.map_or("", |next| escaped.get(next.len_utf8()..).unwrap_or_default());
        Some(match (next, next.and_then(|next| next.to_digit(10))) {
            (Some('\\'), _) => Ok(Part::Text("\\")),
            (_, Some(group)) if group as usize <= groups => Ok(Part::Group(group as usize)),
            _ => Err(Invalid),
        })
    })
}

fn replace<'a>(pattern: &Regex, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, replacement, count) = match args {
        [Value::String(text), _, Value::String(replacement)] => (text, replacement, usize::MAX),
        // Below zero there is no limit.
        [Value::String(text), _, Value::String(replacement), Value::Int(count)] => {
            (text, replacement, usize::try_from(*count).unwrap_or(usize::MAX))
        }
        _ => return Err(NoOverload),
    };
    budget.grow(replacement.len() * size_of::<Part<'_>>())?;
    let parts: Vec<Part<'_>> = parts(replacement, groups(pattern)).collect::<Result<_, _>>()?;
    let mut whole = String::new();
    let mut kept = 0;
    let push = |whole: &mut String, part: &str, budget: &mut Budget| {
        budget.grow(2 * part.len())?;
        whole.push_str(part);
        Ok::<(), EvalErrorKind>(())
    };
    each(pattern, text, count, budget, |captures, budget| {
        let Some(matched) = captures.get(0) else { return Ok(()) };
        push(&mut whole, text.get(kept..matched.start()).unwrap_or_default(), budget)?;
        kept = matched.end();
        budget.spend(parts.len())?;
        parts.iter().try_for_each(|part| match part {
            Part::Text(text) => push(&mut whole, text, budget),
            Part::Group(group) => push(&mut whole, captures.get(*group).map_or("", |part| part.as_str()), budget),
        })
    })?;
    push(&mut whole, text.get(kept..).unwrap_or_default(), budget)?;
    Ok(Value::shared(whole))
}
