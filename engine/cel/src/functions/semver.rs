//! Semantic versions, as in Kubernetes. Two things differ: a number that an int does not hold is an error here, and
//! numbers within prereleases may be of any length.

use std::{cmp::Ordering, sync::Arc};

use super::{Effect, Function, Growth, Outcome, Shape, global, growth::reading, method};
use crate::{
    cost::{Bounds, Extent, Spend},
    error::EvalErrorKind::{self, Conversion, NoOverload, Overflow},
    run::Budget,
    value::{Semver, Value},
};

const T: Shape = Shape::Text;
const V: Shape = Shape::Semver;

pub(super) const FUNCTIONS: &[Function] = &[
    global("semver", &[T], V, semver).costs(Growth::By(reading_one)),
    global("semver", &[T, Shape::Bool], V, semver).costs(Growth::By(reading_one)),
    global("isSemver", &[T], Shape::Bool, is_semver).costs(Growth::By(reading_one)),
    global("isSemver", &[T, Shape::Bool], Shape::Bool, is_semver).costs(Growth::By(reading_one)),
    method("major", &[V], Shape::Int, major).costs(Growth::Fixed),
    method("minor", &[V], Shape::Int, minor).costs(Growth::Fixed),
    method("patch", &[V], Shape::Int, patch).costs(Growth::Fixed),
    method("compareTo", &[V, V], Shape::Int, compare_to).costs(Growth::Reads),
    method("isLessThan", &[V, V], Shape::Bool, is_less_than).costs(Growth::Reads),
    method("isGreaterThan", &[V, V], Shape::Bool, is_greater_than).costs(Growth::Reads),
];

/// Reads a version; with `true` after it, also one as people write them.
fn read(args: &[Value<'_>], budget: &mut Budget) -> Result<Option<Semver>, EvalErrorKind> {
    let (text, loose) = match args {
        [Value::String(text)] => (text, false),
        [Value::String(text), Value::Bool(loose)] => (text, *loose),
        _ => return Err(NoOverload),
    };
    // The parts, their joined text, and what the version keeps.
    budget.grow(3 * text.len() + size_of::<Semver>())?;
    Ok(if loose { Semver::parse_loose(text) } else { Semver::parse(text) })
}

fn semver<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget)?.map(|version| Value::Semver(Arc::new(version))).ok_or(Conversion)
}

fn is_semver<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    read(args, budget).map(|version| Value::Bool(version.is_some()))
}

fn number<'a>(args: &[Value<'a>], of: impl Fn(&Semver) -> u64) -> Outcome<'a> {
    match args {
        [Value::Semver(version)] => i64::try_from(of(version)).map(Value::Int).map_err(|_| Overflow),
        _ => Err(NoOverload),
    }
}

fn major<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    number(args, Semver::major)
}

fn minor<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    number(args, Semver::minor)
}

fn patch<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    number(args, Semver::patch)
}

fn compared(args: &[Value<'_>], budget: &mut Budget) -> Result<Ordering, EvalErrorKind> {
    let [Value::Semver(one), Value::Semver(other)] = args else { return Err(NoOverload) };
    budget.read(one.size().min(other.size()))?;
    Ok(one.compare(other))
}

fn compare_to<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    compared(args, budget).map(|order| Value::Int(order as i64))
}

fn is_less_than<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    compared(args, budget).map(|order| Value::Bool(order.is_lt()))
}

fn is_greater_than<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    compared(args, budget).map(|order| Value::Bool(order.is_gt()))
}

fn reading_one(args: &[Extent]) -> Effect {
    let len = args.first().map_or(0, |text| text.len().max);
    let taken = Bounds::at_most(len.saturating_mul(3).saturating_add(size_of::<Semver>() as u64));
    Effect { spend: reading(args) + Spend::grow(taken), gives: Extent::text(taken) }
}
