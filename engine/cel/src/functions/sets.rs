//! Lists as sets.

use super::{Function, Outcome, Shape, global};
use crate::{
    error::EvalErrorKind::{self, NoOverload},
    run::Budget,
    value::{Value, equal},
};

const PAIR: &[Shape] = &[Shape::List(&Shape::A), Shape::List(&Shape::A)];

pub(super) const FUNCTIONS: &[Function] = &[
    global("sets.contains", PAIR, Shape::Bool, contains),
    global("sets.equivalent", PAIR, Shape::Bool, equivalent),
    global("sets.intersects", PAIR, Shape::Bool, intersects),
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
    for element in b.iter() {
        if has(a, element, budget)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}
