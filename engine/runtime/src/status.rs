//! What an operator can ask a running engine.

use std::{path::PathBuf, time::SystemTime};

use serde::Serialize;
use serde_json::{Value, json};
use weir_adapters::AdapterStatus;
use weir_telemetry::{Account, sinks::prometheus};

use crate::{Runtime, limits::limits};

/// How the engine is.
#[derive(Debug, Serialize)]
pub struct Status {
    version: &'static str,
    ready: bool,
    config: Config,
    plugins: usize,
    reports: Counted,
    decision_log: Counted,
}

#[derive(Debug, Serialize)]
struct Config {
    folder: PathBuf,
    /// Of the snapshot that serves; null without one.
    version: Option<String>,
    source: crate::apply::Source,
    /// Unix seconds.
    since: Option<u64>,
    policies: usize,
    warnings: usize,
    /// Why the newest is refused; null when it is not.
    refused: Option<Value>,
}

/// observed = delivered + lost + in flight.
#[derive(Debug, Serialize)]
struct Counted {
    observed: u64,
    delivered: u64,
    lost: u64,
    in_flight: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Counted {
    fn of(account: Account, error: Option<String>) -> Self {
        let Account { observed, delivered, lost, in_flight } = account;
        Self { observed, delivered, lost, in_flight, error }
    }
}

impl Runtime {
    /// How the engine is: what serves, what is refused, what is lost.
    #[must_use]
    pub fn status(&self) -> Status {
        let snapshot = self.snapshot.load_full();
        let applied = self.applied().clone();
        let refused = applied.refused.map(|refused| {
            let text = refused.diagnostics.to_string();
            json!({"version": refused.version, "at": seconds(refused.at), "text": text, "diagnostics": refused.diagnostics})
        });
        Status {
            version: env!("CARGO_PKG_VERSION"),
            ready: snapshot.is_some(),
            config: Config {
                folder: self.setup.config.clone(),
                version: snapshot.as_ref().map(|snapshot| snapshot.version.to_string()),
                source: applied.source,
                since: applied.since.map(seconds),
                policies: snapshot.as_ref().map_or(0, |snapshot| snapshot.policy_count),
                warnings: applied.warnings.warnings(),
                refused,
            },
            plugins: snapshot.as_ref().map_or(0, |snapshot| snapshot.plugins.len()),
            reports: Counted::of(self.reports.ledger().account(), None),
            decision_log: Counted::of(self.decisions.account(), self.decisions.last_error()),
        }
    }

    /// The configuration that serves: its settings, files and warnings, and every limit. Never a file's text: an adapter's
    /// configuration may hold credentials.
    #[must_use]
    pub fn config(&self) -> Value {
        let applied = self.applied().clone();
        let files = applied.sources.iter().flat_map(|sources| sources.files().to_vec());
        let files = files.map(|file| json!({"path": file.path, "bytes": file.text.len()})).collect::<Vec<_>>();
        let setup = &self.setup;
        json!({
            "version": *self.snapshot_version(), "folder": setup.config, "state": setup.state, "pluginDir": setup.plugin_dir,
            "allowEmpty": setup.allow_empty, "defaultWorkload": setup.default_workload,
            "decisionLog": setup.decision_log, "decisionLogSample": setup.decision_log_sample,
            "logRecords": setup.log_records, "otlp": setup.otlp_endpoint.is_some(), "pluginPatience": setup.plugin_patience,
            "files": files, "warnings": applied.warnings, "limits": limits(),
        })
    }

