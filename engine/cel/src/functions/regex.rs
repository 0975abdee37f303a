//! Regular expressions: RE2's language, in linear time.

use regex::{Regex, RegexBuilder};

use super::{Function, Outcome, Shape, global, method};
use crate::{
    error::EvalErrorKind::{BadPattern, NoOverload},
    limits::{REGEX_RUN_MAX, REGEX_RUN_STEPS},
    run::Budget,
    value::Value,
};

pub(super) const FUNCTIONS: &[Function] = &[
    global("matches", &[Shape::Text, Shape::Text], Shape::Bool, matches),
    method("matches", &[Shape::Text, Shape::Text], Shape::Bool, matches),
];

/// Compiles a pattern whose compiled form is at most `limit` bytes.
pub(crate) fn compile(pattern: &str, limit: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(limit).dfa_size_limit(limit).nest_limit(64).build()
}

/// Only for patterns that are computed while running: the planner compiles those that stand in the source.
fn matches<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern)] = args else { return Err(NoOverload) };
    budget.spend(REGEX_RUN_STEPS as usize)?;
    budget.read(text.len() + pattern.len())?;
    let pattern = compile(pattern, REGEX_RUN_MAX).map_err(|_| BadPattern)?;
    Ok(Value::Bool(pattern.is_match(text)))
}
