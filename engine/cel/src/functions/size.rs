//! `size`, and what all values have.

use super::{Function, Outcome, Shape, global, method};
use crate::{error::EvalErrorKind, run::Budget, value::Value};

const ANY_LIST: Shape = Shape::List(&Shape::A);
const ANY_MAP: Shape = Shape::Map(&Shape::A, &Shape::B);

pub(super) const FUNCTIONS: &[Function] = &[
    global("size", &[Shape::Text], Shape::Int, size),
    global("size", &[Shape::Bytes], Shape::Int, size),
    global("size", &[ANY_LIST], Shape::Int, size),
    global("size", &[ANY_MAP], Shape::Int, size),
    method("size", &[Shape::Text], Shape::Int, size),
    method("size", &[Shape::Bytes], Shape::Int, size),
    method("size", &[ANY_LIST], Shape::Int, size),
    method("size", &[ANY_MAP], Shape::Int, size),
    global("type", &[Shape::A], Shape::Type, type_of),
    global("dyn", &[Shape::A], Shape::Dyn, same),
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
