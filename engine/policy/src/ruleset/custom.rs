//! CUSTOM policies: whom to ask about a request, before anything else is decided.

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use weir_attributes::Bag;

use super::{AdapterRef, index::Index};
use crate::{
    facts::Facts,
    mesh::Mesh,
    policy::{Effect, Policy, Scope},
    provider::{Provider, Transport},
    truth::Truth,
    verdict::RuleId,
};

/// The CUSTOM policies of a workload, by provider.
#[derive(Debug, Default)]
pub(crate) struct Custom {
    /// Sorted by the provider's name: that is the order of asking.
    groups: Box<[Group]>,
}

/// The policies that name one provider.
#[derive(Debug)]
struct Group {
    name: Arc<str>,
    asked: Asked,
    rules: Index,
}

/// Who a policy's provider is.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// A place in [`Mesh::providers`].
    Provider(usize, Arc<Provider>),
    Adapter(AdapterRef),
    /// Nobody: the mesh's settings do not name it, or name an adapter that is not there.
    Nobody,
}

/// That a rule of a CUSTOM policy holds: its provider must be asked.
#[derive(Clone, Debug)]
pub(crate) struct Matched {
    pub(crate) provider: Arc<str>,
    pub(crate) asked: Asked,
    pub(crate) policy: Arc<str>,
    pub(crate) rule: RuleId,
    /// It holds in some readings of the request only.
    pub(crate) in_doubt: bool,
}

impl Custom {
    /// `previous` are the workload's before a change: their indexes are kept where they are nearly the same.
    pub(crate) fn new(
        policies: &[Arc<Policy>],
        mesh: &Mesh,
        adapters: &[(Scope, AdapterRef)],
        previous: Option<&Custom>,
    ) -> Self {
        let mut by_provider: BTreeMap<&Arc<str>, Vec<Arc<Policy>>> = BTreeMap::new();
        for policy in policies.iter().filter(|policy| policy.effect == Effect::Custom) {
            if let Some(provider) = &policy.provider {
                by_provider.entry(provider).or_default().push(policy.clone());
            }
        }
        let before = |name: &Arc<str>| previous?.groups.iter().find(|group| group.name == *name);
        let group = |(name, policies): (&Arc<str>, Vec<Arc<Policy>>)| Group {
            name: name.clone(),
            asked: find(name, mesh, adapters),
            rules: Index::after(before(name).map(|group| &group.rules), policies),
        };
        Self { groups: by_provider.into_iter().map(group).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Who must be asked about that request, in order. A rule that may hold asks too: a provider can only deny.
    pub(crate) fn matched(&self, bag: &Bag) -> Vec<Matched> {
        if self.groups.is_empty() {
            return Vec::new();
        }
        let readings: Vec<_> = (0..bag.paths()).map(|path| Facts::new(bag.as_told().with_path(path))).collect();
        let http = readings.first().is_some_and(|facts| facts.http);
        let asks = |group: &&Group| http || !group.asked.is_http();
        self.groups.iter().filter(asks).filter_map(|group| group.matched(&readings)).collect()
    }
}

impl Group {
    fn matched(&self, readings: &[Facts<'_>]) -> Option<Matched> {
        readings.iter().find_map(|facts| {
            self.rules.visit(facts, |candidate| {
                let truth = candidate.holds(Effect::Custom, facts, &mut None).truth;
                if truth == Truth::No {
                    return ControlFlow::Continue(());
                }
                ControlFlow::Break(Matched {
                    provider: self.name.clone(),
                    asked: self.asked.clone(),
                    policy: candidate.policy_id(),
                    rule: candidate.rule_id(),
                    in_doubt: truth == Truth::Maybe,
                })
            })
        })
    }
}

impl Asked {
    /// An HTTP provider cannot be asked about a connection that carries no HTTP: it is passed over, as Istio does.
    fn is_http(&self) -> bool {
        matches!(self, Asked::Provider(_, provider) if matches!(provider.transport, Transport::Http(..)))
    }
}

fn find(name: &str, mesh: &Mesh, adapters: &[(Scope, AdapterRef)]) -> Asked {
    let providers = mesh.providers();
    let Ok(at) = providers.binary_search_by(|provider| (*provider.name).cmp(name)) else { return Asked::Nobody };
    let Some(provider) = providers.get(at) else { return Asked::Nobody };
    let Transport::Adapter(wanted) = &provider.transport else { return Asked::Provider(at, provider.clone()) };
    let adapter = adapters.iter().map(|(_, adapter)| adapter).find(|adapter| adapter.name == *wanted);
    adapter.map_or(Asked::Nobody, |adapter| Asked::Adapter(adapter.clone()))
}
