//! Optional values.

use super::{Effect, Function, Growth, OPTIONAL_BYTES, Outcome, Shape, global, method};
use crate::{
    cost::{Bounds, Extent, Spend, list_bytes},
    error::EvalErrorKind::{EmptyOptional, NoOverload},
    run::Budget,
    value::Value,
};

const OPTIONAL: Shape = Shape::Optional(&Shape::A);
const LIST: Shape = Shape::List(&Shape::A);

pub(super) const FUNCTIONS: &[Function] = &[
    global("optional.of", &[Shape::A], OPTIONAL, of).costs(Growth::Wraps),
    global("optional.ofNonZeroValue", &[Shape::A], OPTIONAL, of_non_zero_value).costs(Growth::Wraps),
    global("optional.none", &[], OPTIONAL, none).costs(Growth::By(empty)),
    method("hasValue", &[OPTIONAL], Shape::Bool, has_value).costs(Growth::Fixed),
    method("value", &[OPTIONAL], Shape::A, value).costs(Growth::Unwraps),
    global("optional.unwrap", &[Shape::List(&OPTIONAL)], LIST, unwrap).costs(Growth::By(unwrapping)),
    method("unwrapOpt", &[Shape::List(&OPTIONAL)], LIST, unwrap).costs(Growth::By(unwrapping)),
    method("or", &[OPTIONAL, OPTIONAL], OPTIONAL, or).costs(Growth::By(either)),
    method("orValue", &[OPTIONAL, Shape::A], Shape::A, or_value).costs(Growth::Unwraps),
];

fn of<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    budget.grow(OPTIONAL_BYTES)?;
    args.first().cloned().map(Value::some).ok_or(NoOverload)
}

fn of_non_zero_value<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    budget.grow(OPTIONAL_BYTES)?;
    match args {
        [value] if is_zero(value) => Ok(Value::Optional(None)),
        _ => args.first().cloned().map(Value::some).ok_or(NoOverload),
    }
}

fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Null | Value::Optional(None) => true,
        Value::Bool(value) => !value,
        Value::Int(value) | Value::Duration(value) => *value == 0,
        Value::Uint(value) => *value == 0,
        Value::Double(value) => *value == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Bytes(bytes) => bytes.is_empty(),
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Timestamp(time) => time.seconds() == 0 && time.subsecond_nanoseconds() == 0,
        Value::Type(_)
        | Value::Optional(Some(_))
        | Value::Ip(_)
        | Value::Cidr(_)
        | Value::Url(_)
        | Value::Semver(_) => false,
    }
}

fn none<'a>(_: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    Ok(Value::Optional(None))
}

fn has_value<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
        _ => Err(NoOverload),
    }
}

fn value<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Optional(Some(value))] => Ok((**value).clone()),
        [Value::Optional(None)] => Err(EmptyOptional),
        _ => Err(NoOverload),
    }
}

/// The values that are there.
fn unwrap<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::List(list)] = args else { return Err(NoOverload) };
    budget.grow(size_of_val(&**list))?;
    let mut values = Vec::with_capacity(list.len());
    for element in list.iter() {
        match element {
            Value::Optional(Some(value)) => values.push((**value).clone()),
            Value::Optional(None) => {}
            _ => return Err(NoOverload),
        }
    }
    Ok(Value::shared_list(values))
}

/// Both arguments are values here; the planner evaluates the second only when it is needed.
fn or<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Optional(Some(value)), _] => Ok(Value::Optional(Some(value.clone()))),
        [Value::Optional(None), other @ Value::Optional(_)] => Ok(other.clone()),
        _ => Err(NoOverload),
    }
}

fn or_value<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Optional(Some(value)), _] => Ok((**value).clone()),
        [Value::Optional(None), other] => Ok(other.clone()),
        _ => Err(NoOverload),
    }
}

fn empty(_: &[Extent]) -> Effect {
    Effect { spend: Spend::default(), gives: Extent::optional(Extent::never()) }
}

fn either(args: &[Extent]) -> Effect {
    let [one, other] = args else { return Effect::unknown() };
    Effect { spend: Spend::default(), gives: one.or(other) }
}

fn unwrapping(args: &[Extent]) -> Effect {
    let [list] = args else { return Effect::unknown() };
    let len = Bounds::at_most(list.count().max);
    Effect { spend: Spend::grow(list_bytes(len)), gives: Extent::list(len, list.element().element()) }
}
