//! The Snapshot: everything that one request is decided by, immutable, swapped as a whole.

use std::sync::Arc;

use arc_swap::ArcSwap;
use dashmap::DashMap;
use weir_adapters::{Adapter, FailurePolicy};
use weir_policy::{Keys, PolicySet, Referenced, Scope};
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
    /// The version with that of the keys which were fetched last.
    pub(crate) served: ArcSwap<(u64, Arc<str>)>,
}

impl Snapshot {
    /// The version of everything that a verdict is decided by: the configuration's, with that of the fetched keys where
    /// there are any. A proxy that keeps verdicts drops those of another one: no verdict outlives a key that was withdrawn.
    pub(crate) fn version_with(&self, keys: &Keys) -> Arc<str> {
        if keys.version() == 0 {
            return self.version.clone();
        }
        let known = self.served.load();
        if known.0 == keys.version() {
            return known.1.clone();
        }
        let served: Arc<str> = format!("{}-{:016x}", self.version, keys.version()).into();
        self.served.store(Arc::new((keys.version(), served.clone())));
        served
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