    /// The policies that serve, for each workload: what applies to it and what it reads.
    #[must_use]
    pub fn policies(&self) -> Value {
        let Some(snapshot) = self.snapshot.load_full() else { return json!({"version": null, "workloads": []}) };
        let workloads = snapshot.policies.workloads().iter().map(|(name, workload)| {
            let ruleset = snapshot.policies.ruleset(workload);
            let reads = ruleset.referenced();
            json!({
                "workload": name,
                "policies": ruleset.policies().map(ToString::to_string).collect::<Vec<_>>(),
                "checkAdapters": ruleset.adapters().iter().map(|adapter| adapter.name.to_string()).collect::<Vec<_>>(),
                "reads": reads.slots().iter().map(|slot| slot.attribute().name).collect::<Vec<_>>(),
                "readsHeaders": reads.headers().iter().map(ToString::to_string).collect::<Vec<_>>(),
                "cacheable": !reads.volatile(),
            })
        });
        let mut workloads = workloads.collect::<Vec<_>>();
        workloads.sort_by(|a, b| a.get("workload").map(Value::to_string).cmp(&b.get("workload").map(Value::to_string)));
        let errors = snapshot.policies.rule_errors();
        let errors =
            errors.map(|(policy, rule, count)| json!({"policy": **policy, "rule": rule.to_string(), "count": count}));
        json!({"version": *snapshot.version, "workloads": workloads, "ruleErrors": errors.collect::<Vec<_>>()})
    }

    /// The plugins that run, with what they used.
    #[must_use]
    pub fn plugins(&self) -> Value {
        let snapshot = self.snapshot.load_full();
        let plugins = snapshot.iter().flat_map(|snapshot| &snapshot.plugins).map(|(name, plugin)| {
            let (manifest, stats, status) = (plugin.adapter.manifest(), plugin.stats(), plugin.adapter.status());
            let manifest = manifest.as_deref();
            let sinks = stats.sinks.iter().map(|(name, sink)| {
                json!({"sink": name, "observed": sink.observed, "delivered": sink.delivered, "lost": sink.lost})
            });
            json!({
                "adapter": **name, "phase": plugin.phase(), "state": state(&status), "source": plugin.recipe.wanted.origin.to_string(),
                "plugin": manifest.map(|manifest| manifest.name.to_string()),
                "version": manifest.map(|manifest| manifest.version.to_string()),
                "world": plugin.phase(),
                "inputs": manifest.map(|manifest| manifest.inputs.iter().map(ToString::to_string).collect::<Vec<_>>()),
                "failurePolicy": format!("{:?}", plugin.recipe.failure_policy),
                "generation": status.generation, "since": status.since.map(seconds), "refused": status.refused,
                "sha256": status.digest.map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
                "quarantinedMs": status.quarantined_ms, "quarantines": stats.quarantines, "heldBack": stats.held_back,
                "rowsSkipped": stats.rows_skipped, "logLinesDropped": stats.log_lines_dropped,
                "sinks": sinks.collect::<Vec<_>>(),
                "calls": stats.calls, "traps": stats.traps, "timeouts": stats.timeouts, "errors": stats.errors,
                "restarts": stats.restarts, "instances": stats.instances, "memoryBytes": stats.memory_bytes,
                "lastError": stats.last_error,
            })
        });
        json!({"plugins": plugins.collect::<Vec<_>>()})
    }

    /// The recent denials, newest first, redacted.
    #[must_use]
    pub fn decisions(&self) -> Value {
        json!({"denials": self.decisions.recent()})
    }

    /// Every metric as Prometheus text.
    #[must_use]
    pub fn metrics(&self) -> String {
        if let Some(snapshot) = self.snapshot.load_full() {
            snapshot.tell_errors(&self.metrics);
        }
        prometheus::render(&self.metrics.gather())
    }

    /// Opens the log files again, after they were moved away.
    pub fn reopen_logs(&self) {
        self.decisions.reopen();
        if let Some(log) = self.sinks.log() {
            log.reopen();
        }
    }
}

/// One word for how an adapter is.
fn state(status: &AdapterStatus) -> &'static str {
    match (status.ready, status.quarantined_ms, &status.refused) {
        (false, _, None) => "pending",
        (false, _, Some(_)) => "failed",
        (true, Some(_), _) => "quarantined",
        (true, None, _) => "ready",
    }
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
