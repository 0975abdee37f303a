//! Numbers: the math extension. Numbers of different types are compared as numbers, as everywhere in the language.

use std::cmp::Ordering;

use super::{Effect, Function, Growth, Outcome, Shape, global};
use crate::{
    cost::{Bounds, Extent, Spend},
    error::EvalErrorKind::{self, Invalid, NoOverload, Overflow},
    run::Budget,
    value::{Value, order},
};

const N: Shape = Shape::Number;
const I: Shape = Shape::Int;
const U: Shape = Shape::Uint;
const D: Shape = Shape::Double;
const NUMBERS: &[Shape] = &[Shape::Many(&N)];
const LIST: &[Shape] = &[Shape::List(&N)];

pub(super) const FUNCTIONS: &[Function] = &[
    global("math.greatest", NUMBERS, N, greatest).costs(Growth::By(choosing)),
    global("math.greatest", LIST, N, greatest).costs(Growth::By(choosing)),
    global("math.least", NUMBERS, N, least).costs(Growth::By(choosing)),
    global("math.least", LIST, N, least).costs(Growth::By(choosing)),
    global("math.ceil", &[D], D, ceil).costs(Growth::Fixed),
    global("math.floor", &[D], D, floor).costs(Growth::Fixed),
    global("math.round", &[D], D, round).costs(Growth::Fixed),
    global("math.trunc", &[D], D, trunc).costs(Growth::Fixed),
    global("math.sqrt", &[N], D, sqrt).costs(Growth::Fixed),
    global("math.abs", &[N], N, abs).costs(Growth::Fixed),
    global("math.sign", &[N], N, sign).costs(Growth::Fixed),
    global("math.isNaN", &[D], Shape::Bool, is_nan).costs(Growth::Fixed),
    global("math.isInf", &[D], Shape::Bool, is_inf).costs(Growth::Fixed),
    global("math.isFinite", &[D], Shape::Bool, is_finite).costs(Growth::Fixed),
    global("math.bitAnd", &[I, I], I, bit_and).costs(Growth::Fixed),
    global("math.bitAnd", &[U, U], U, bit_and).costs(Growth::Fixed),
    global("math.bitOr", &[I, I], I, bit_or).costs(Growth::Fixed),
    global("math.bitOr", &[U, U], U, bit_or).costs(Growth::Fixed),
    global("math.bitXor", &[I, I], I, bit_xor).costs(Growth::Fixed),
    global("math.bitXor", &[U, U], U, bit_xor).costs(Growth::Fixed),
    global("math.bitNot", &[I], I, bit_not).costs(Growth::Fixed),
    global("math.bitNot", &[U], U, bit_not).costs(Growth::Fixed),
    global("math.bitShiftLeft", &[I, I], I, shift_left).costs(Growth::Fixed),
    global("math.bitShiftLeft", &[U, I], U, shift_left).costs(Growth::Fixed),
    global("math.bitShiftRight", &[I, I], I, shift_right).costs(Growth::Fixed),
    global("math.bitShiftRight", &[U, I], U, shift_right).costs(Growth::Fixed),
];

fn greatest<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    extreme(args, Ordering::Less, budget)
}

fn least<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    extreme(args, Ordering::Greater, budget)
}

/// The first of the numbers that no other one beats; `worse` is how what is kept compares with one that beats it.
fn extreme<'a>(args: &[Value<'a>], worse: Ordering, budget: &mut Budget) -> Outcome<'a> {
    let numbers: &[Value<'a>] = match args {
        [Value::List(list)] => list,
        args => args,
    };
    budget.spend(numbers.len())?;
    let (first, rest) = numbers.split_first().ok_or(Invalid)?;
    let mut best = number(first)?;
    for next in rest {
        // A NaN has no order.
        if order(best, number(next)?, budget)?.ok_or(Invalid)? == worse {
            best = next;
        }
    }
    Ok(best.clone())
}

fn number<'v, 'a>(value: &'v Value<'a>) -> Result<&'v Value<'a>, EvalErrorKind> {
    match value {
        Value::Int(_) | Value::Uint(_) | Value::Double(_) => Ok(value),
        _ => Err(NoOverload),
    }
}

