//! Plans that give values.

use smallvec::SmallVec;

use super::{
    Cx, Event, Local, Run, Watch,
    defaults::{default_run, entry_run},
    known::Needed,
};
use crate::{
    activation::Origin,
    error::{
        EvalErrorKind::{self, AbsentVariable, NoOverload},
        Fault,
    },
    functions::{OPTIONAL_BYTES, arithmetic, negate},
    plan::{Arithmetic, Call, DeclaredCall, Element, OptMap, Otherwise, Plan, Probe, SearchCall},
    value::{Entries, Map, Value},
};

impl Plan {
    pub(crate) fn run<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
        match self {
            Self::Const(value) => Ok(value.lend()),
            Self::Attribute(slot, at) => cx.attribute(*slot, *at),
            Self::Key(key) => cx.key(key),
            Self::Variable(index, at) => variable_run(*index as usize, *at, cx),
            Self::Lazy(index, at) => cx.lazy(*index, *at),
            Self::Local(index) => Ok(cx.local(*index).cloned().unwrap_or(Value::Null)),
            Self::Test(test) => test.run(cx).map(Value::Bool),
            Self::Index(index) => cx.index(index),
            Self::Call(call) => call_run(call, cx),
            Self::Declared(call) => declared_run(call, cx),
            Self::Search(call) => search_run(call, cx),
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
            Self::Block(block) => block.run(cx),
            Self::Slot { place, end, at } => cx.slot(*place, *end, *at),
            Self::Bind(parts) => bind_run(&parts.0, &parts.1, cx),
            Self::OptMap(map) => opt_map_run(map, cx),
            Self::Otherwise(otherwise) => otherwise_run(otherwise, cx),
            Self::Default(operands) => default_run(operands, cx),
            Self::Entry(entry) => entry_run(entry, cx),
            Self::Fail(kind, at) => Err(Fault::new(*kind, *at)),
            Self::Probe(probe) => probe_run(probe, cx),
        }
    }
}

#[inline]
fn variable_run<'a, W: Watch>(index: usize, at: u32, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    if W::READS || W::PARTIAL {
        cx.watch(Origin::Variable(index), at)?;
    }
    cx.activation.variable(index).ok_or(Fault::new(AbsentVariable, at))
}

#[inline(never)]
fn probe_run<'a, W: Watch>(probe: &'a Probe, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    if !W::NODES {
        return probe.plan.run(cx);
    }
    cx.tell(Event::Enter(probe.at), probe.at)?;
    let outcome = probe.plan.run(cx);
    cx.tell(Event::Leave(outcome.as_ref().map_err(|fault| *fault)), probe.at)?;
    outcome
}

#[inline(never)]
fn call_run<'a, W: Watch>(call: &'a Call, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    let args = args_run(&call.args, cx)?;
    (call.run)(&args, cx.budget()).map_err(|kind| Fault::new(kind, call.at))
}

#[inline(never)]
fn search_run<'a, W: Watch>(call: &'a SearchCall, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    let args = args_run(&call.args, cx)?;
    (call.run)(&call.pattern, &args, cx.budget()).map_err(|kind| Fault::new(kind, call.at))
}

#[inline(never)]
fn declared_run<'a, W: Watch>(call: &'a DeclaredCall, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    let args = args_run(&call.args, cx)?;
    let outcome = match (call.function.run(&args, cx.budget()), call.native) {
        (Some(outcome), _) => outcome,
        (None, Some(native)) => native(&args, cx.budget()),
        (None, None) => Err(NoOverload),
    };
    outcome.map_err(|kind| Fault::new(kind, call.at))
}

#[inline]
fn args_run<'a, W: Watch>(args: &'a [Plan], cx: &mut Cx<'a, '_, W>) -> Run<SmallVec<[Value<'a>; 3]>> {
    let mut values: SmallVec<[Value<'a>; 3]> = SmallVec::new();
    let mut needed = Needed::default();
    for arg in args {
        let outcome = arg.run(cx);
        values.extend(needed.take(outcome, cx)?);
    }
    needed.all_known::<W>()?;
    Ok(values)
}

#[inline(never)]
fn arithmetic_run<'a, W: Watch>(sum: &'a Arithmetic, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    let left = sum.left.run(cx);
    let (left, right) = cx.both(left, |cx| sum.right.run(cx))?;
    arithmetic(sum.operator, &left, &right, cx.budget()).map_err(|kind| Fault::new(kind, sum.at))
}

/// The value of an element, none when it is an empty optional that is to be left out.
fn element_run<'a, W: Watch>(element: &'a Element, at: u32, cx: &mut Cx<'a, '_, W>) -> Run<Option<Value<'a>>> {
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
fn list_run<'a, W: Watch>(elements: &'a [Element], at: u32, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    cx.budget().grow(elements.len() * size_of::<Value<'_>>()).map_err(|kind| Fault::new(kind, at))?;
    let mut list = Vec::with_capacity(elements.len());
    let mut needed = Needed::default();
    for element in elements {
        let outcome = element_run(element, at, cx);
        list.extend(needed.take(outcome, cx)?.flatten());
    }
    needed.all_known::<W>()?;
    Ok(Value::shared_list(list))
}

#[inline(never)]
fn map_run<'a, W: Watch>(entries: &'a [(Plan, Element)], at: u32, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    let place = |kind: EvalErrorKind| Fault::new(kind, at);
    let mut map = Entries::default();
    let mut needed = Needed::default();
    for (key, element) in entries {
        let key = key.run(cx);
        let entry = cx.both(key, |cx| element_run(element, at, cx));
        if let Some((key, Some(value))) = needed.take(entry, cx)? {
            map.insert(key, value, cx.budget()).map_err(place)?;
        }
    }
    needed.all_known::<W>()?;
    Ok(Value::Map(Map::new(map)))
}

#[inline(never)]
fn bind_run<'a, W: Watch>(value: &'a Plan, body: &'a Plan, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    let value = value.run(cx)?;
    cx.locals.push(Local::Own(value));
    let outcome = body.run(cx);
    cx.locals.pop();
    outcome
}

#[inline(never)]
fn opt_map_run<'a, W: Watch>(map: &'a OptMap, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    let inner = match map.operand.run(cx)? {
        Value::Optional(Some(inner)) => (*inner).clone(),
        Value::Optional(None) => return Ok(Value::Optional(None)),
        _ => return Err(Fault::new(NoOverload, map.at)),
    };
    cx.locals.push(Local::Own(inner));
    let outcome = map.body.run(cx);
    cx.locals.pop();
    match outcome? {
        value if !map.flat => {
            cx.budget().grow(OPTIONAL_BYTES).map_err(|kind| Fault::new(kind, map.at))?;
            Ok(Value::some(value))
        }
        value @ Value::Optional(_) => Ok(value),
        _ => Err(Fault::new(NoOverload, map.at)),
    }
}

#[inline(never)]
fn otherwise_run<'a, W: Watch>(otherwise: &'a Otherwise, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
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
