//! Lists: the extension of cel-go and that of Kubernetes.

use std::cmp::Ordering;

use super::{Function, Outcome, Shape, arithmetic, global, has, method};
use crate::{
    ast::Binary,
    error::EvalErrorKind::{self, Invalid, NoOverload, OutOfRange},
    run::Budget,
    value::{List, Value, equal, order},
};

const A: Shape = Shape::A;
const LIST: Shape = Shape::List(&Shape::A);
const COMPARABLE: Shape = Shape::List(&Shape::Comparable);
const OPTIONAL: Shape = Shape::Optional(&Shape::A);

const fn summed(list: &'static [Shape], of: Shape, run: super::Native) -> Function {
    method("sum", list, of, run)
}

pub(super) const FUNCTIONS: &[Function] = &[
    method("slice", &[LIST, Shape::Int, Shape::Int], LIST, slice),
    method("flatten", &[Shape::List(&LIST)], LIST, flatten),
    method("flatten", &[Shape::List(&Shape::Dyn), Shape::Int], Shape::List(&Shape::Dyn), flatten),
    method("distinct", &[LIST], LIST, distinct),
    // The code of `reverse`, `indexOf` and `lastIndexOf` is that of texts, which comes here for lists.
    method("reverse", &[LIST], LIST, reverse),
    method("indexOf", &[LIST, A], Shape::Int, index_of),
    method("lastIndexOf", &[LIST, A], Shape::Int, last_index_of),
    method("includes", &[Shape::Dyn, Shape::Dyn], Shape::Bool, includes),
    method("sort", &[COMPARABLE], COMPARABLE, sort),
    method("isSorted", &[COMPARABLE], Shape::Bool, is_sorted),
    method("min", &[COMPARABLE], Shape::Comparable, min),
    method("max", &[COMPARABLE], Shape::Comparable, max),
    // The type says what the sum of no elements is.
    summed(&[Shape::List(&Shape::Int)], Shape::Int, |args, budget| sum(args, Value::Int(0), budget)),
    summed(&[Shape::List(&Shape::Uint)], Shape::Uint, |args, budget| sum(args, Value::Uint(0), budget)),
    summed(&[Shape::List(&Shape::Double)], Shape::Double, |args, budget| sum(args, Value::Double(0.0), budget)),
    summed(&[Shape::List(&Shape::Duration)], Shape::Duration, |args, budget| sum(args, Value::Duration(0), budget)),
    method("first", &[LIST], OPTIONAL, first),
    method("last", &[LIST], OPTIONAL, last),
    global("lists.range", &[Shape::Int], Shape::List(&Shape::Int), range),
];

fn list_of<'v, 'a>(args: &'v [Value<'a>]) -> Result<&'v List<'a>, EvalErrorKind> {
    match args {
        [Value::List(list)] => Ok(list),
        _ => Err(NoOverload),
    }
}

/// Charges a list of that many elements, and the one that it is made from.
fn room(elements: usize, budget: &mut Budget) -> Result<(), EvalErrorKind> {
    budget.grow(elements.saturating_mul(2 * size_of::<Value<'_>>()))
}

fn slice<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::List(list), Value::Int(start), Value::Int(end)] = args else { return Err(NoOverload) };
    let place = |index: &i64| usize::try_from(*index).map_err(|_| OutOfRange);
    let part = list.get(place(start)?..place(end)?).ok_or(OutOfRange)?;
    room(part.len(), budget)?;
    Ok(Value::shared_list(part.to_vec()))
}

fn flatten<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let (list, depth) = match args {
        [Value::List(list)] => (list, 1),
        [Value::List(list), Value::Int(depth)] => (list, u64::try_from(*depth).map_err(|_| Invalid)?),
        _ => return Err(NoOverload),
    };
    let mut flat = Vec::new();
    // Where the lists around the current element stand, so that nothing recurses.
    let mut around = vec![(list, 0)];
    while let Some((list, at)) = around.pop() {
        let Some(element) = list.get(at) else { continue };
        budget.spend(1)?;
        around.push((list, at + 1));
        match element {
            Value::List(inner) if around.len() as u64 <= depth => around.push((inner, 0)),
            element => {
                room(1, budget)?;
                flat.push(element.clone());
            }
        }
    }
    Ok(Value::shared_list(flat))
}

fn distinct<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let list = list_of(args)?;
    let mut kept: Vec<Value<'a>> = Vec::new();
    for element in list.iter() {
        if !has(&kept, element, budget)? {
            room(1, budget)?;
            kept.push(element.clone());
        }
    }
    Ok(Value::shared_list(kept))
}

pub(super) fn reverse<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let list = list_of(args)?;
    room(list.len(), budget)?;
    Ok(Value::shared_list(list.iter().rev().cloned().collect()))
}

fn place<'v, 'a: 'v>(
    elements: impl Iterator<Item = (usize, &'v Value<'a>)>,
    wanted: &Value<'a>,
    budget: &mut Budget,
) -> Outcome<'a> {
    for (index, element) in elements {
        budget.spend(1)?;
        if equal(element, wanted, budget)? {
            return Ok(Value::Int(index as i64));
        }
    }
    Ok(Value::Int(-1))
}

