//! `Adapter` (policy.weir.dev/v1alpha1): a Wasm plugin, where it comes from and what it may use.

mod capabilities;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use weir_policy::document::Selector;

use crate::envelope::null_as_default;
use crate::limits::{MAX_ADAPTER_MEMORY_MIB, MAX_ADAPTER_OUTPUT_KIB, MAX_ADAPTER_TIMEOUT_MS};

pub use capabilities::{Capabilities, Store};

/// The spec of an Adapter.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Adapter {
    /// The plugin.
    pub source: PluginSource,
    /// What the plugin is given, checked against its own schema by the host. May hold credentials: never print it.
    #[serde(default)]
    pub config: serde_json::Value,
    /// What one instance and one call may use.
    #[serde(default, deserialize_with = "null_as_default")]
    pub limits: AdapterLimits,
    /// What it may use beyond its inputs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub capabilities: Capabilities,
    /// What a check adapter that fails means. A report adapter that fails is counted and changes nothing.
    #[serde(default, deserialize_with = "null_as_default")]
    pub failure_policy: FailurePolicy,
    /// Which workloads of its namespace (of all namespaces, in the root namespace); none means all.
    #[serde(default)]
    pub selector: Option<Selector>,
}

/// Without the configuration: it may hold credentials.
impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter")
            .field("source", &self.source)
            .field("limits", &self.limits)
            .field("capabilities", &self.capabilities)
            .field("failure_policy", &self.failure_policy)
            .field("selector", &self.selector)
            .finish_non_exhaustive()
    }
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginSource {
    /// The component's file: absolute, or relative to the folder of the YAML file, else to the plugin folder.
    pub file: String,
    /// The SHA-256 that the file must have, as 64 hex digits.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The file that `file` was found to mean.
    #[serde(skip)]
    pub path: PathBuf,
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
}

/// What a check adapter that fails means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
pub enum FailurePolicy {
    /// The request is denied.
    #[default]
    Closed,
    /// The request goes on as if the adapter had allowed it.
    Open,
}

/// A field of the spec that is not as it must be: its path, what is wrong, and the fix.
type Fault = (&'static str, String, String);

impl Adapter {
    /// Finds the plugin's file and checks the numbers. `folder` is where the YAML file is.
    pub(crate) fn resolve(&mut self, folder: &Path, plugin_dir: Option<&Path>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let wanted = Path::new(&self.source.file);
        let tried: Vec<PathBuf> = std::iter::once(folder).chain(plugin_dir).map(|folder| folder.join(wanted)).collect();
        match tried.iter().find(|path| path.is_file()) {
            _ if self.source.file.is_empty() => faults.push((
                "spec.source.file",
                "the plugin has no file".to_owned(),
                "give the path of its component, a `.wasm` file".to_owned(),
            )),
            Some(found) => found.clone_into(&mut self.source.path),
            None => faults.push((
                "spec.source.file",
                format!("there is no plugin file `{}`", self.source.file),
                looked_in(&tried),
            )),
        }
        if let Some(sha256) = &self.source.sha256
            && !(sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            faults.push((
                "spec.source.sha256",
                "expected the 64 hex digits of a SHA-256".to_owned(),
                "print it with `sha256sum FILE`".to_owned(),
            ));
        }
        let AdapterLimits { memory_mib, timeout_ms, output_kib } = self.limits;
        for (path, value, most) in [
            ("spec.limits.memoryMiB", memory_mib, MAX_ADAPTER_MEMORY_MIB),
            ("spec.limits.timeoutMs", timeout_ms, MAX_ADAPTER_TIMEOUT_MS),
            ("spec.limits.outputKiB", output_kib, MAX_ADAPTER_OUTPUT_KIB),
        ] {
            if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
                faults.push((path, format!("{value} is out of range"), format!("give 1 to {most}")));
            }
        }
        faults.extend(self.capabilities.faults());
        faults
    }
}

fn looked_in(tried: &[PathBuf]) -> String {
    let tried: Vec<String> = tried.iter().map(|path| format!("`{}`", path.display())).collect();
    format!("looked for {}; build it, or name another plugin folder", tried.join(" and "))
}
