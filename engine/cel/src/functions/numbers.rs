//! Arithmetic, checked.

use super::Outcome;
use crate::{
    ast::Binary,
    error::EvalErrorKind::{DivideByZero, NoOverload, Overflow},
    run::Budget,
    value::{Bytes, Value, nanoseconds},
};

/// `a operator b` of a sum or product.
pub(crate) fn arithmetic<'a>(operator: Binary, a: &Value<'a>, b: &Value<'a>, budget: &mut Budget) -> Outcome<'a> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => int(operator, *a, *b).map(Value::Int),
        (Value::Uint(a), Value::Uint(b)) => uint(operator, *a, *b).map(Value::Uint),
        (Value::Double(a), Value::Double(b)) => double(operator, *a, *b).map(Value::Double),
        _ if operator == Binary::Add => add(a, b, budget),
        _ if operator == Binary::Subtract => subtract(a, b),
        _ => Err(NoOverload),
    }
}

fn int(operator: Binary, a: i64, b: i64) -> Result<i64, crate::error::EvalErrorKind> {
    match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide if b == 0 => return Err(DivideByZero),
        Binary::Remainder if b == 0 => return Err(DivideByZero),
        Binary::Divide => a.checked_div(b),
        Binary::Remainder => a.checked_rem(b),
        _ => return Err(NoOverload),
    }
    .ok_or(Overflow)
}

fn uint(operator: Binary, a: u64, b: u64) -> Result<u64, crate::error::EvalErrorKind> {
    match operator {
        Binary::Add => a.checked_add(b),
        Binary::Subtract => a.checked_sub(b),
        Binary::Multiply => a.checked_mul(b),
        Binary::Divide => return a.checked_div(b).ok_or(DivideByZero),
        Binary::Remainder => return a.checked_rem(b).ok_or(DivideByZero),
        _ => return Err(NoOverload),
    }
    .ok_or(Overflow)
}

fn double(operator: Binary, a: f64, b: f64) -> Result<f64, crate::error::EvalErrorKind> {
    match operator {
        Binary::Add => Ok(a + b),
        Binary::Subtract => Ok(a - b),
        Binary::Multiply => Ok(a * b),
        Binary::Divide => Ok(a / b),
        _ => Err(NoOverload),
    }
}

fn add<'a>(a: &Value<'a>, b: &Value<'a>, budget: &mut Budget) -> Outcome<'a> {
    Ok(match (a, b) {
        (Value::String(a), Value::String(b)) => {
            budget.grow(a.len() + b.len())?;
            let mut whole = String::with_capacity(a.len() + b.len());
            whole.push_str(a);
            whole.push_str(b);
            Value::shared(whole)
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.grow(a.len() + b.len())?;
            Value::Bytes(Bytes::Shared([&**a, &**b].concat().into()))
        }
        (Value::List(a), Value::List(b)) => {
            budget.grow((a.len() + b.len()) * size_of::<Value<'_>>())?;
            Value::shared_list(a.iter().chain(b.iter()).cloned().collect())
        }
        (Value::Timestamp(time), Value::Duration(span)) | (Value::Duration(span), Value::Timestamp(time)) => {
            Value::Timestamp(time.add(i128::from(*span)).ok_or(Overflow)?)
        }
        (Value::Duration(a), Value::Duration(b)) => Value::Duration(a.checked_add(*b).ok_or(Overflow)?),
        _ => return Err(NoOverload),
    })
}

fn subtract<'a>(a: &Value<'a>, b: &Value<'a>) -> Outcome<'a> {
    Ok(match (a, b) {
        (Value::Timestamp(a), Value::Timestamp(b)) => Value::Duration(a.since(*b).ok_or(Overflow)?),
        (Value::Timestamp(time), Value::Duration(span)) => {
            Value::Timestamp(time.add(-i128::from(*span)).ok_or(Overflow)?)
        }
        (Value::Duration(a), Value::Duration(b)) => Value::Duration(nanoseconds(i128::from(*a) - i128::from(*b))?),
        _ => return Err(NoOverload),
    })
}

/// `-a`.
pub(crate) fn negate<'a>(value: &Value<'a>) -> Outcome<'a> {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or(Overflow),
        Value::Double(value) => Ok(Value::Double(-value)),
        _ => Err(NoOverload),
    }
}
