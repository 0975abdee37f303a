//! Equality and order, across the number types, by the specification.

use std::cmp::Ordering;

use super::{Map, Value};
use crate::{error::EvalErrorKind, run::Budget};

type Outcome<T> = Result<T, EvalErrorKind>;

/// Whether both are the same; values of different types are not, numbers are compared as numbers.
pub(crate) fn equal(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Outcome<bool> {
    Ok(match (a, b) {
        (Value::String(a), Value::String(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            budget.read(a.len())?;
            **a == **b
        }
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Null, Value::Null) => true,
        (Value::Uint(a), Value::Uint(b)) => a == b,
        (Value::Double(a), Value::Double(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.read(a.len().min(b.len()))?;
            **a == **b
        }
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Ip(a), Value::Ip(b)) => a == b,
        (Value::Cidr(a), Value::Cidr(b)) => a == b,
        (Value::Url(a), Value::Url(b)) => {
            budget.read(a.size().min(b.size()))?;
            a == b
        }
        (Value::Semver(a), Value::Semver(b)) => {
            budget.read(a.size().min(b.size()))?;
            a == b
        }
        (Value::List(a), Value::List(b)) => return equal_lists(a, b, budget),
        (Value::Map(a), Value::Map(b)) => return equal_maps(a, b, budget),
        (Value::Optional(None), Value::Optional(None)) => true,
        (Value::Optional(Some(a)), Value::Optional(Some(b))) => return equal(a, b, budget),
        _ => numbers(a, b) == Some(Some(Ordering::Equal)),
    })
}

fn equal_lists(a: &[Value<'_>], b: &[Value<'_>], budget: &mut Budget) -> Outcome<bool> {
    if a.len() != b.len() {
        return Ok(false);
    }
    budget.spend(a.len())?;
    for (a, b) in a.iter().zip(b) {
        if !equal(a, b, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_maps(a: &Map<'_>, b: &Map<'_>, budget: &mut Budget) -> Outcome<bool> {
    budget.spend(a.counting().saturating_add(b.counting()))?;
    let count = a.len();
    if count != b.len() {
        return Ok(false);
    }
    budget.spend(count)?;
    for key in a.keys(budget)? {
        let (Some(ours), Some(theirs)) = (a.get(&key, budget)?, b.get(&key, budget)?) else { return Ok(false) };
        if !equal(&ours, &theirs, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two values: none when a NaN has none.
pub(crate) fn order(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Outcome<Option<Ordering>> {
    Ok(Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => {
            budget.read(a.len().min(b.len()))?;
            (**a).cmp(&**b)
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.read(a.len().min(b.len()))?;
            (**a).cmp(&**b)
        }
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
        _ => return numbers(a, b).ok_or(EvalErrorKind::NoOverload),
    }))
}

/// The order of two numbers as numbers; none when they are not both numbers.
fn numbers(a: &Value<'_>, b: &Value<'_>) -> Option<Option<Ordering>> {
    Some(match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Uint(a), Value::Uint(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Value::Uint(a), Value::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        // As doubles, which cannot tell the largest integers apart: the conformance tests want it so.
        (Value::Int(a), Value::Double(b)) => (*a as f64).partial_cmp(b),
        (Value::Uint(a), Value::Double(b)) => (*a as f64).partial_cmp(b),
        (Value::Double(a), Value::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Value::Double(a), Value::Uint(b)) => a.partial_cmp(&(*b as f64)),
        _ => return None,
    })
}
