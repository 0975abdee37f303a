//! What is read and what is not known: here is all that a watched evaluation does more than the plain one.

use std::borrow::Cow;

use weir_attributes::Slot;

use super::{Cx, Event, Run, Watch};
use crate::{
    activation::Origin,
    error::{
        EvalErrorKind::{self, AbsentAttribute, AbsentVariable, Unknown},
        Fault,
    },
    plan::{Key, Plan, is_headers},
    value::Value,
};

impl<'a, W: Watch> Cx<'a, '_, W> {
    /// Tells that all of something is read; a fault when it is not known.
    pub(super) fn watch(&mut self, origin: Origin, at: u32) -> Run<()> {
        self.ask(origin, None, at)?;
        if W::READS {
            let present = match origin {
                Origin::Attribute(slot) => self.activation.attribute(slot).is_some(),
                Origin::Variable(index) => self.activation.variable(index).is_some(),
            };
            self.tell_read(origin, None, present, at)?;
        }
        Ok(())
    }

    /// Tells that one key of a map attribute is read, or that the attribute is absent.
    pub(super) fn watch_key(&mut self, key: &Key) -> Run<()> {
        let origin = Origin::Attribute(key.slot);
        self.ask(origin, Some(&key.key), key.at)?;
        if W::PARTIAL && self.activation.attribute(key.slot).is_none() && !self.activation.knows(origin, None) {
            // It may still turn up as a whole.
            return Err(self.unknown(origin, Some(&key.key), key.at));
        }
        if W::READS {
            match self.activation.attribute(key.slot) {
                Some(weir_attributes::Value::Map(map)) => {
                    self.tell_read(origin, Some(&key.key), map.contains_key(&key.key), key.at)?;
                }
                Some(weir_attributes::Value::ListMap(headers)) => {
                    self.tell_read(origin, Some(&key.key), headers.contains(&key.key), key.at)?;
                }
                Some(weir_attributes::Value::Struct(map)) => {
                    self.tell_read(origin, Some(&key.key), map.get(&key.key).is_some(), key.at)?;
                }
                other => self.tell_read(origin, None, other.is_some(), key.at)?,
            }
        }
        Ok(())
    }

    pub(super) fn ask(&mut self, origin: Origin, key: Option<&str>, at: u32) -> Run<()> {
        if W::PARTIAL && !self.activation.knows(origin, key) {
            return Err(self.unknown(origin, key, at));
        }
        Ok(())
    }

    fn unknown(&mut self, origin: Origin, key: Option<&str>, at: u32) -> Fault {
        match self.watch.unknown(origin, key, &mut self.scratch.budget) {
            Ok(set) => Fault::new(Unknown, set),
            Err(kind) => Fault::new(kind, at),
        }
    }

    pub(super) fn tell_read(&mut self, origin: Origin, key: Option<&str>, present: bool, at: u32) -> Run<()> {
        self.watch.read(origin, key, present, &mut self.scratch.budget).map_err(|kind| Fault::new(kind, at))
    }

    pub(super) fn tell(&mut self, event: Event<'_, '_>, at: u32) -> Run<()> {
        self.watch.tell(event, &mut self.scratch.budget).map_err(|kind| Fault::new(kind, at))
    }

    /// Tells the macro variables of a round.
    pub(super) fn tell_round(&mut self, index: usize, two: bool, at: u32) -> Run<()> {
        let places = self.locals.len().saturating_sub(1 + usize::from(two))..self.locals.len();
        let locals: smallvec::SmallVec<[Option<&Value<'a>>; 2]> =
            places.map(|place| self.locals.get(place).map(super::Local::value)).collect();
        self.watch.tell(Event::Round(index, &locals), &mut self.scratch.budget).map_err(|kind| Fault::new(kind, at))
    }

    /// What stands when none of several terms decides: what is not known before what fails, and the first of these.
    #[inline]
    pub(super) fn undecided(&mut self, first: Option<Fault>, next: Fault) -> Run<Option<Fault>> {
        match first {
            Some(first) if W::PARTIAL => match (first.is_unknown(), next.is_unknown()) {
                (true, true) => self.union(first, next).map(Some),
                (false, true) => Ok(Some(next)),
                _ => Ok(Some(first)),
            },
            Some(first) => Ok(Some(first)),
            None => Ok(Some(next)),
        }
    }

    fn union(&mut self, one: Fault, other: Fault) -> Run<Fault> {
        let union = self.watch.union(one.node, other.node, &mut self.scratch.budget);
        union.map(|set| Fault::new(Unknown, set)).map_err(|kind| Fault::new(kind, 0))
    }

    /// Two operands that are both needed: an error in one stands, whatever is not known of the other.
    #[inline]
    pub(super) fn both<A, B>(&mut self, one: Run<A>, other: impl FnOnce(&mut Self) -> Run<B>) -> Run<(A, B)> {
        if W::PARTIAL
            && let Err(first) = &one
            && first.is_unknown()
        {
            let mut needed = Needed(Some(*first));
            let outcome = other(self);
            needed.take(outcome, self)?;
            return Err(needed.0.unwrap_or(*first));
        }
        Ok((one?, other(self)?))
    }

    /// A map, list or text and the key that is looked for in it: only the key is told where that is all that is read.
    #[inline]
    pub(super) fn keyed(
        &mut self,
        operand: &'a Plan,
        key: impl FnOnce(&mut Self) -> Run<Value<'a>>,
    ) -> Run<(Value<'a>, Value<'a>)> {
        if (W::READS || W::PARTIAL)
            && let Some((origin, at)) = operand.origin()
        {
            return self.keyed_watched(operand, origin, at, key);
        }
        let operand = operand.run(self);
        self.both(operand, key)
    }

    #[inline(never)]
    fn keyed_watched(
        &mut self,
        operand: &'a Plan,
        origin: Origin,
        at: u32,
        key: impl FnOnce(&mut Self) -> Run<Value<'a>>,
    ) -> Run<(Value<'a>, Value<'a>)> {
        let activation = self.activation;
        let all = !W::PARTIAL || activation.knows(origin, None);
        let whole = match origin {
            Origin::Attribute(slot) => activation.attribute(slot).map(Value::from),
            Origin::Variable(index) => activation.variable(index),
        };
        if W::NODES
            && let Plan::Probe(probe) = operand
        {
            self.tell(Event::Enter(probe.at), at)?;
            let outcome = match &whole {
                Some(value) if all => Ok(value),
                _ if all => Err(Fault::new(absent(origin), at)),
                _ => Err(self.unknown(origin, None, at)),
            };
            self.tell(Event::Leave(outcome), at)?;
        }
        if whole.is_none() && all {
            self.tell_read(origin, None, false, at)?;
            return Err(Fault::new(absent(origin), at));
        }
        let key = match key(self) {
            Err(fault) if fault.is_unknown() && !all => {
                let whole = self.unknown(origin, None, at);
                return Err(if whole.is_unknown() { self.union(whole, fault)? } else { whole });
            }
            outcome => outcome?,
        };
        let name = key.as_str().map(|key| spelled(origin, key));
        if !all && (name.is_none() || !activation.knows(origin, name.as_deref())) {
            return Err(self.unknown(origin, name.as_deref(), at));
        }
        // What may still turn up as a whole is not known, whatever is known of its keys.
        let Some(whole) = whole else { return Err(self.unknown(origin, name.as_deref(), at)) };
        if W::READS {
            match (&whole, name) {
                (Value::Map(map), Some(name)) => self.tell_read(origin, Some(&name), map.contains(&key), at)?,
                _ => self.tell_read(origin, None, true, at)?,
            }
        }
        Ok((whole, key))
    }
}

