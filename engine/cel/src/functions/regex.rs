//! Regular expressions: RE2's language, in linear time.

mod re2;

use regex::{Captures, Regex, RegexBuilder};

use super::{Effect, Function, Growth, Outcome, Shape, global, growth::reading, method, strings::slice};
use crate::{
    cost::{Bounds, Extent, Spend, list_bytes},
    error::EvalErrorKind::{self, BadPattern, Invalid, NoOverload},
    limits::{REGEX_MAX, REGEX_NESTING_MAX, REGEX_RUN_BYTES, REGEX_RUN_MAX, REGEX_RUN_STEPS},
    run::Budget,
    value::{Text, Value},
};

const T: Shape = Shape::Text;
const TEXTS: Shape = Shape::List(&Shape::Text);

pub(super) const FUNCTIONS: &[Function] = &[
    global("matches", &[T, T], Shape::Bool, matches).costs(Growth::By(|args| computing("matches", args))),
    method("matches", &[T, T], Shape::Bool, matches).costs(Growth::By(|args| computing("matches", args))),
    method("find", &[T, T], T, |args, budget| computed(args, find, budget))
        .costs(Growth::By(|args| computing("find", args))),
    method("findAll", &[T, T], TEXTS, |args, budget| computed(args, find_all, budget))
        .costs(Growth::By(|args| computing("findAll", args))),
    method("findAll", &[T, T, Shape::Int], TEXTS, |args, budget| computed(args, find_all, budget))
        .costs(Growth::By(|args| computing("findAll", args))),
    global("regex.extract", &[T, T], Shape::Optional(&T), |args, budget| computed(args, extract, budget))
        .costs(Growth::By(|args| computing("regex.extract", args))),
    global("regex.extractAll", &[T, T], TEXTS, |args, budget| computed(args, extract_all, budget))
        .costs(Growth::By(|args| computing("regex.extractAll", args))),
    global("regex.replace", &[T, T, T], T, |args, budget| computed(args, replace, budget))
        .costs(Growth::By(|args| computing("regex.replace", args))),
    global("regex.replace", &[T, T, T, Shape::Int], T, |args, budget| computed(args, replace, budget))
        .costs(Growth::By(|args| computing("regex.replace", args))),
];

/// The code of a function whose second argument is a pattern, which is compiled already.
pub(crate) type Search = for<'a> fn(&Pattern, &[Value<'a>], &mut Budget) -> Outcome<'a>;

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
pub(crate) fn misuse(name: &str, pattern: &Pattern, replacement: Option<&str>) -> Option<&'static str> {
    match (name, replacement) {
        ("regex.extract" | "regex.extractAll", _) if groups(pattern) > 1 => Some("the pattern has more than one group"),
        ("regex.replace", Some(text)) if parts(text, groups(pattern)).any(|part| part.is_err()) => {
            Some("the replacement names a group that the pattern does not have, or has a lone backslash")
        }
        _ => None,
    }
}

/// A pattern, compiled.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// The bytes that reading one byte of a text counts as: a large pattern may have to look at each many times.
    pub(crate) weight: usize,
}

/// The weight of the smallest patterns.
const WEIGHT_MIN: usize = 4;

/// The weight of a pattern that is compiled while running: of the size that it may have.
const WEIGHT_RUN: usize = WEIGHT_MIN * 4;

/// The bytes that a letter of a pattern takes while the pattern is read.
const LETTER_BYTES: usize = 256;

/// The bytes behind a match that looking for the next one counts as: it may look farther than it finds.
const AHEAD: usize = 1024;

impl Pattern {
    /// Compiles a pattern that stands in the source; the weight is found by the smallest size that it fits into.
    pub(crate) fn literal(pattern: &str) -> Result<Self, regex::Error> {
        let (mut limit, mut weight) = (REGEX_MAX / 64, WEIGHT_MIN);
        loop {
            match compile(pattern, limit, REGEX_MAX) {
                Ok(regex) => return Ok(Self { regex, weight }),
                Err(regex::Error::CompiledTooBig(_)) if limit < REGEX_MAX => (limit, weight) = (limit * 4, weight * 4),
                Err(error) => return Err(error),
            }
        }
    }

    /// Compiles a pattern that is computed while running: the planner compiles those that stand in the source.
    pub(crate) fn now(pattern: &str, budget: &mut Budget) -> Result<Self, EvalErrorKind> {
        budget.spend(REGEX_RUN_STEPS as usize)?;
        budget.grow(REGEX_RUN_BYTES.saturating_add(pattern.len().saturating_mul(LETTER_BYTES)))?;
        let regex = compile(pattern, REGEX_RUN_MAX, REGEX_RUN_MAX).map_err(|_| BadPattern)?;
        Ok(Self { regex, weight: WEIGHT_RUN })
    }

    /// The bytes that it takes at most.
    pub(crate) fn bytes(&self) -> usize {
        REGEX_MAX / 64 * (self.weight / WEIGHT_MIN)
    }

    /// Takes the steps of going through a text.
    pub(crate) fn read(&self, text: &str, budget: &mut Budget) -> Result<(), EvalErrorKind> {
        budget.read(text.len().saturating_mul(self.weight))
    }
}

/// Compiles a pattern whose compiled form is at most `limit` bytes, and the part of it that grows while it is used, too.
fn compile(pattern: &str, limit: usize, growing: usize) -> Result<Regex, regex::Error> {
    let pattern = re2::spelled(pattern);
    RegexBuilder::new(&pattern).size_limit(limit).dfa_size_limit(growing).nest_limit(REGEX_NESTING_MAX).build()
}

