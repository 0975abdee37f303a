//! Lists: the extension of cel-go and that of Kubernetes.

use std::cmp::Ordering;

use super::{Effect, Function, Growth, Outcome, Shape, arithmetic, finding, global, has, method};
use crate::{
    ast::Binary,
    cost::{Bounds, Extent, Spend, equality, list_bytes},
    error::EvalErrorKind::{self, Invalid, NoOverload, OutOfRange},
    run::Budget,
    value::{List, Value, equal, order},
};

const A: Shape = Shape::A;
const LIST: Shape = Shape::List(&Shape::A);
const COMPARABLE: Shape = Shape::List(&Shape::Comparable);
const OPTIONAL: Shape = Shape::Optional(&Shape::A);

const fn summed(list: &'static [Shape], of: Shape, run: super::Native) -> Function {
    method("sum", list, of, run).costs(Growth::By(comparing))
}

pub(super) const FUNCTIONS: &[Function] = &[
    method("slice", &[LIST, Shape::Int, Shape::Int], LIST, slice).costs(Growth::By(slicing)),
    method("flatten", &[Shape::List(&LIST)], LIST, flatten).costs(Growth::By(flattening)),
    method("flatten", &[Shape::List(&Shape::Dyn), Shape::Int], Shape::List(&Shape::Dyn), flatten)
        .costs(Growth::By(flattening)),
    method("distinct", &[LIST], LIST, distinct).costs(Growth::By(differing)),
    // The code of `reverse`, `indexOf` and `lastIndexOf` is that of texts, which comes here for lists.
    method("reverse", &[LIST], LIST, reverse).costs(Growth::By(slicing)),
    method("indexOf", &[LIST, A], Shape::Int, index_of).costs(Growth::By(placing)),
    method("lastIndexOf", &[LIST, A], Shape::Int, last_index_of).costs(Growth::By(placing)),
    method("includes", &[Shape::Dyn, Shape::Dyn], Shape::Bool, includes).costs(Growth::By(including)),
    method("sort", &[COMPARABLE], COMPARABLE, sort).costs(Growth::By(sorting)),
    method("isSorted", &[COMPARABLE], Shape::Bool, is_sorted).costs(Growth::By(comparing)),
    method("min", &[COMPARABLE], Shape::Comparable, min).costs(Growth::By(comparing)),
    method("max", &[COMPARABLE], Shape::Comparable, max).costs(Growth::By(comparing)),
    // The type says what the sum of no elements is.
    summed(&[Shape::List(&Shape::Int)], Shape::Int, |args, budget| sum(args, Value::Int(0), budget)),
    summed(&[Shape::List(&Shape::Uint)], Shape::Uint, |args, budget| sum(args, Value::Uint(0), budget)),
    summed(&[Shape::List(&Shape::Double)], Shape::Double, |args, budget| sum(args, Value::Double(0.0), budget)),
    summed(&[Shape::List(&Shape::Duration)], Shape::Duration, |args, budget| sum(args, Value::Duration(0), budget)),
    method("first", &[LIST], OPTIONAL, first).costs(Growth::By(ending)),
    method("last", &[LIST], OPTIONAL, last).costs(Growth::By(ending)),
    global("lists.range", &[Shape::Int], Shape::List(&Shape::Int), range).costs(Growth::By(counting)),
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

/// What `room` takes.
fn rooms(elements: Bounds) -> Spend {
    Spend::grow(list_bytes(elements.times(Bounds::exactly(2))))
}

fn list(args: &[Extent]) -> Extent {
    args.first().cloned().unwrap_or_else(Extent::never)
}

/// A part of a list, or all of it in another order.
fn slicing(args: &[Extent]) -> Effect {
    let list = list(args);
    let len = Bounds::at_most(list.count().max);
    let gives = Extent::list(len, list.element()).of_bytes(list.whole().bytes);
    Effect { spend: rooms(len), gives }
}

fn flattening(args: &[Extent]) -> Effect {
    let list = list(args);
    let (inner, whole) = (list.element(), list.whole());
    let parts = Bounds::at_most(whole.parts);
    let spend = Spend::steps(parts) + rooms(parts);
    let gives = if args.len() == 1 && !inner.may_be_flat() && !inner.may_be_map() && !inner.may_be_optional() {
        let len = Bounds::at_most(list.count().max.saturating_mul(inner.count().max));
        Extent::list(len, inner.element())
    } else {
        // Elements of any depth.
        Extent::list(parts, Extent::any(whole))
    };
    Effect { spend, gives: gives.of_bytes(whole.bytes) }
}

fn differing(args: &[Extent]) -> Effect {
    let kept = slicing(args);
    let len = kept.gives.len();
    let each = finding(&kept.gives, &kept.gives.element());
    Effect { spend: kept.spend + each.times(len), gives: kept.gives }
}

fn placing(args: &[Extent]) -> Effect {
    let [list, wanted] = args else { return Effect::unknown() };
    let len = list.count().max;
    Effect { spend: finding(list, wanted), gives: Extent::number(len) }
}

fn including(args: &[Extent]) -> Effect {
    let [of, wanted] = args else { return Effect::unknown() };
    Effect { spend: finding(of, wanted).or(equality(of, wanted)), gives: Extent::scalar() }
}

/// Each element is compared with the next.
fn comparing(args: &[Extent]) -> Effect {
    let list = list(args);
    let element = list.element();
    let each = Spend::steps(Bounds::at_most(1)) + Spend::read(Bounds::at_most(element.len().max));
    Effect { spend: each.times(Bounds::at_most(list.count().max.saturating_add(1))), gives: element }
}

fn sorting(args: &[Extent]) -> Effect {
    let sorted = slicing(args);
    let spend = sorted.spend + ordering(&sorted.gives, &sorted.gives.element());
    Effect { spend, gives: sorted.gives }
}

/// What [`sorted`] takes to put a list into the order of keys, one for each element.
pub(crate) fn ordering(list: &Extent, key: &Extent) -> Spend {
    let len = list.count().max;
    let rounds = u64::from(u64::BITS - len.leading_zeros());
    let each = Spend::steps(Bounds::at_most(1)) + Spend::read(Bounds::at_most(key.len().max));
    rooms(Bounds::at_most(len))
        + Spend::steps(Bounds::at_most(len))
        + each.times(Bounds::at_most(len.saturating_mul(rounds)))
}

fn ending(args: &[Extent]) -> Effect {
    Effect { spend: rooms(Bounds::at_most(1)), gives: Extent::optional(list(args).element()) }
}

fn counting(args: &[Extent]) -> Effect {
    let most = args.first().map_or(u64::MAX, Extent::most);
    let len = Bounds::at_most(most);
    Effect { spend: rooms(len), gives: Extent::list(len, Extent::number(most)) }
}
