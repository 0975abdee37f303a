//! What an evaluation tells of itself while it runs. Which watch there is, is a type parameter: the plain one asks for
//! nothing, and nothing is compiled for it.

use super::Budget;
use crate::{activation::Origin, error::EvalErrorKind, error::Fault, value::Value};

type Told<T = ()> = Result<T, EvalErrorKind>;

/// Looks at an evaluation. Whatever it keeps is charged to the budget of the evaluation.
pub(crate) trait Watch {
    /// Whether it is told what is read.
    const READS: bool = false;
    /// Whether what the activation does not know is a third outcome, beside values and errors.
    const PARTIAL: bool = false;
    /// Whether it is told the outcome of every part that the planner put a probe around.
    const NODES: bool = false;

    /// Something was read: the whole of it, or one key.
    fn read(&mut self, origin: Origin, key: Option<&str>, present: bool, budget: &mut Budget) -> Told {
        let _ = (origin, key, present, budget);
        Ok(())
    }

    /// Something is not known: gives the number of the set that has only that.
    fn unknown(&mut self, origin: Origin, key: Option<&str>, budget: &mut Budget) -> Told<u32> {
        let _ = (origin, key, budget);
        Ok(0)
    }

    /// The number of the set that has what both sets have.
    fn union(&mut self, one: u32, other: u32, budget: &mut Budget) -> Told<u32> {
        let _ = (other, budget);
        Ok(one)
    }

    /// Something happened.
    fn tell(&mut self, event: Event<'_, '_>, budget: &mut Budget) -> Told {
        let _ = (event, budget);
        Ok(())
    }
}

/// What happens between the parts of an expression.
pub(crate) enum Event<'e, 'v> {
    /// A part is about to be evaluated.
    Enter(u32),
    /// The part that was entered last and is not left yet was evaluated.
    Leave(Result<&'e Value<'v>, Fault>),
    /// A macro begins a round, with those variables.
    Round(usize, &'e [Option<&'e Value<'v>>]),
    /// What follows, until `Out`, is in the expression of a variable.
    Into(u16),
    /// Out of the variable again.
    Out,
}

/// The plain evaluation.
pub(crate) struct Off;

impl Watch for Off {}
