//! Plans that tell what became of each part.

use std::collections::{HashMap, HashSet};

use super::{Plan, Probe, build::Planner};
use crate::{
    ast::{Kind, NodeId},
    check::Checked,
    env::Lazy,
    value::Value,
};

/// Where the probes are.
#[derive(Debug, Default)]
pub(crate) struct Probes {
    /// The parts that tell their outcome.
    pub(crate) nodes: HashSet<NodeId>,
    /// The parts whose value was computed already.
    pub(crate) constants: HashMap<NodeId, Value<'static>>,
}

/// Plans a checked tree with probes around its parts. Apart from them it does what the plain plan does, only slower.
pub(crate) fn probed(checked: &Checked, lazies: &[Lazy]) -> (Plan, Probes) {
    let mut planner = Planner::new(checked, lazies);
    planner.probes = Some(Probes::default());
    let plan = planner.plan(checked.ast.root);
    (plan, planner.probes.unwrap_or_default())
}

impl Planner<'_> {
    /// Puts a probe around what is worth telling.
    pub(super) fn probe(&mut self, id: NodeId, plan: Plan) -> Plan {
        let Some(probes) = &mut self.probes else { return plan };
        match plan {
            Plan::Const(value) => {
                let written = matches!(
                    self.checked.ast.kind(id),
                    Kind::Literal(_) | Kind::List(_) | Kind::Map(_) | Kind::Ident { .. }
                );
                if !written {
                    probes.constants.insert(id, value.clone());
                }
                Plan::Const(value)
            }
            // The round says what it is.
            Plan::Local(_) => plan,
            plan => {
                probes.nodes.insert(id);
                Plan::Probe(Box::new(Probe { plan, at: id.0 }))
            }
        }
    }
}