fn of_double<'a>(args: &[Value<'a>], map: impl Fn(f64) -> f64) -> Outcome<'a> {
    match args {
        [Value::Double(value)] => Ok(Value::Double(map(*value))),
        _ => Err(NoOverload),
    }
}

fn ceil<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    of_double(args, f64::ceil)
}

fn floor<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    of_double(args, f64::floor)
}

/// Halves away from zero.
fn round<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    of_double(args, f64::round)
}

fn trunc<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    of_double(args, f64::trunc)
}

/// NaN for what is below zero.
fn sqrt<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    let value = match args {
        [Value::Int(value)] => *value as f64,
        [Value::Uint(value)] => *value as f64,
        [Value::Double(value)] => *value,
        _ => return Err(NoOverload),
    };
    Ok(Value::Double(value.sqrt()))
}

fn abs<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Int(value)] => value.checked_abs().map(Value::Int).ok_or(Overflow),
        [Value::Uint(value)] => Ok(Value::Uint(*value)),
        [Value::Double(value)] => Ok(Value::Double(value.abs())),
        _ => Err(NoOverload),
    }
}

/// -1, 0 or 1 in the type of the number; NaN has the sign NaN.
fn sign<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Int(value)] => Ok(Value::Int(value.signum())),
        [Value::Uint(value)] => Ok(Value::Uint(u64::from(*value > 0))),
        [Value::Double(value)] if *value == 0.0 => Ok(Value::Double(0.0)),
        [Value::Double(value)] => Ok(Value::Double(value.signum())),
        _ => Err(NoOverload),
    }
}

fn test<'a>(args: &[Value<'a>], holds: impl Fn(f64) -> bool) -> Outcome<'a> {
    match args {
        [Value::Double(value)] => Ok(Value::Bool(holds(*value))),
        _ => Err(NoOverload),
    }
}

fn is_nan<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    test(args, f64::is_nan)
}

fn is_inf<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    test(args, f64::is_infinite)
}

fn is_finite<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    test(args, f64::is_finite)
}

fn bits<'a>(args: &[Value<'a>], of: impl Fn(u64, u64) -> u64) -> Outcome<'a> {
    match args {
        [Value::Int(a), Value::Int(b)] => Ok(Value::Int(of(a.cast_unsigned(), b.cast_unsigned()).cast_signed())),
        [Value::Uint(a), Value::Uint(b)] => Ok(Value::Uint(of(*a, *b))),
        _ => Err(NoOverload),
    }
}

fn bit_and<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    bits(args, |a, b| a & b)
}

fn bit_or<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    bits(args, |a, b| a | b)
}

fn bit_xor<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    bits(args, |a, b| a ^ b)
}

fn bit_not<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::Int(value)] => Ok(Value::Int(!value)),
        [Value::Uint(value)] => Ok(Value::Uint(!value)),
        _ => Err(NoOverload),
    }
}

/// Shifts the bits, those of an int without regard to its sign; by 64 or more nothing is left.
fn shift<'a>(args: &[Value<'a>], by: impl Fn(u64, u32) -> Option<u64>) -> Outcome<'a> {
    let shifted = |bits: u64, offset: i64| -> Result<u64, EvalErrorKind> {
        let offset = u64::try_from(offset).map_err(|_| Invalid)?;
        Ok(u32::try_from(offset).ok().and_then(|offset| by(bits, offset)).unwrap_or(0))
    };
    match args {
        [Value::Int(value), Value::Int(offset)] => {
            Ok(Value::Int(shifted(value.cast_unsigned(), *offset)?.cast_signed()))
        }
        [Value::Uint(value), Value::Int(offset)] => Ok(Value::Uint(shifted(*value, *offset)?)),
        _ => Err(NoOverload),
    }
}

fn shift_left<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    shift(args, u64::checked_shl)
}

fn shift_right<'a>(args: &[Value<'a>], _: &mut Budget) -> Outcome<'a> {
    shift(args, u64::checked_shr)
}

/// All arguments, or all elements of the one that is a list.
fn choosing(args: &[Extent]) -> Effect {
    let elements = args.iter().map(|arg| arg.count().max).fold(args.len() as u64, u64::saturating_add);
    Effect { spend: Spend::steps(Bounds::at_most(elements)), gives: Extent::scalar() }
}