fn matches<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern)] = args else { return Err(NoOverload) };
    let pattern = Pattern::now(pattern, budget)?;
    pattern.read(text, budget)?;
    Ok(Value::Bool(pattern.regex.is_match(text)))
}

fn computed<'a>(args: &[Value<'a>], run: Search, budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(_), Value::String(pattern), ..] = args else { return Err(NoOverload) };
    let pattern = Pattern::now(pattern, budget)?;
    run(&pattern, args, budget)
}

/// How many groups a pattern has.
fn groups(pattern: &Pattern) -> usize {
    pattern.regex.captures_len() - 1
}

/// The first match; an empty text when there is none.
fn find<'a>(pattern: &Pattern, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), _] = args else { return Err(NoOverload) };
    pattern.read(text, budget)?;
    match pattern.regex.find(text) {
        Some(found) => slice(text, found.range(), budget),
        None => Ok(Value::text("")),
    }
}

/// The matches one after the other, at most `limit`. Looking for the next one may look at what is behind it, so that each
/// costs some of what is left.
fn each<'t>(
    pattern: &Pattern,
    text: &'t str,
    limit: usize,
    budget: &mut Budget,
    mut take: impl FnMut(Captures<'t>, &mut Budget) -> Result<(), EvalErrorKind>,
) -> Result<(), EvalErrorKind> {
    if limit == 0 {
        return Ok(());
    }
    pattern.read(text, budget)?;
    for captures in pattern.regex.captures_iter(text).take(limit) {
        let end = captures.get(0).map_or(text.len(), |whole| whole.end());
        budget.spend(1)?;
        budget.read((text.len() - end).min(AHEAD))?;
        take(captures, budget)?;
    }
    Ok(())
}

/// A list of the group of each match that `group` says.
fn listed<'a>(
    pattern: &Pattern,
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

fn find_all<'a>(pattern: &Pattern, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, limit) = match args {
        [Value::String(text), _] => (text, usize::MAX),
        // Below zero there is no limit.
        [Value::String(text), _, Value::Int(limit)] => (text, usize::try_from(*limit).unwrap_or(usize::MAX)),
        _ => return Err(NoOverload),
    };
    listed(pattern, text, limit, budget, 0).map(Value::shared_list)
}

fn extract<'a>(pattern: &Pattern, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
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

fn extract_all<'a>(pattern: &Pattern, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
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

fn replace<'a>(pattern: &Pattern, args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (text, replacement, count) = match args {
        [Value::String(text), _, Value::String(replacement)] => (text, replacement, usize::MAX),
        // Below zero there is no limit.
        [Value::String(text), _, Value::String(replacement), Value::Int(count)] => {
            (text, replacement, usize::try_from(*count).unwrap_or(usize::MAX))
        }
        _ => return Err(NoOverload),
    };
    // Each part of it has a letter at least.
    budget.grow(replacement.len().saturating_mul(size_of::<Part<'_>>()))?;
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

/// What a call of the function of that name takes whose pattern is computed.
fn computing(name: &str, args: &[Extent]) -> Effect {
    let pattern = args.get(1).map_or(0, |pattern| pattern.len().max).saturating_mul(LETTER_BYTES as u64);
    let bytes = Bounds::at_most(pattern.saturating_add(REGEX_RUN_BYTES as u64));
    let compiling = Spend::steps(Bounds::at_most(REGEX_RUN_STEPS)) + Spend::grow(bytes);
    let Effect { spend, gives } = sought(name, args, WEIGHT_RUN);
    Effect { spend: compiling + spend, gives }
}

/// What it takes when the pattern is compiled, and has that weight.
pub(crate) fn sought(name: &str, args: &[Extent], weight: usize) -> Effect {
    let text = args.first().map_or(0, |text| text.len().max);
    let len = Bounds::at_most(text);
    let once = reading(args) + Spend::read(Bounds::at_most(text.saturating_mul(weight as u64)));
    let matches = Bounds::at_most(text.saturating_add(1));
    let next = Spend::steps(Bounds::at_most(1 + AHEAD as u64 / 64));
    let kept = Spend::grow(list_bytes(Bounds::exactly(2)));
    match name {
        "find" => Effect { spend: once + Spend::grow(len), gives: Extent::text(len) },
        "findAll" | "regex.extractAll" => {
            let gives = Extent::list(matches, Extent::text(len)).of_bytes(text);
            Effect { spend: once + (next + kept).times(matches) + Spend::grow(len), gives }
        }
        "regex.extract" => {
            Effect { spend: once + next + kept + Spend::grow(len) + kept, gives: Extent::optional(Extent::text(len)) }
        }
        "regex.replace" => {
            let with = args.get(2).map_or(0, |with| with.len().max);
            let parts = Spend::grow(Bounds::at_most(with.saturating_mul(size_of::<Part<'_>>() as u64)));
            // Each match puts the replacement in its place; all groups together are no longer than the text, each time
            // that they are named.
            let made = text.saturating_mul(with / 2 + 1).saturating_add(matches.max.saturating_mul(with));
            let each = next + Spend::steps(Bounds::at_most(with));
            let spend = once + parts + each.times(matches) + Spend::grow(Bounds::at_most(made.saturating_mul(2)));
            Effect { spend, gives: Extent::text(Bounds::at_most(made)) }
        }
        _ => Effect { spend: once, gives: Extent::scalar() },
    }
}
