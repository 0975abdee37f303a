//! One compiled policy, shared by every ruleset that it takes part in.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use weir_attributes::{Bag, Value, slot};
use weir_cel::Scratch;

use crate::{
    condition::{Conditions, OnTcp},
    document::Selector,
    expression::Expression,
    facts::Facts,
    mesh::Mesh,
    referenced::Referenced,
    truth::Truth,
    verdict::{RuleId, Text},
    workload::WorkloadIdentity,
};

/// What a rule that holds does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    Audit,
    Deny,
    Allow,
    /// Asks the policy's provider.
    Custom,
}

/// Which workloads a policy or adapter is about.
#[derive(Clone, Debug)]
pub struct Scope {
    /// None: every namespace.
    pub(crate) namespace: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// The gateways that it is attached to; then labels do not count.
    pub(crate) targets: Option<Box<[Target]>>,
}

/// A gateway that a policy is attached to: the workloads that carry its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The gateway of that name in the policy's own namespace.
    Gateway { name: String, namespace: String },
    /// Every gateway of that class; only policies of the root namespace.
    Class(String),
}

/// The label of a workload that is a Kubernetes Gateway: its name.
const GATEWAY: &str = "gateway.networking.k8s.io/gateway-name";

/// The label of such a workload's class.
const GATEWAY_CLASS: &str = "gateway.networking.k8s.io/gateway-class-name";

/// The class of waypoints, which no selector reaches.
const WAYPOINT: &str = "istio-waypoint";

impl Target {
    fn covers(&self, workload: &WorkloadIdentity) -> bool {
        let label = |key: &str| workload.labels.get(key);
        match self {
            Target::Gateway { name, namespace } => label(GATEWAY) == Some(name) && *namespace == *workload.namespace,
            Target::Class(class) => label(GATEWAY).is_some() && label(GATEWAY_CLASS) == Some(class),
        }
    }
}

impl Scope {
    /// The scope of something in that namespace: every namespace when it is the mesh's root namespace.
    #[must_use]
    pub fn new(mesh: &Mesh, namespace: &str, selector: Option<&Selector>) -> Self {
        Self {
            namespace: (namespace != mesh.root_namespace()).then(|| namespace.to_owned()),
            labels: selector.map(|selector| selector.match_labels.clone()).unwrap_or_default(),
            targets: None,
        }
    }

    /// The scope of what applies to no workload by itself.
    pub(crate) fn nowhere() -> Self {
        Self { namespace: None, labels: BTreeMap::new(), targets: Some(Box::default()) }
    }

    /// Whether it covers every workload.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.namespace.is_none() && self.labels.is_empty() && self.targets.is_none()
    }

    /// Whether it covers the workload that a request was for.
    #[must_use]
    pub fn covers_destination(&self, bag: &Bag) -> bool {
        let label = |key: &str| match bag.get(slot::DESTINATION_LABELS) {
            Some(Value::Map(labels)) => labels.get(key),
            _ => None,
        };
        self.namespace.as_ref().is_none_or(|namespace| bag.str(slot::DESTINATION_NAMESPACE) == Some(namespace))
            && self.labels.iter().all(|(key, value)| label(key).as_deref() == Some(value))
    }

    /// Attached policies are about gateways alone; selecting ones about everything but waypoints.
    pub(crate) fn covers(&self, workload: &WorkloadIdentity) -> bool {
        if let Some(targets) = &self.targets {
            return targets.iter().any(|target| target.covers(workload));
        }
        if workload.labels.get(GATEWAY_CLASS).is_some_and(|class| class == WAYPOINT) {
            return false;
        }
        self.namespace.as_ref().is_none_or(|namespace| **namespace == *workload.namespace)
            && self.labels.iter().all(|(key, value)| workload.labels.get(key) == Some(value))
    }
}

/// One policy.
#[derive(Debug)]
pub(crate) struct Policy {
    /// `NAMESPACE/NAME`.
    pub(crate) id: Arc<str>,
    pub(crate) scope: Scope,
    pub(crate) effect: Effect,
    /// Never enforced: what it would have decided is only told.
    pub(crate) dry_run: bool,
    /// Who is asked when a rule of a CUSTOM policy holds.
    pub(crate) provider: Option<Arc<str>>,
    pub(crate) rules: Box<[Rule]>,
    /// What the rules can read.
    pub(crate) referenced: Referenced,
}

impl Policy {
    /// An enforced policy.
    pub(crate) fn new(id: Arc<str>, scope: Scope, effect: Effect, rules: Vec<Rule>) -> Self {
        let mut referenced = Referenced::default();
        rules.iter().for_each(|rule| rule.refer(&mut referenced));
        Self { id, scope, effect, dry_run: false, provider: None, rules: rules.into(), referenced }
    }

    /// Whether any rule has a name.
    pub(crate) fn is_named(&self) -> bool {
        self.rules.iter().any(|rule| rule.id.name.is_some())
    }

    /// Whether its rules are expressions: a CelPolicy.
    pub(crate) fn is_expression(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.body, Body::Expression(_)))
    }
}

/// One rule of a policy.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: RuleId,
    pub(crate) body: Body,
    /// The HTTP status of a denial.
    pub(crate) status: u16,
    /// What a denied client reads.
    pub(crate) message: Text,
    /// How often its expression failed.
    pub(crate) errors: AtomicU64,
    /// How often since somebody asked.
    pub(crate) untold_errors: AtomicU64,
}

/// What a rule asks.
#[derive(Debug)]
pub(crate) enum Body {
    Conditions(Conditions),
    Expression(Box<Expression>),
}

/// Whether a rule holds, and whether its expression failed to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holds {
    pub(crate) truth: Truth,
    /// It holds only because an error in a DENY rule denies.
    pub(crate) by_error: bool,
}

impl Rule {
    pub(crate) fn holds(&self, effect: Effect, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Holds {
        match &self.body {
            Body::Conditions(conditions) => {
                let on_tcp = if effect == Effect::Allow { OnTcp::NeverMatches } else { OnTcp::LeftOut };
                Holds { truth: conditions.holds(facts, on_tcp), by_error: false }
            }
            Body::Expression(expression) => {
                let tally = expression.ask(facts, scratch.get_or_insert_default());
                if tally.errors > 0 {
                    self.errors.fetch_add(1, Ordering::Relaxed);
                    self.untold_errors.fetch_add(1, Ordering::Relaxed);
                }
                tally.holds(effect)
            }
        }
    }

    fn refer(&self, referenced: &mut Referenced) {
        match &self.body {
            Body::Conditions(conditions) => conditions.all().for_each(|condition| condition.refer(referenced)),
            Body::Expression(expression) => expression.refer(referenced),
        }
    }

    /// What a client reads that this rule denies.
    pub(crate) fn message(&self, facts: &Facts<'_>, scratch: &mut Option<Scratch>) -> Text {
        let computed = match &self.body {
            Body::Expression(expression) => expression.message(facts, scratch.get_or_insert_default()),
            Body::Conditions(_) => None,
        };
        computed.unwrap_or_else(|| self.message.clone())
    }
}
