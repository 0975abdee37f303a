//! `size`, and what all values have.

use super::{Effect, Function, Growth, Outcome, Shape, global, growth::reading, method};
use crate::{
    cost::{Bounds, Extent, Spend},
    error::EvalErrorKind,
    run::Budget,
    value::Value,
};

const ANY_LIST: Shape = Shape::List(&Shape::A);
const ANY_MAP: Shape = Shape::Map(&Shape::A, &Shape::B);

pub(super) const FUNCTIONS: &[Function] = &[
    global("size", &[Shape::Text], Shape::Int, size).costs(Growth::By(counting)),
    global("size", &[Shape::Bytes], Shape::Int, size).costs(Growth::By(counting)),
    global("size", &[ANY_LIST], Shape::Int, size).costs(Growth::By(counting)),
    global("size", &[ANY_MAP], Shape::Int, size).costs(Growth::By(counting)),
    method("size", &[Shape::Text], Shape::Int, size).costs(Growth::By(counting)),
    method("size", &[Shape::Bytes], Shape::Int, size).costs(Growth::By(counting)),
    method("size", &[ANY_LIST], Shape::Int, size).costs(Growth::By(counting)),
    method("size", &[ANY_MAP], Shape::Int, size).costs(Growth::By(counting)),
    global("type", &[Shape::A], Shape::Type, type_of).costs(Growth::Fixed),
    global("dyn", &[Shape::A], Shape::Dyn, same).costs(Growth::Same),
];

fn size<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let size = match args {
        [Value::String(text)] => {
            budget.read(text.len())?;
            text.chars().count()
        }
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(list)] => list.len(),
        [Value::Map(map)] => {
            budget.spend(map.counting())?;
            map.len()
        }
        _ => return Err(EvalErrorKind::NoOverload),
    };
    Ok(Value::Int(size as i64))
}

fn type_of<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [value] => Ok(Value::Type(value.type_name())),
        _ => Err(EvalErrorKind::NoOverload),
    }
}

fn same<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    args.first().cloned().ok_or(EvalErrorKind::NoOverload)
}

/// The code points of a text, or the keys of a map.
fn counting(args: &[Extent]) -> Effect {
    let (keys, most) = args.first().map_or((0, 0), |arg| (arg.counting(), arg.len().max));
    Effect { spend: reading(args) + Spend::steps(Bounds::at_most(keys)), gives: Extent::number(most) }
}
