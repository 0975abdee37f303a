//! What an evaluation takes at most, before there is one: steps and bytes, in the units of the budget.
//!
//! The walk goes over the plan, so that it charges what `run` charges, no more parts and no fewer; next to it goes how
//! large every value can be. Whatever an activation gives within its sizes, what an evaluation really takes is within the
//! estimate; the tests hold the two against each other.

mod access;
mod bounds;
mod charges;
mod extent;
mod folds;
mod rounds;
mod size;
mod tests_of;
mod values;
mod worst;

use std::fmt;

use weir_attributes::Slot;

pub(crate) use bounds::{Bounds, Spend};
pub(crate) use charges::{equality, list_bytes};
pub(crate) use extent::{Extent, Whole};
pub use size::Size;

use crate::{
    check::Checked,
    env::{Lazy, Names},
    error::Error,
    limits::VALUE_NESTING_MAX,
    plan::Plan,
};
use worst::Worst;

/// What one evaluation takes from its budget: from so much to so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Steps, as [`crate::Scratch::steps`] counts them: what an evaluation that gives a value takes at least, and what any
    /// takes at most; `u64::MAX` where there is no telling.
    pub steps: (u64, u64),
    /// Bytes, as [`crate::Scratch::bytes`] counts them.
    pub bytes: (u64, u64),
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} steps, {} to {} bytes", self.steps.0, self.steps.1, self.bytes.0, self.bytes.1)
    }
}

/// What is known of a program before it runs.
#[derive(Clone, Debug)]
pub(crate) struct Estimate {
    /// What it takes itself, the variables that it reads not counted.
    own: Spend,
    /// The variables that it can read, those that they read included: one bit each.
    lazies: u64,
    /// Its value.
    gives: Extent,
    /// All of it, every variable evaluated once.
    total: Spend,
}

impl Estimate {
    /// Of what nothing is known.
    pub(crate) fn unknown() -> Self {
        let whole = Whole { parts: u64::MAX, bytes: u64::MAX, counting: u64::MAX };
        Self { own: Spend::ANYTHING, lazies: 0, gives: Extent::any(whole), total: Spend::ANYTHING }
    }

    pub(crate) fn cost(&self) -> Cost {
        let Spend { steps, bytes } = self.total;
        Cost { steps: (steps.min, steps.max), bytes: (bytes.min, bytes.max) }
    }
}

/// Estimates a plan; refuses what takes more than the environment allows.
pub(crate) fn estimate(plan: &Plan, checked: &Checked, lazies: &[Lazy], names: &Names) -> Result<Estimate, Error> {
    let mut estimator = Estimator {
        checked,
        variables: lazies,
        names,
        locals: Vec::new(),
        times: 1,
        spreads: 0,
        lazies: 0,
        worst: Worst::default(),
        too_deep: None,
    };
    let (own, gives) = estimator.plan(plan);
    if let Some(at) = estimator.too_deep {
        let error =
            Error::new(checked.ast.span(at).range(), format!("values are nested more than {VALUE_NESTING_MAX} deep"));
        return Err(error.help("put fewer lists, maps and optionals into one another"));
    }
    let read = estimator.lazies;
    let mut total = own;
    for (index, lazy) in lazies.iter().enumerate() {
        if read >> index & 1 == 1 {
            // Another evaluation may have left its value.
            let once = once(lazy).perhaps();
            total = total + once;
        }
    }
    let estimate = Estimate { own, lazies: read, gives, total };
    match names.limit().and_then(|limit| estimator.worst.refuse(&estimate.cost(), limit, checked)) {
        Some(error) => Err(error),
        None => Ok(estimate),
    }
}

/// What evaluating a variable for the first time takes, without those that it reads.
fn once(lazy: &Lazy) -> Spend {
    let estimate = lazy.program.estimate();
    estimate.own + charges::keeping(&estimate.gives) + Spend::steps(Bounds::exactly(lazy.program.parts() as u64))
}

struct Estimator<'c> {
    checked: &'c Checked,
    variables: &'c [Lazy],
    names: &'c Names,
    /// The macro variables in sight.
    locals: Vec<Extent>,
    /// How often what is walked now is evaluated at most.
    times: u64,
    /// How many macros around have a body that is walked for several lengths.
    spreads: u32,
    /// The variables that were read.
    lazies: u64,
    worst: Worst,
    /// The first value that is nested too deep.
    too_deep: Option<crate::ast::NodeId>,
}

impl Estimator<'_> {
    /// Remembers what a node takes by itself, when it is the most so far.
    fn note(&mut self, at: u32, own: Spend) -> Spend {
        self.worst.note(at, own, self.times);
        own
    }

    /// A value that is made of others.
    fn made(&mut self, at: u32, gives: Extent) -> Extent {
        if gives.depth() as usize <= VALUE_NESTING_MAX {
            return gives;
        }
        self.too_deep.get_or_insert(crate::ast::NodeId(at));
        Extent::any(gives.whole())
    }

    fn attribute(&self, slot: Slot) -> Extent {
        match self.names.size(slot.attribute().name) {
            Some(size) => size.of_attribute(slot),
            None => size::attribute(slot),
        }
    }

    fn variable(&self, index: u32) -> Extent {
        match self.names.variable_name(index).and_then(|name| self.names.size(name)) {
            Some(size) => size.extent(),
            None => size::of_type(&self.names.variable_type(index)),
        }
    }

    /// Reads a variable that is evaluated when it is first read; what that takes is counted once, at the end.
    fn lazy(&mut self, index: u16, at: u32) -> Extent {
        let Some(lazy) = self.variables.get(usize::from(index)) else { return Extent::scalar() };
        let estimate = lazy.program.estimate();
        self.lazies |= 1_u64.checked_shl(index.into()).unwrap_or(0) | estimate.lazies;
        self.worst.note(at, estimate.total, 1);
        estimate.gives.clone()
    }
}
