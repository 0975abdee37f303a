//! What may be absent: operands of `|`, and the keys of maps, where they are attributes by their variables.

use super::{Cx, Run, Watch};
use crate::{
    activation::Origin,
    error::{
        EvalErrorKind::{AbsentKey, AbsentVariable, NoOverload},
        Fault,
    },
    plan::{Entry, Plan},
    value::Value,
};

/// The first operand that is present; the last must be.
#[inline(never)]
pub(super) fn default_run<'a, W: Watch>(operands: &'a [Plan], cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    let Some((last, others)) = operands.split_last() else { return Ok(Value::Null) };
    match present(others, cx)? {
        Some(value) => Ok(value),
        None => last.run(cx),
    }
}

#[inline(never)]
pub(super) fn entry_run<'a, W: Watch>(entry: &'a Entry, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
    match look(entry, false, cx)? {
        Some(value) => Ok(value),
        None if entry.strict => Err(Fault::new(AbsentKey, entry.at)),
        None => Ok(Value::text("")),
    }
}

fn present<'a, W: Watch>(operands: &'a [Plan], cx: &mut Cx<'a, '_, W>) -> Run<Option<Value<'a>>> {
    for operand in operands {
        if let Some(value) = operand.run_present(cx)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// A map, and the variable that it is.
type Found<'a> = Option<(Value<'a>, Option<Origin>)>;

impl Plan {
    /// The value; none where it is an attribute or a key that is absent.
    fn run_present<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<Option<Value<'a>>> {
        match self {
            Self::Variable(index, at) => {
                let index = *index as usize;
                if W::READS || W::PARTIAL {
                    cx.watch(Origin::Variable(index), *at)?;
                }
                Ok(cx.activation.variable(index))
            }
            Self::Default(operands) => present(operands, cx),
            Self::Entry(entry) => look(entry, true, cx),
            plan => plan.run(cx).map(Some),
        }
    }

    /// A map of which one key will be looked at: it is not told as read itself, unless it is absent. `lenient` says that
    /// it may be.
    fn run_map<'a, W: Watch>(&'a self, lenient: bool, cx: &mut Cx<'a, '_, W>) -> Run<Found<'a>> {
        match self {
            Self::Variable(index, at) => {
                let origin = Origin::Variable(*index as usize);
                cx.ask(origin, None, *at)?;
                match cx.activation.variable(*index as usize) {
                    Some(map) => return Ok(Some((map, Some(origin)))),
                    None if W::READS => cx.tell_read(origin, None, false, *at)?,
                    None => {}
                }
                if lenient { Ok(None) } else { Err(Fault::new(AbsentVariable, *at)) }
            }
            Self::Default(operands) => {
                let Some((last, others)) = operands.split_last() else { return Ok(None) };
                for operand in others {
                    if let Some(found) = operand.run_map(true, cx)? {
                        return Ok(Some(found));
                    }
                }
                last.run_map(lenient, cx)
            }
            Self::Conditional(choice) => {
                let chosen = if choice.test.run(cx)? { &choice.then } else { &choice.other };
                chosen.run_map(false, cx)
            }
            plan => plan.run(cx).map(|map| Some((map, None))),
        }
    }
}

/// The value at a key; none where it, or with `lenient` the map or the key itself, is absent.
fn look<'a, W: Watch>(entry: &'a Entry, lenient: bool, cx: &mut Cx<'a, '_, W>) -> Run<Option<Value<'a>>> {
    let Some((map, origin)) = entry.map.run_map(lenient, cx)? else { return Ok(None) };
    let key = if lenient { entry.key.run_present(cx)? } else { Some(entry.key.run(cx)?) };
    let Some(key) = key else {
        if W::READS
            && let Some(origin) = origin
        {
            cx.tell_read(origin, None, true, entry.at)?;
        }
        return Ok(None);
    };
    let (Value::Map(map), Some(name)) = (&map, key.as_str()) else { return Err(Fault::new(NoOverload, entry.at)) };
    if W::READS
        && let Some(origin) = origin
    {
        cx.tell_read(origin, Some(name), map.contains(&key), entry.at)?;
    }
    map.get(&key, cx.budget()).map_err(|kind| Fault::new(kind, entry.at))
}
