//! Tests, with errors absorbed: `false && error` is false, `true || error` is true.

use std::cmp::Ordering;

use weir_attributes::Slot;

use super::{Cx, Run, Watch, access::has_field, texts};
use crate::{
    activation::Origin,
    ast::Binary,
    error::{
        EvalErrorKind::{AbsentAttribute, AbsentKey, AbsentVariable, NoOverload},
        Fault,
    },
    index::Candidates,
    plan::{Choice, Int, Pair, Part, Pattern, Plan, Test, Text},
    value::{self, Value, equal, lines_of, order},
};

impl Test {
    #[inline]
    pub(crate) fn run<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
        match self {
            Self::Every(terms) => terms_run(terms, true, cx),
            Self::Any(terms) => terms_run(terms, false, cx),
            _ => self.run_other(cx),
        }
    }

    /// The tests that policies are made of, small enough to be part of a loop over terms; none where it takes more, such
    /// as an error.
    #[inline(always)]
    fn quick<W: Watch>(&self, cx: &Cx<'_, '_, W>) -> Option<bool> {
        if W::READS || W::PARTIAL {
            return None;
        }
        match self {
            Self::Is { text: Text::Attribute(slot, _), constant, wanted } => {
                Some(texts::same(cx.bag?.bytes(*slot)?, constant.as_bytes()) == *wanted)
            }
            Self::Has { part: Part::Start, text: Text::Attribute(slot, _), constant, .. } => {
                Some(texts::starts(cx.bag?.bytes(*slot)?, constant.as_bytes()))
            }
            _ => None,
        }
    }

    #[inline(never)]
    fn run_other<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
        match self {
            Self::Is { text, constant, wanted } => {
                text.with_bytes(cx, |text| texts::same(text, constant.as_bytes()) == *wanted)
            }
            Self::TextIn { text, set } => text.with(cx, |text| set.contains(text)),
            Self::Const(value) => Ok(*value),
            Self::InOrder { all, terms } => in_order_run(terms, *all, cx),
            Self::Not(test) => test.run(cx).map(|value| !value),
            Self::Same { left, right, wanted, at } => same_run(left, right, *wanted, *at, cx),
            Self::Choice(choice) => choice_run(choice, cx),
            Self::Has { part: Part::Start, text, constant, .. } => {
                text.with_bytes(cx, |text| texts::starts(text, constant.as_bytes()))
            }
            Self::Has { part: Part::End, text, constant, .. } => {
                text.with_bytes(cx, |text| texts::ends(text, constant.as_bytes()))
            }
            Self::Has { text, constant, at, .. } => contains_run(text, constant, *at, cx),
            Self::Part { part, text, of, at } => part_run(*part, text, of, *at, cx),
            Self::Matches { text, pattern, at } => matches_run(text, pattern, *at, cx),
            Self::Numbers { operator, left, right } => {
                let left = left.run(cx);
                let (left, right) = cx.both(left, |cx| right.run(cx))?;
                Ok(holds(*operator, Some(left.cmp(&right))))
            }
            Self::Equal(pair, wanted) => equal_run(pair, *wanted, cx),
            Self::Order(pair, operator) => order_run(pair, *operator, cx),
            Self::In(pair) => in_run(pair, cx),
            Self::HasAttribute(slot) => has_attribute(*slot, cx),
            Self::HasKey { key, strict } => cx.has_key(key, *strict),
            Self::HasLazy(index, at) => has_lazy(*index, *at, cx),
            Self::HasField(pair) => has_field_run(pair, cx),
            Self::Fold(fold) => fold.run(cx),
            Self::Value(plan, at) => truth(plan, *at, cx),
            // Never here: they are run above.
            Self::Every(_) | Self::Any(_) => self.run(cx),
        }
    }

    /// Of a test that asks only for one text: whether that text passes.
    pub(super) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Every(terms) => terms.iter().all(|term| term.holds_quick(text)),
            Self::Any(terms) => terms.iter().any(|term| term.holds_quick(text)),
            Self::Not(test) => !test.holds(text),
            Self::TextIn { set, .. } => set.contains(text),
            Self::Has { part: Part::End, constant, .. } => texts::ends(text.as_bytes(), constant.as_bytes()),
            Self::Is { .. } | Self::Has { part: Part::Start, .. } => self.holds_quick(text),
            // Never here: the planner marks only bodies of the above.
            _ => false,
        }
    }

    #[inline(always)]
    fn holds_quick(&self, text: &str) -> bool {
        match self {
            Self::Is { constant, wanted, .. } => texts::same(text.as_bytes(), constant.as_bytes()) == *wanted,
            Self::Has { part: Part::Start, constant, .. } => texts::starts(text.as_bytes(), constant.as_bytes()),
            _ => self.holds(text),
        }
    }
}

