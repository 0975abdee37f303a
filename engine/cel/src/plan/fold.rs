//! Constants are computed once, when the expression is planned.

use super::Plan;
use crate::{
    limits::{FOLD_BYTES, FOLD_STEPS},
    run::{Budget, Cx, Nothing, Scratch},
};

/// What is left for the folding of one expression: a constant too costly to fold is left to the evaluation, whose own
/// budget then judges it.
#[derive(Debug)]
pub(crate) struct Folder(Scratch);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(Scratch::with_budget(FOLD_STEPS, FOLD_BYTES))
    }

    /// The plan's value when it is constant and has one.
    pub(crate) fn fold(&mut self, plan: Plan) -> Plan {
        let before = self.0.budget;
        let value = plan.run(&mut Cx::new(&Nothing, &[], &mut self.0)).ok().map(crate::value::Value::into_static);
        if value.is_none() {
            // An error costs what it cost, a budget that is spent does not stay spent.
            self.0.budget = Budget::half(before);
        }
        value.map_or(plan, Plan::Const)
    }
}

impl Plan {
    pub(crate) fn is_const(&self) -> bool {
        matches!(self, Self::Const(_))
    }

    pub(super) fn is_fixed_text(&self) -> Option<&str> {
        match self {
            Self::Const(value) => value.as_str(),
            _ => None,
        }
    }
}
