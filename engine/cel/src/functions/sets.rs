//! Lists as sets.

use super::{Effect, Function, Growth, Outcome, Shape, global};
use crate::{
    cost::{Bounds, Extent, Spend, equality},
    error::EvalErrorKind::{self, NoOverload},
    run::Budget,
    value::{Value, equal},
};

const PAIR: &[Shape] = &[Shape::List(&Shape::A), Shape::List(&Shape::A)];

pub(super) const FUNCTIONS: &[Function] = &[
    global("sets.contains", PAIR, Shape::Bool, contains).costs(Growth::By(comparing)),
    global("sets.equivalent", PAIR, Shape::Bool, equivalent).costs(Growth::By(comparing)),
    global("sets.intersects", PAIR, Shape::Bool, intersects).costs(Growth::By(comparing)),
];

/// Whether `list` has that element.
pub(crate) fn has(list: &[Value<'_>], element: &Value<'_>, budget: &mut Budget) -> Result<bool, EvalErrorKind> {
    budget.spend(list.len())?;
    for candidate in list {
        if equal(candidate, element, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_all(list: &[Value<'_>], wanted: &[Value<'_>], budget: &mut Budget) -> Result<bool, EvalErrorKind> {
    budget.spend(wanted.len())?;
    for element in wanted {
        if !has(list, element, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn contains<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::List(list), Value::List(wanted)] => has_all(list, wanted, budget).map(Value::Bool),
        _ => Err(NoOverload),
    }
}

fn equivalent<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::List(a), Value::List(b)] => Ok(Value::Bool(has_all(a, b, budget)? && has_all(b, a, budget)?)),
        _ => Err(NoOverload),
    }
}

fn intersects<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::List(a), Value::List(b)] = args else { return Err(NoOverload) };
    budget.spend(b.len())?;
    for element in b.iter() {
        if has(a, element, budget)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// What [`has`] takes.
pub(crate) fn finding(list: &Extent, element: &Extent) -> Spend {
    let len = Bounds::at_most(list.count().max);
    Spend::steps(len) + equality(&list.element(), element).times(len)
}

/// Each element of one list with each of the other, and perhaps the other way round.
fn comparing(args: &[Extent]) -> Effect {
    let [a, b] = args else { return Effect::unknown() };
    let one = |list: &Extent, wanted: &Extent| {
        let len = Bounds::at_most(wanted.count().max);
        Spend::steps(len) + finding(list, &wanted.element()).times(len)
    };
    Effect { spend: one(a, b) + one(b, a), gives: Extent::scalar() }
}