/// The first thing that is not known, of several that are all needed.
#[derive(Default)]
pub(super) struct Needed(Option<Fault>);

impl Needed {
    /// Takes in an outcome: none when it is not known.
    #[inline]
    pub(super) fn take<T, W: Watch>(&mut self, outcome: Run<T>, cx: &mut Cx<'_, '_, W>) -> Run<Option<T>> {
        match outcome {
            Err(fault) if W::PARTIAL && fault.is_unknown() => {
                self.0 = Some(match self.0 {
                    Some(first) => cx.union(first, fault)?,
                    None => fault,
                });
                Ok(None)
            }
            outcome => outcome.map(Some),
        }
    }

    /// A fault when something was not known.
    #[inline]
    pub(super) fn all_known<W: Watch>(self) -> Run<()> {
        match self.0 {
            Some(fault) if W::PARTIAL => Err(fault),
            _ => Ok(()),
        }
    }
}

impl Plan {
    /// What a plan reads, when it does nothing else.
    fn origin(&self) -> Option<(Origin, u32)> {
        match self {
            Self::Attribute(slot, at) => Some((Origin::Attribute(*slot), *at)),
            Self::Variable(index, at) => Some((Origin::Variable(*index as usize), *at)),
            Self::Probe(probe) => probe.plan.origin(),
            _ => None,
        }
    }
}

fn absent(origin: Origin) -> EvalErrorKind {
    match origin {
        Origin::Attribute(slot) => AbsentAttribute(slot),
        Origin::Variable(_) => AbsentVariable,
    }
}

/// A key as it is told: header names in lower case.
fn spelled(origin: Origin, key: &str) -> Cow<'_, str> {
    let headers = |slot: Slot| is_headers(slot) && key.bytes().any(|byte| byte.is_ascii_uppercase());
    match origin {
        Origin::Attribute(slot) if headers(slot) => Cow::Owned(key.to_ascii_lowercase()),
        _ => Cow::Borrowed(key),
    }
}
