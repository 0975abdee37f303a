//! Blocks to plans.

use super::{At, BlockPlan, Plan, build::Planner};
use crate::{ast::NodeId, check::Slotted};

impl Planner<'_> {
    pub(super) fn block(&mut self, slots: &[NodeId], body: NodeId) -> Plan {
        let mut planned = Vec::with_capacity(slots.len());
        for slot in slots {
            let plan = self.plan(*slot);
            if let Plan::Const(value) = &plan {
                self.slots.insert(*slot, value.clone());
            }
            planned.push(plan);
        }
        match self.plan(body) {
            // What is decided needs no slots.
            body @ Plan::Const(_) => body,
            body => Plan::Block(Box::new(BlockPlan { slots: planned.into(), body })),
        }
    }

    /// A slot whose value is known is that value, so that sets are hashed and more is computed here.
    pub(super) fn slot(&self, slot: Slotted, at: At) -> Plan {
        match self.slots.get(&slot.value) {
            Some(value) => Plan::Const(value.clone()),
            None => Plan::Slot { place: slot.place, end: slot.end, at },
        }
    }
}
