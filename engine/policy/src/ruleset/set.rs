//! All policies of a configuration, and the rulesets made of them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, atomic::Ordering},
    time::Duration,
};

use super::{AdapterRef, Custom, Ruleset};
use crate::{
    authentication::{self, Authentication, KeyPlace, KeySource},
    compile::ByDigest,
    mesh::Mesh,
    peer::Rules,
    policy::{Policy, Scope},
    verdict::RuleId,
    workload::{WorkloadIdentity, Workloads},
};

/// How many different rulesets are shared; further ones are made for one workload alone.
pub const RULESETS_MAX: usize = 4096;

/// Where policies, adapters and the rules about peers are in a [`PolicySet`]: what a ruleset is interned by.
type Members = (Box<[u32]>, Box<[u32]>, [Option<u32>; 3], Box<[u32]>);

/// All policies, check adapters and workloads of a configuration, compiled. Immutable but for the rulesets that it has
/// made so far and the counts of failed rules.
#[derive(Debug)]
pub struct PolicySet {
    mesh: Mesh,
    workloads: Workloads,
    /// By namespace, name and kind, so that verdicts and reasons do not depend on the order of files.
    policies: Box<[Arc<Policy>]>,
    authentication: Box<[Arc<authentication::Policy>]>,
    adapters: Box<[(Scope, AdapterRef)]>,
    peer: Rules,
    /// The policies again, so that the next set need not compile those that stay.
    kept: ByDigest,
    interned: RwLock<HashMap<Members, Arc<Ruleset>>>,
    /// Tells this set's rulesets from those of others in [`WorkloadIdentity`].
    token: Arc<()>,
}

/// What a policy set is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) mesh: Mesh,
    pub(crate) workloads: Workloads,
    pub(crate) policies: Vec<Arc<Policy>>,
    pub(crate) authentication: Vec<Arc<authentication::Policy>>,
    pub(crate) adapters: Vec<(Scope, AdapterRef)>,
    pub(crate) peer: Rules,
    pub(crate) kept: ByDigest,
}

impl PolicySet {
    /// The rulesets of all workloads that are known, those that only proxies described to the previous set included, so
    /// that no request waits for one.
    pub(crate) fn new(parts: Parts, previous: Option<&PolicySet>) -> Self {
        let Parts { mesh, workloads, policies, authentication, adapters, peer, kept } = parts;
        let set = Self {
            mesh,
            workloads,
            policies: policies.into(),
            authentication: authentication.into(),
            adapters: adapters.into(),
            peer,
            kept,
            interned: RwLock::default(),
            token: Arc::new(()),
        };
        for (name, workload) in set.workloads.iter() {
            let before = previous.and_then(|previous| Some(previous.ruleset(previous.workloads.whole(name)?)));
            set.ruleset_after(workload, before.as_deref());
        }
        if let Some(previous) = previous {
            set.workloads.describe_again(&previous.workloads, |old, new| {
                set.ruleset_after(new, Some(&previous.ruleset(old)));
            });
        }
        set
    }

    pub(crate) fn kept(&self) -> &ByDigest {
        &self.kept
    }

    /// The mesh's settings.
    #[must_use]
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// The workloads of the configuration.
    #[must_use]
    pub fn workloads(&self) -> &Workloads {
        &self.workloads
    }

    /// How many policies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.policies.len()
    }

    /// Whether there is no policy at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// Everything that applies to that workload. Made at the first call for a workload; later ones take no lock.
    pub fn ruleset(&self, workload: &WorkloadIdentity) -> Arc<Ruleset> {
        self.ruleset_after(workload, None)
    }

    /// As [`PolicySet::ruleset`]; made from the workload's previous ruleset where that is cheaper.
    fn ruleset_after(&self, workload: &WorkloadIdentity, previous: Option<&Ruleset>) -> Arc<Ruleset> {
        if let Some((_, ruleset)) = workload.ruleset.get().filter(|(token, _)| Arc::ptr_eq(token, &self.token)) {
            return ruleset.clone();
        }
        let members: Members = (
            places(self.policies.iter().map(|policy| policy.scope.covers(workload))),
            places(self.adapters.iter().map(|(scope, _)| scope.covers(workload))),
            self.peer.places(workload),
            places(self.authentication.iter().map(|policy| policy.scope.covers(workload))),
        );
        let ruleset = self.intern(members, previous);
        // Another set may have been first: then this one's is looked up again at the next call.
        let _ = workload.ruleset.set((self.token.clone(), ruleset.clone()));
        ruleset
    }

    fn intern(&self, members: Members, previous: Option<&Ruleset>) -> Arc<Ruleset> {
        // A poisoned lock only means that a thread died between two lookups: the map is whole.
        if let Some(known) = self.interned.read().unwrap_or_else(PoisonError::into_inner).get(&members) {
            return known.clone();
        }
        let pick = |at: &u32| self.policies.get(*at as usize).cloned();
        let pick_adapter = |at: &u32| self.adapters.get(*at as usize).map(|(_, adapter)| adapter.clone());
        let policies: Vec<_> = members.0.iter().filter_map(pick).collect();
        let custom = Custom::new(&policies, &self.mesh, &self.adapters, previous.map(Ruleset::custom));
        let made = Ruleset::new(
            policies,
            Authentication::new(members.3.iter().filter_map(|at| self.authentication.get(*at as usize))),
            members.1.iter().filter_map(pick_adapter).collect(),
            self.peer.effective(members.2),
            previous,
        )
        .asking(custom);
        let mut interned = self.interned.write().unwrap_or_else(PoisonError::into_inner);
        if interned.len() >= RULESETS_MAX {
            return interned.get(&members).cloned().unwrap_or_else(|| Arc::new(made));
        }
        interned.entry(members).or_insert_with(|| Arc::new(made)).clone()
    }

    /// Where keys are to be fetched from, each with how long a fetch may take.
    pub fn key_places(&self) -> impl Iterator<Item = (&KeyPlace, Duration)> {
        self.authentication.iter().flat_map(|policy| &policy.rules).filter_map(|rule| match &rule.keys {
            KeySource::Remote(place, timeout) => Some((place, *timeout)),
            _ => None,
        })
    }

    /// How often the expression of each rule failed since the last call: policy as `NAMESPACE/NAME`, rule, count. A policy
    /// that several sets share is counted once, by whoever asks first.
    pub fn take_rule_errors(&self) -> impl Iterator<Item = (&Arc<str>, &RuleId, u64)> {
        let rules = self.policies.iter().flat_map(|policy| policy.rules.iter().map(|rule| (&policy.id, rule)));
        rules
            .filter(|(_, rule)| rule.untold_errors.load(Ordering::Relaxed) > 0)
            .map(|(policy, rule)| (policy, &rule.id, rule.untold_errors.swap(0, Ordering::Relaxed)))
    }

    /// How often the expression of each rule has failed, for the rules that did: policy as `NAMESPACE/NAME`, rule, count.
    pub fn rule_errors(&self) -> impl Iterator<Item = (&Arc<str>, &RuleId, u64)> {
        let rules = self.policies.iter().flat_map(|policy| policy.rules.iter().map(|rule| (&policy.id, rule)));
        rules
            .map(|(policy, rule)| (policy, &rule.id, rule.errors.load(Ordering::Relaxed)))
            .filter(|(_, _, count)| *count > 0)
    }
}

/// The indices of the trues.
fn places(covered: impl Iterator<Item = bool>) -> Box<[u32]> {
    covered.enumerate().filter(|(_, covered)| *covered).map(|(at, _)| at as u32).collect()
}
