//! What evaluations reuse, and what they may spend.

use std::collections::HashMap;

use crate::{
    error::{EvalErrorKind, Fault},
    functions::OPTIONAL_BYTES,
    limits::{BYTES_DEFAULT, STEPS_DEFAULT},
    value::{ENTRY_BYTES, Map, Value},
};

/// The steps and bytes that are left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    steps: u64,
    bytes: u64,
}

impl Budget {
    pub(crate) const fn new(steps: u64, bytes: u64) -> Self {
        Self { steps, bytes }
    }

    pub(crate) const fn unlimited() -> Self {
        Self::new(u64::MAX, u64::MAX)
    }

    /// Half of what was left.
    pub(crate) const fn half(before: Self) -> Self {
        Self::new(before.steps / 2, before.bytes / 2)
    }

    /// Takes steps.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), EvalErrorKind> {
        match self.steps.checked_sub(steps as u64) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(EvalErrorKind::Budget)
            }
        }
    }

    /// Takes the steps of going through that many bytes.
    pub(crate) fn read(&mut self, bytes: usize) -> Result<(), EvalErrorKind> {
        self.spend(bytes / 64)
    }

    /// Takes bytes that are about to be allocated, and the steps of filling them.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), EvalErrorKind> {
        match self.bytes.checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes = left;
                self.read(bytes)
            }
            None => {
                self.bytes = 0;
                Err(EvalErrorKind::Budget)
            }
        }
    }
}

/// The values of lazily evaluated variables, and the budget of an evaluation. One serves all programs that are evaluated
/// on one activation, one after the other; [`Scratch::reset`] makes it ready for the next activation.
#[derive(Debug)]
pub struct Scratch {
    pub(crate) budget: Budget,
    pub(super) memo: HashMap<u64, Result<Value<'static>, Fault>>,
    limit: Budget,
    /// Evaluations take from one budget until further notice.
    together: bool,
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Scratch {
    /// With the default budget, [`crate::limits::STEPS_DEFAULT`] and [`crate::limits::BYTES_DEFAULT`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_budget(STEPS_DEFAULT, BYTES_DEFAULT)
    }

    /// Each evaluation may take that many steps and allocate that many bytes.
    #[must_use]
    pub fn with_budget(steps: u64, bytes: u64) -> Self {
        let limit = Budget::new(steps, bytes);
        Self { budget: limit, memo: HashMap::new(), limit, together: false }
    }

    /// Forgets the values of variables: the next evaluation is on another activation.
    pub fn reset(&mut self) {
        if !self.memo.is_empty() {
            self.memo.clear();
        }
    }

    /// Evaluates with a full budget and with variables of its own: what others left there tells nothing of what it reads.
    pub(crate) fn aside<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        self.refill();
        let memo = std::mem::take(&mut self.memo);
        let outcome = evaluate(self);
        self.memo = memo;
        outcome
    }

    /// One budget for all that `evaluate` evaluates with it, not one for each: what has been spent stays spent.
    pub fn together<T>(&mut self, evaluate: impl FnOnce(&mut Self) -> T) -> T {
        self.refill();
        let before = std::mem::replace(&mut self.together, true);
        let outcome = evaluate(self);
        self.together = before;
        outcome
    }

    /// A full budget for the next evaluation, unless several share one.
    pub(crate) fn refill(&mut self) {
        if !self.together {
            self.budget = self.limit;
        }
    }

    /// The steps that the last evaluation took, or those that shared a budget.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.limit.steps - self.budget.steps
    }

    /// The bytes that the last evaluation allocated, or those that shared a budget.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.limit.bytes - self.budget.bytes
    }
}

/// A copy that outlives the activation.
pub(super) fn keep(value: &Value<'_>, budget: &mut Budget) -> Result<Value<'static>, EvalErrorKind> {
    charge(value, budget)?;
    Ok(value.clone().into_static())
}

/// Takes the bytes of a copy. What is shared is counted as often as it is met, so that the walk ends.
fn charge(value: &Value<'_>, budget: &mut Budget) -> Result<(), EvalErrorKind> {
    match value {
        Value::String(text) => budget.grow(text.len()),
        Value::Bytes(bytes) => budget.grow(bytes.len()),
        Value::List(list) => {
            budget.grow(size_of_val(&**list))?;
            list.iter().try_for_each(|element| charge(element, budget))
        }
        Value::Map(Map::Entries(entries)) => entries.pairs().iter().try_for_each(|(key, value)| {
            budget.grow(ENTRY_BYTES)?;
            charge(key, budget)?;
            charge(value, budget)
        }),
        Value::Map(map @ Map::Attribute(of)) => {
            budget.spend(map.counting().saturating_mul(2))?;
            match **of {
                weir_attributes::Map::Headers(headers) => charge_lines(headers.iter(), budget),
                weir_attributes::Map::Labels(labels) => {
                    charge_lines(labels.iter().map(|(name, value)| (&**name, &**value)), budget)
                }
            }
        }
        Value::Map(map @ Map::Lines(headers)) => {
            budget.spend(map.counting().saturating_mul(2))?;
            charge_lines(headers.iter(), budget)
        }
        Value::Map(Map::Struct(map)) => charge_struct(map, budget),
        Value::Optional(Some(inner)) => {
            budget.grow(OPTIONAL_BYTES)?;
            charge(inner, budget)
        }
        _ => Ok(()),
    }
}

fn charge_lines<'l>(
    mut lines: impl Iterator<Item = (&'l str, &'l str)>,
    budget: &mut Budget,
) -> Result<(), EvalErrorKind> {
    // Each may be a list of its own.
    let beside = ENTRY_BYTES + size_of::<Value<'_>>();
    lines.try_for_each(|(name, value)| budget.grow(beside + name.len() + value.len()))
}

fn charge_struct(map: &weir_attributes::Struct, budget: &mut Budget) -> Result<(), EvalErrorKind> {
    map.iter().try_for_each(|(key, value)| {
        budget.grow(ENTRY_BYTES + key.len())?;
        charge_json(value, budget)
    })
}

/// How deep it is was bounded when it was made.
fn charge_json(value: &weir_attributes::Json, budget: &mut Budget) -> Result<(), EvalErrorKind> {
    match value {
        weir_attributes::Json::String(text) => budget.grow(text.len()),
        weir_attributes::Json::List(list) => {
            budget.spend(list.items().len())?;
            budget.grow(size_of::<Value<'_>>().saturating_mul(2 * list.items().len()))?;
            list.items().iter().try_for_each(|item| charge_json(item, budget))
        }
        weir_attributes::Json::Map(map) => charge_struct(map, budget),
        _ => Ok(()),
    }
}