/// The terms of `&&` (all) or `||`, in order, until one decides; a fault stands only when none does.
#[inline(never)]
fn terms_run<'a, W: Watch>(terms: &'a [Test], all: bool, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let mut first: Option<Fault> = None;
    for term in terms {
        if let Some(value) = term.quick(cx) {
            if value != all {
                return Ok(value);
            }
            continue;
        }
        match term.run(cx) {
            Ok(value) if value != all => return Ok(value),
            Ok(_) => {}
            Err(fault) if fault.is_fatal() => return Err(fault),
            Err(fault) if W::PARTIAL => first = cx.undecided(first, fault)?,
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    first.map_or(Ok(all), Err)
}

/// The terms of `&&` (all) or `||`, in order, until one decides or fails.
#[inline(never)]
fn in_order_run<'a, W: Watch>(terms: &'a [Test], all: bool, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    for term in terms {
        if term.run(cx)? != all {
            return Ok(!all);
        }
    }
    Ok(all)
}

/// A long `||`, of which only the terms are asked that may hold: the others are false and no errors.
#[inline(never)]
fn choice_run<'a, W: Watch>(choice: &'a Choice, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    if W::READS || W::PARTIAL {
        return terms_run(&choice.terms, false, cx);
    }
    let mut room = Candidates::new();
    let found = match cx.bag {
        Some(bag) => choice.index.lookup(bag, &mut room),
        None => choice.index.lookup(cx.activation, &mut room),
    };
    let mut first: Option<Fault> = None;
    for term in found.iter().filter_map(|place| choice.terms.get(*place as usize)) {
        match term.run(cx) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(fault) if fault.is_fatal() => return Err(fault),
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    first.map_or(Ok(false), Err)
}

#[inline(never)]
fn same_run<'a, W: Watch>(left: &'a Text, right: &'a Text, wanted: bool, at: u32, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let left = left.run(cx);
    let (left, right) = cx.both(left, |cx| right.run(cx))?;
    if left.len() != right.len() {
        return Ok(!wanted);
    }
    cx.budget().read(left.len()).map_err(|kind| Fault::new(kind, at))?;
    Ok((*left == *right) == wanted)
}

#[inline(never)]
fn matches_run<'a, W: Watch>(text: &'a Text, pattern: &Pattern, at: u32, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let text = text.run(cx)?;
    pattern.read(&text, cx.budget()).map_err(|kind| Fault::new(kind, at))?;
    Ok(pattern.regex.is_match(&text))
}

#[inline(never)]
fn contains_run<'a, W: Watch>(text: &'a Text, constant: &str, at: u32, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let text = text.run(cx)?;
    cx.budget().read(text.len()).map_err(|kind| Fault::new(kind, at))?;
    Ok(text.contains(constant))
}

#[inline(never)]
fn part_run<'a, W: Watch>(part: Part, text: &'a Text, of: &'a Text, at: u32, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let text = text.run(cx);
    let (text, of) = cx.both(text, |cx| of.run(cx))?;
    let length = if matches!(part, Part::Anywhere) { text.len() } else { of.len().min(text.len()) };
    cx.budget().read(length).map_err(|kind| Fault::new(kind, at))?;
    Ok(match part {
        Part::Start => text.starts_with(&*of),
        Part::End => text.ends_with(&*of),
        Part::Anywhere => text.contains(&*of),
    })
}

fn holds(operator: Binary, ordering: Option<Ordering>) -> bool {
    match operator {
        Binary::Equal => ordering == Some(Ordering::Equal),
        Binary::NotEqual => ordering != Some(Ordering::Equal),
        Binary::Less => ordering == Some(Ordering::Less),
        Binary::LessEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Binary::Greater => ordering == Some(Ordering::Greater),
        _ => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }
}

#[inline(never)]
fn equal_run<'a, W: Watch>(pair: &'a Pair, wanted: bool, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let (left, right) = pair_run(pair, cx)?;
    let same = equal(&left, &right, cx.budget()).map_err(|kind| Fault::new(kind, pair.at))?;
    Ok(same == wanted)
}

#[inline(never)]
fn order_run<'a, W: Watch>(pair: &'a Pair, operator: Binary, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let (left, right) = pair_run(pair, cx)?;
    let ordering = order(&left, &right, cx.budget()).map_err(|kind| Fault::new(kind, pair.at))?;
    Ok(holds(operator, ordering))
}

#[inline(never)]
fn in_run<'a, W: Watch>(pair: &'a Pair, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let element = pair.left.run(cx);
    if let Err(fault) = &element
        && !fault.is_unknown()
    {
        return Err(*fault);
    }
    let (of, element) = cx.keyed(&pair.right, |_| element)?;
    let found = match &of {
        Value::Map(map) => map.has(&element, cx.budget()),
        Value::List(list) => crate::functions::has(list, &element, cx.budget()),
        _ => Err(NoOverload),
    };
    found.map_err(|kind| Fault::new(kind, pair.at))
}

