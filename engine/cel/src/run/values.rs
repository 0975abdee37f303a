//! Plans that give values.

use smallvec::SmallVec;

use super::{Cx, Local, Run};
use crate::{
    error::{
        EvalErrorKind::{self, AbsentVariable, NoOverload},
        Fault,
    },
    functions::{arithmetic, negate},
    plan::{Arithmetic, Call, DeclaredCall, Element, OptMap, Otherwise, Plan},
    value::{Entries, Map, Value},
};

impl Plan {
    pub(crate) fn run<'a>(&'a self, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
        match self {
            Self::Const(value) => Ok(value.lend()),
            Self::Attribute(slot, at) => cx.attribute(*slot, *at),
            Self::Key(key) => cx.key(key),
            Self::Variable(index, at) => cx.activation.variable(*index as usize).ok_or(Fault::new(AbsentVariable, *at)),
            Self::Lazy(index, at) => cx.lazy(*index, *at),
            Self::Local(index) => Ok(cx.local(*index).cloned().unwrap_or(Value::Null)),
            Self::Test(test) => test.run(cx).map(Value::Bool),
            Self::Index(index) => cx.index(index),
            Self::Call(call) => call_run(call, cx),
            Self::Declared(call) => declared_run(call, cx),
            Self::Arithmetic(sum) => arithmetic_run(sum, cx),
            Self::Negate(operand, at) => {
                let operand = operand.run(cx)?;
                negate(&operand).map_err(|kind| Fault::new(kind, *at))
            }
            Self::List(elements, at) => list_run(elements, *at, cx),
            Self::Map(entries, at) => map_run(entries, *at, cx),
            Self::Conditional(choice) => {
                if choice.test.run(cx)? {
                    choice.then.run(cx)
                } else {
                    choice.other.run(cx)
                }
            }
            Self::Fold(fold) => fold.run(cx),
            Self::Bind(parts) => bind_run(&parts.0, &parts.1, cx),
            Self::OptMap(map) => opt_map_run(map, cx),
            Self::Otherwise(otherwise) => otherwise_run(otherwise, cx),
            Self::Fail(kind, at) => Err(Fault::new(*kind, *at)),
        }
    }
}

#[inline(never)]
fn call_run<'a>(call: &'a Call, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
    let mut args: SmallVec<[Value<'a>; 3]> = SmallVec::new();
    for arg in &call.args {
        args.push(arg.run(cx)?);
    }
    (call.run)(&args, cx.budget()).map_err(|kind| Fault::new(kind, call.at))
}

#[inline(never)]
fn declared_run<'a>(call: &'a DeclaredCall, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
    let mut args: SmallVec<[Value<'a>; 3]> = SmallVec::new();
    for arg in &call.args {
        args.push(arg.run(cx)?);
    }
    let outcome = match (call.function.run(&args, cx.budget()), call.native) {
        (Some(outcome), _) => outcome,
        (None, Some(native)) => native(&args, cx.budget()),
        (None, None) => Err(NoOverload),
    };
    outcome.map_err(|kind| Fault::new(kind, call.at))
}

#[inline(never)]
fn arithmetic_run<'a>(sum: &'a Arithmetic, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
    let (left, right) = (sum.left.run(cx)?, sum.right.run(cx)?);
    arithmetic(sum.operator, &left, &right, cx.budget()).map_err(|kind| Fault::new(kind, sum.at))
}

/// The value of an element, none when it is an empty optional that is to be left out.
fn element_run<'a>(element: &'a Element, at: u32, cx: &mut Cx<'a, '_>) -> Run<Option<Value<'a>>> {
    let value = element.value.run(cx)?;
    if !element.optional {
        return Ok(Some(value));
    }
    match value {
        Value::Optional(inner) => Ok(inner.map(|inner| (*inner).clone())),
        _ => Err(Fault::new(NoOverload, at)),
    }
}

#[inline(never)]
fn list_run<'a>(elements: &'a [Element], at: u32, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
    cx.budget().grow(elements.len() * size_of::<Value<'_>>()).map_err(|kind| Fault::new(kind, at))?;
    let mut list = Vec::with_capacity(elements.len());
    for element in elements {
        list.extend(element_run(element, at, cx)?);
    }
    Ok(Value::shared_list(list))
}

#[inline(never)]
fn map_run<'a>(entries: &'a [(Plan, Element)], at: u32, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
    let place = |kind: EvalErrorKind| Fault::new(kind, at);
    cx.budget().grow(entries.len() * 2 * size_of::<Value<'_>>()).map_err(place)?;
    let mut map = Entries::default();
    for (key, element) in entries {
        let key = key.run(cx)?;
        if let Some(value) = element_run(element, at, cx)? {
            map.push(key, value).map_err(place)?;
        }
    }
    Ok(Value::Map(Map::new(map)))
}

#[inline(never)]
fn bind_run<'a>(value: &'a Plan, body: &'a Plan, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
    let value = value.run(cx)?;
    cx.locals.push(Local::Own(value));
    let outcome = body.run(cx);
    cx.locals.pop();
    outcome
}

#[inline(never)]
fn opt_map_run<'a>(map: &'a OptMap, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
    let inner = match map.operand.run(cx)? {
        Value::Optional(Some(inner)) => (*inner).clone(),
        Value::Optional(None) => return Ok(Value::Optional(None)),
        _ => return Err(Fault::new(NoOverload, map.at)),
    };
    cx.locals.push(Local::Own(inner));
    let outcome = map.body.run(cx);
    cx.locals.pop();
    match outcome? {
        value if !map.flat => Ok(Value::some(value)),
        value @ Value::Optional(_) => Ok(value),
        _ => Err(Fault::new(NoOverload, map.at)),
    }
}

#[inline(never)]
fn otherwise_run<'a>(otherwise: &'a Otherwise, cx: &mut Cx<'a, '_>) -> Run<Value<'a>> {
    match otherwise.operand.run(cx)? {
        Value::Optional(Some(inner)) if otherwise.unwrap => Ok((*inner).clone()),
        value @ Value::Optional(Some(_)) => Ok(value),
        Value::Optional(None) => match otherwise.other.run(cx)? {
            value if otherwise.unwrap => Ok(value),
            value @ Value::Optional(_) => Ok(value),
            _ => Err(Fault::new(NoOverload, otherwise.at)),
        },
        _ => Err(Fault::new(NoOverload, otherwise.at)),
    }
}
