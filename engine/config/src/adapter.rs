//! `Adapter` (policy.weir.dev/v1alpha1): a Wasm plugin, where it comes from and what it may use.

mod capabilities;
mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use weir_policy::document::Selector;

use crate::envelope::null_as_default;
use crate::limits::{
    MAX_ADAPTER_INSTANCES, MAX_ADAPTER_MEMORY_MIB, MAX_ADAPTER_NAMES, MAX_ADAPTER_OUTPUT_KIB, MAX_ADAPTER_TIMEOUT_MS,
};

pub use capabilities::{Capabilities, HttpSink, Sink, Store, Upstream};
pub use source::{Layout, PluginSource, Signature};

/// The spec of an Adapter.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Adapter {
    /// The plugin.
    pub source: PluginSource,
    /// When it is called. A plugin that is not a file needs it: until it is here nobody else knows.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// What the plugin is given, checked against its own schema by the host. May hold credentials: never print it.
    #[serde(default)]
    pub config: serde_json::Value,
    /// What one instance and one call may use.
    #[serde(default, deserialize_with = "null_as_default")]
    pub limits: AdapterLimits,
    /// What it may use beyond its inputs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub capabilities: Capabilities,
    /// What a check or enrich adapter that fails means. A report adapter that fails is counted and changes nothing.
    #[serde(default, deserialize_with = "null_as_default")]
    pub failure_policy: FailurePolicy,
    /// Which workloads of its namespace (of all namespaces, in the root namespace); none means all.
    #[serde(default)]
    pub selector: Option<Selector>,
    /// CEL: which requests of theirs; none means all.
    #[serde(default, rename = "match")]
    pub condition: Option<String>,
    /// CEL for the plugin's inputs, by their names.
    #[serde(default, deserialize_with = "null_as_default")]
    pub bindings: BTreeMap<String, String>,
}

/// Without the configuration: it may hold credentials.
impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter")
            .field("source", &self.source)
            .field("phase", &self.phase)
            .field("limits", &self.limits)
            .field("capabilities", &self.capabilities)
            .field("failure_policy", &self.failure_policy)
            .field("selector", &self.selector)
            .field("match", &self.condition)
            .field("bindings", &self.bindings)
            .finish_non_exhaustive()
    }
}

/// When an adapter is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Before the policies: it finds out attributes.
    Enrich,
    /// After the policies: it decides.
    Check,
    /// When the request is over.
    Report,
}

/// What one instance and one call of an adapter may use. What is not given is the host's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdapterLimits {
    /// Memory of one instance, MiB.
    #[serde(rename = "memoryMiB")]
    pub memory_mib: Option<u32>,
    /// Time of one call, milliseconds.
    #[serde(rename = "timeoutMs")]
    pub timeout_ms: Option<u32>,
    /// Output of one call, KiB.
    #[serde(rename = "outputKiB")]
    pub output_kib: Option<u32>,
    /// Calls at the same time.
    pub instances: Option<u32>,
    /// Whether a plugin that keeps failing is left alone for a while; yes unless it is switched off.
    pub breaker: Option<bool>,
}

/// What a check or enrich adapter that fails means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
pub enum FailurePolicy {
    /// The request is denied.
    #[default]
    Closed,
    /// The request goes on as if the adapter had allowed it, or found nothing.
    Open,
}

/// A field of the spec that is not as it must be: its path, what is wrong, and the fix.
type Fault = (&'static str, String, String);

impl Adapter {
    /// Finds the plugin's file and checks the numbers. `folder` is where the YAML file is.
    pub(crate) fn resolve(&mut self, folder: &Path, plugin_dir: Option<&Path>) -> Vec<Fault> {
        let mut faults = self.source.resolve(folder, plugin_dir);
        if self.phase.is_none() && !self.source.is_file() {
            faults.push((
                "spec.phase",
                "the plugin is fetched, so its phase must be said".to_owned(),
                "add `phase: check`, `enrich` or `report`, as the plugin's manifest has it".to_owned(),
            ));
        }
        let AdapterLimits { memory_mib, timeout_ms, output_kib, instances, .. } = self.limits;
        for (path, value, most) in [
            ("spec.limits.memoryMiB", memory_mib, MAX_ADAPTER_MEMORY_MIB),
            ("spec.limits.timeoutMs", timeout_ms, MAX_ADAPTER_TIMEOUT_MS),
            ("spec.limits.outputKiB", output_kib, MAX_ADAPTER_OUTPUT_KIB),
            ("spec.limits.instances", instances, MAX_ADAPTER_INSTANCES),
        ] {
            if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
                faults.push((path, format!("{value} is out of range"), format!("give 1 to {most}")));
            }
        }
        if self.bindings.len() > MAX_ADAPTER_NAMES {
            let message = format!("{} bindings", self.bindings.len());
            faults.push(("spec.bindings", message, format!("give at most {MAX_ADAPTER_NAMES}")));
        }
        faults.extend(self.capabilities.faults());
        faults
    }
}