pub(super) fn index_of<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::List(list), wanted] => place(list.iter().enumerate(), wanted, budget),
        _ => Err(NoOverload),
    }
}

pub(super) fn last_index_of<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::List(list), wanted] => place(list.iter().enumerate().rev(), wanted, budget),
        _ => Err(NoOverload),
    }
}

/// Whether a list has that element, or another value is that one.
fn includes<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    match args {
        [Value::List(list), wanted] => has(list, wanted, budget).map(Value::Bool),
        [value, wanted] => equal(value, wanted, budget).map(Value::Bool),
        _ => Err(NoOverload),
    }
}

/// The order of two elements that can be compared; a NaN cannot.
fn compared(a: &Value<'_>, b: &Value<'_>, budget: &mut Budget) -> Result<Ordering, EvalErrorKind> {
    budget.spend(1)?;
    order(a, b, budget)?.ok_or(Invalid)
}

fn sort<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let list = list_of(args)?;
    sorted(list, list, budget)
}

/// The elements of a list in the order of their keys, which must all be of one type; equal ones stay as they were.
pub(crate) fn sorted<'a>(list: &[Value<'a>], keys: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    budget.spend(keys.len())?;
    let comparable = |key: &Value<'_>| order(key, key, &mut Budget::unlimited()).is_ok();
    if let Some(first) = keys.first()
        && !(comparable(first) && keys.iter().all(|key| key.type_name() == first.type_name()))
    {
        return Err(NoOverload);
    }
    room(list.len(), budget)?;
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    merge_sort(&mut order, keys, budget)?;
    Ok(Value::shared_list(order.into_iter().filter_map(|index| list.get(index as usize).cloned()).collect()))
}

/// Sorts places by what stands there. The library's sort cannot stop when the budget does.
fn merge_sort(places: &mut Vec<u32>, keys: &[Value<'_>], budget: &mut Budget) -> Result<(), EvalErrorKind> {
    let mut width = 1;
    while width < places.len() {
        let mut merged = Vec::with_capacity(places.len());
        for run in places.chunks(2 * width) {
            let (left, right) = run.split_at(width.min(run.len()));
            let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                let (Some(one), Some(other)) = (keys.get(**a as usize), keys.get(**b as usize)) else { break };
                let next = if compared(one, other, budget)? == Ordering::Greater { &mut right } else { &mut left };
                merged.extend(next.next());
            }
            merged.extend(left);
            merged.extend(right);
        }
        *places = merged;
        width *= 2;
    }
    Ok(())
}

fn is_sorted<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    for pair in list_of(args)?.windows(2) {
        if let [a, b] = pair
            && compared(a, b, budget)? == Ordering::Greater
        {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn min<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    extreme(list_of(args)?, Ordering::Greater, budget)
}

fn max<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    extreme(list_of(args)?, Ordering::Less, budget)
}

fn extreme<'a>(list: &List<'a>, worse: Ordering, budget: &mut Budget) -> Outcome<'a> {
    let (first, rest) = list.split_first().ok_or(Invalid)?;
    // A lone element must be one that can be compared, too.
    compared(first, first, budget).or_else(|kind| if kind == Invalid { Ok(Ordering::Equal) } else { Err(kind) })?;
    let mut best = first;
    for next in rest {
        if compared(best, next, budget)? == worse {
            best = next;
        }
    }
    Ok(best.clone())
}

fn sum<'a>(args: &[Value<'a>], zero: Value<'a>, budget: &mut Budget) -> Outcome<'a> {
    let list = list_of(args)?;
    let Some((first, rest)) = list.split_first() else { return Ok(zero) };
    if !matches!(first, Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_)) {
        return Err(NoOverload);
    }
    let mut total = first.clone();
    for next in rest {
        budget.spend(1)?;
        // A timestamp and a duration have a sum, but lists do not hold both.
        if next.type_name() != total.type_name() {
            return Err(NoOverload);
        }
        total = arithmetic(Binary::Add, &total, next, budget)?;
    }
    Ok(total)
}

fn first<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    optional(list_of(args)?.first(), budget)
}

fn last<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    optional(list_of(args)?.last(), budget)
}

fn optional<'a>(element: Option<&Value<'a>>, budget: &mut Budget) -> Outcome<'a> {
    let Some(element) = element else { return Ok(Value::Optional(None)) };
    budget.grow(2 * size_of::<Value<'_>>())?;
    Ok(Value::some(element.clone()))
}

fn range<'a>(args: &[Value<'a>], budget: &mut Budget) -> Outcome<'a> {
    let [Value::Int(count)] = args else { return Err(NoOverload) };
    let count = usize::try_from(*count).map_err(|_| Invalid)?;
    room(count, budget)?;
    Ok(Value::shared_list((0..count as i64).map(Value::Int).collect()))
}