#[inline]
fn pair_run<'a, W: Watch>(pair: &'a Pair, cx: &mut Cx<'a, '_, W>) -> Run<(Value<'a>, Value<'a>)> {
    let left = pair.left.run(cx);
    cx.both(left, |cx| pair.right.run(cx))
}

fn has_attribute<W: Watch>(slot: Slot, cx: &mut Cx<'_, '_, W>) -> Run<bool> {
    if W::READS || W::PARTIAL {
        cx.watch(Origin::Attribute(slot), 0)?;
    }
    Ok(cx.present(slot).is_some())
}

/// Whether a variable has a value: what is absent makes it absent, other errors are errors.
#[inline(never)]
fn has_lazy<W: Watch>(index: u16, at: u32, cx: &mut Cx<'_, '_, W>) -> Run<bool> {
    match cx.lazy(index, at) {
        Ok(_) => Ok(true),
        Err(Fault { kind: AbsentAttribute(_) | AbsentKey | AbsentVariable, .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}

#[inline(never)]
fn has_field_run<'a, W: Watch>(pair: &'a Pair, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    let (value, field) = cx.keyed(&pair.left, |cx| pair.right.run(cx))?;
    has_field(&value, &field, cx.budget()).map_err(|kind| Fault::new(kind, pair.at))
}

fn truth<'a, W: Watch>(plan: &'a Plan, at: u32, cx: &mut Cx<'a, '_, W>) -> Run<bool> {
    match plan.run(cx)? {
        Value::Bool(value) => Ok(value),
        _ => Err(Fault::new(NoOverload, at)),
    }
}

impl Text {
    /// Looks at the text where it is.
    #[inline]
    fn with<'a, T, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>, look: impl FnOnce(&str) -> T) -> Run<T> {
        match self {
            Self::Attribute(slot, at) => {
                if W::READS || W::PARTIAL {
                    cx.watch(Origin::Attribute(*slot), *at)?;
                }
                match cx.present_text(*slot) {
                    Some(text) => Ok(look(text)),
                    None => Err(cx.not_of_type(*slot, *at)),
                }
            }
            Self::Local(index, at) => match cx.local(*index) {
                Some(Value::String(text)) => Ok(look(text)),
                _ => Err(Fault::new(NoOverload, *at)),
            },
            Self::Key(key) => {
                if !W::READS
                    && !W::PARTIAL
                    && let Some(weir_attributes::Value::Map(map)) = cx.present(key.slot)
                    && lines_of(map) < 16
                    && let Some(std::borrow::Cow::Borrowed(text)) = map.get(&key.key)
                {
                    return Ok(look(text));
                }
                self.run(cx).map(|text| look(&text))
            }
            _ => self.run(cx).map(|text| look(&text)),
        }
    }

    /// The same, where bytes will do.
    #[inline]
    fn with_bytes<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>, look: impl FnOnce(&[u8]) -> bool) -> Run<bool> {
        if let Self::Attribute(slot, _) = self
            && !W::READS
            && !W::PARTIAL
            && let Some(text) = cx.present_bytes(*slot)
        {
            return Ok(look(text));
        }
        self.with_other(cx, look)
    }

    #[inline(never)]
    fn with_other<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>, look: impl FnOnce(&[u8]) -> bool) -> Run<bool> {
        self.with(cx, |text| look(text.as_bytes()))
    }

    #[inline(never)]
    fn run<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<value::Text<'a>> {
        match self {
            Self::Const(text) => Ok(value::Text::Borrowed(text)),
            Self::Attribute(slot, at) => cx.attribute_text(*slot, *at),
            Self::Key(key) => cx.key_text(key),
            Self::Local(index, at) => match cx.local(*index) {
                Some(Value::String(text)) => Ok(text.clone()),
                _ => Err(Fault::new(NoOverload, *at)),
            },
            Self::Value(plan, at) => text(plan, *at, cx),
        }
    }
}

#[inline(never)]
fn text<'a, W: Watch>(plan: &'a Plan, at: u32, cx: &mut Cx<'a, '_, W>) -> Run<value::Text<'a>> {
    match plan.run(cx)? {
        Value::String(text) => Ok(text),
        _ => Err(Fault::new(NoOverload, at)),
    }
}

impl Int {
    #[inline]
    fn run<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<i64> {
        match self {
            Self::Const(value) => Ok(*value),
            Self::Attribute(slot, at) => {
                if W::READS || W::PARTIAL {
                    cx.watch(Origin::Attribute(*slot), *at)?;
                }
                cx.present_int(*slot).ok_or_else(|| cx.not_of_type(*slot, *at))
            }
            Self::Value(plan, at) => match plan.run(cx)? {
                Value::Int(value) => Ok(value),
                _ => Err(Fault::new(NoOverload, *at)),
            },
        }
    }
}
