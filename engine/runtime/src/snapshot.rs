//! The Snapshot: everything that one request is decided by, immutable, swapped as a whole.

use std::sync::Arc;

use arc_swap::ArcSwap;
use dashmap::DashMap;
use weir_adapters::{Adapter, FailurePolicy, Read};
use weir_policy::{Keys, PolicySet, Referenced, Ruleset, Scope};
use weir_providers::Clients;
use weir_telemetry::{AdapterMetrics, Reads, SelfMetrics};

use crate::plugins::Plugins;

/// One accepted configuration, compiled. One request sees one of these.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// Digest of the configuration's content: the same content is the same version.
    pub(crate) version: Arc<str>,
    /// The policies, and which apply to which workload.
    pub(crate) policies: PolicySet,
    /// How many policies, for the rule that losing all at once is a mistake.
    pub(crate) policy_count: usize,
    /// Every adapter by `NAMESPACE/NAME`.
    pub(crate) plugins: Plugins,
    /// Enrich adapters and the workloads whose requests they see.
    pub(crate) enriches: Vec<EnrichBinding>,
    /// Check adapters, as the rulesets number them.
    pub(crate) checks: Vec<Bound>,
    /// External authorizers, as the mesh numbers them.
    pub(crate) providers: Clients,
    /// Report adapters and the workloads whose reports they get.
    pub(crate) reports: Vec<ReportBinding>,
    /// What each ruleset reads, in the decision log's words.
    pub(crate) reads: ReadsOfRulesets,
    /// What each ruleset reads together with its check adapters.
    pub(crate) wider: Wider,
    /// The version with what has changed since: the keys that were fetched last, the plugins.
    pub(crate) served: ArcSwap<((u64, u64), Arc<str>)>,
}

impl Snapshot {
    /// The version of everything that a verdict is decided by: the configuration's, with that of the fetched keys where
    /// there are any, and the number of generations of plugins that came into service behind a configuration. A proxy that
    /// keeps verdicts drops those of another one: no verdict outlives a key that was withdrawn, or a plugin's generation.
    pub(crate) fn version_with(&self, keys: &Keys, swaps: u64) -> Arc<str> {
        let since = (keys.version(), swaps);
        if since == (0, 0) {
            return self.version.clone();
        }
        let known = self.served.load();
        if known.0 == since {
            return known.1.clone();
        }
        let served: Arc<str> = match swaps {
            0 => format!("{}-{:016x}", self.version, keys.version()).into(),
            _ => format!("{}-{:016x}-{swaps}", self.version, keys.version()).into(),
        };
        self.served.store(Arc::new((since, served.clone())));
        served
    }

    /// Everything that a verdict of that ruleset depends on: what its policies read, and what the check adapters that it
    /// asks after an allow do. An adapter that is not ready reads nothing, and a verdict without its answer is not reused.
    pub(crate) fn referenced(&self, ruleset: &Ruleset) -> Arc<Referenced> {
        let bound = ruleset.adapters().iter().filter_map(|adapter| self.checks.get(adapter.binding));
        let reads: Vec<_> = bound.filter_map(|bound| bound.adapter.reads()).collect();
        match reads.is_empty() {
            true => ruleset.referenced().clone(),
            false => self.wider.of(ruleset.referenced(), reads),
        }
    }

    /// Adds to the metrics the errors of rules since the last time. Called by a scrape and when the snapshot is replaced.
    pub(crate) fn tell_errors(&self, metrics: &SelfMetrics) {
        for (policy, rule, count) in self.policies.take_rule_errors() {
            metrics.rule_errors(policy, &rule.to_string(), count);
        }
    }
}

/// A check adapter and its counters.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) adapter: Adapter,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) metrics: AdapterMetrics,
}

/// A report adapter and its scope.
#[derive(Debug)]
pub(crate) struct ReportBinding {
    pub(crate) adapter: Adapter,
    pub(crate) metrics: AdapterMetrics,
    pub(crate) scope: Scope,
}

/// An enrich adapter and its scope.
#[derive(Debug)]
pub(crate) struct EnrichBinding {
    pub(crate) adapter: Adapter,
    pub(crate) failure_policy: FailurePolicy,
    pub(crate) metrics: AdapterMetrics,
    pub(crate) scope: Scope,
}

/// What rulesets and the generations of their check adapters read together, by the addresses of what is joined, which the
/// entry keeps alive. When it has as many entries as there may be rulesets it is emptied: generations are replaced.
#[derive(Debug, Default)]
pub(crate) struct Wider(DashMap<Box<[usize]>, Joined>);

#[derive(Debug)]
struct Joined {
    all: Arc<Referenced>,
    _alive: (Arc<Referenced>, Vec<Arc<[Read]>>),
}

impl Wider {
    fn of(&self, referenced: &Arc<Referenced>, reads: Vec<Arc<[Read]>>) -> Arc<Referenced> {
        let addresses = reads.iter().map(|reads| Arc::as_ptr(reads).cast::<()>().addr());
        let key: Box<[usize]> = [Arc::as_ptr(referenced).addr()].into_iter().chain(addresses).collect();
        if let Some(known) = self.0.get(&key) {
            return known.all.clone();
        }
        let more = reads.iter().flat_map(|reads| reads.iter()).map(|read| (read.slot, read.key.as_deref()));
        let all = Arc::new(referenced.with(more));
        if self.0.len() >= weir_policy::RULESETS_MAX {
            self.0.clear();
        }
        self.0.insert(key, Joined { all: all.clone(), _alive: (referenced.clone(), reads) });
        all
    }
}

/// What each ruleset reads, made once per ruleset; bounded by the number of rulesets.
#[derive(Debug, Default)]
pub(crate) struct ReadsOfRulesets(DashMap<usize, (Arc<Referenced>, Arc<Reads>)>);

impl ReadsOfRulesets {
    /// The key is the address of a set that the entry itself keeps alive.
    pub(crate) fn of(&self, referenced: &Arc<Referenced>) -> Arc<Reads> {
        let key = Arc::as_ptr(referenced).addr();
        if let Some(known) = self.0.get(&key) {
            return known.1.clone();
        }
        let reads = Reads::new(referenced.slots().to_vec(), referenced.headers().to_vec(), referenced.all_headers());
        let reads = Arc::new(reads);
        if self.0.len() < weir_policy::RULESETS_MAX {
            self.0.insert(key, (referenced.clone(), reads.clone()));
        }
        reads
    }
}
