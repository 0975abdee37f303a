//! The file that `--filters` names: which filters, in which order, and whom they may call. The words are those of Istio's
//! `WasmPlugin`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::Uri;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use weir_proxy_wasm::{FailurePolicy, FilterSpec, Limits, Surroundings};

use crate::{Error, upstream::Target};

/// Filters in one sidecar; a file with more is refused.
pub(crate) const FILTERS_MAX: usize = 32;

/// A file as people write it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Document {
    /// Names that filters call, each an address `HOST:PORT`.
    upstreams: BTreeMap<String, String>,
    node: Node,
    cluster_name: Option<String>,
    route_name: Option<String>,
    filters: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Node {
    id: String,
    cluster: String,
    metadata: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    plugin_name: String,
    url: String,
    sha256: Option<String>,
    #[serde(default)]
    plugin_config: serde_json::Value,
    #[serde(default)]
    phase: Phase,
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    fail_strategy: FailStrategy,
    #[serde(default)]
    vm_config: VmConfig,
    root_id: Option<String>,
    #[serde(default)]
    vm_id: String,
    #[serde(default)]
    limits: EntryLimits,
}

/// Where in the chain. The check is authentication and authorization at once, so both come before it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[serde(rename = "AUTHN")]
    Authn,
    #[serde(rename = "AUTHZ")]
    Authz,
    #[serde(rename = "STATS")]
    Stats,
    #[default]
    #[serde(rename = "UNSPECIFIED_PHASE")]
    Unspecified,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum FailStrategy {
    #[default]
    #[serde(rename = "FAIL_CLOSE")]
    Close,
    #[serde(rename = "FAIL_OPEN")]
    Open,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct VmConfig {
    env: Vec<Variable>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    name: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct EntryLimits {
    memory_mib: Option<usize>,
    call_ms: Option<u64>,
    start_ms: Option<u64>,
}

/// What to load and whom it may call.
#[derive(Debug)]
pub(crate) struct Plan {
    /// In the order of the chain; the first `before` come before the check.
    pub(crate) filters: Vec<FilterSpec>,
    pub(crate) before: usize,
    pub(crate) upstreams: BTreeMap<String, Target>,
}

/// Reads the file and the modules that it names. `port` is the upstream's, after which Istio names inbound clusters.
pub(crate) fn read(path: &Path, port: u16) -> Result<Plan, Error> {
    let refused = |what: String| Error::Filters { path: path.to_owned(), what };
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    let document: Document = serde_saphyr::from_str(&text).map_err(|error| refused(error.to_string()))?;
    if document.filters.len() > FILTERS_MAX {
        return Err(refused(format!("{} filters are more than {FILTERS_MAX}", document.filters.len())));
    }
    let mut upstreams = BTreeMap::new();
    for (name, address) in &document.upstreams {
        let uri: Uri = address.parse().map_err(|_| refused(format!("upstream {name}: `{address}` is no HOST:PORT")))?;
        upstreams.insert(name.clone(), Target::read(&uri).map_err(|error| refused(format!("{name}: {error}")))?);
    }
    let surroundings = Arc::new(Surroundings {
        node_id: document.node.id,
        node_cluster: document.node.cluster,
        node_metadata: document.node.metadata,
        cluster_name: document.cluster_name.unwrap_or_else(|| format!("inbound|{port}||")),
        route_name: document.route_name.unwrap_or_else(|| "default".to_owned()),
    });
    let mut entries = document.filters;
    // Stable: what is equal stays in the order of the file.
    entries.sort_by_key(|entry| (entry.phase, std::cmp::Reverse(entry.priority)));
    let before = entries.iter().filter(|entry| entry.phase <= Phase::Authz).count();
    let folder = path.parent().unwrap_or(Path::new("."));
    let names: Vec<String> = upstreams.keys().cloned().collect();
    let filters = entries.into_iter().map(|entry| {
        let name = entry.plugin_name.clone();
        entry.spec(folder, &names, &surroundings).map_err(|what| refused(format!("{name}: {what}")))
    });
    Ok(Plan { filters: filters.collect::<Result<_, _>>()?, before, upstreams })
}

impl Entry {
    fn spec(self, folder: &Path, upstreams: &[String], surroundings: &Arc<Surroundings>) -> Result<FilterSpec, String> {
        let file = file(folder, &self.url)?;
        let wasm = Bytes::from(fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?);
        if let Some(wanted) = &self.sha256 {
            let digest: String = Sha256::digest(&wasm).iter().map(|byte| format!("{byte:02x}")).collect();
            if !wanted.eq_ignore_ascii_case(&digest) {
                return Err(format!("{} has the sha256 {digest}, not {wanted}", file.display()));
            }
        }
        let defaults = Limits::default();
        let milliseconds = |told: Option<u64>, default| told.map_or(default, Duration::from_millis);
        Ok(FilterSpec {
            root_id: self.root_id.unwrap_or_else(|| self.plugin_name.clone()),
            name: self.plugin_name,
            vm_id: self.vm_id,
            wasm,
            vm_config: Bytes::new(),
            plugin_config: match self.plugin_config {
                serde_json::Value::Null => Bytes::new(),
                serde_json::Value::String(text) => text.into(),
                other => other.to_string().into(),
            },
            environment: self.vm_config.env.into_iter().map(|variable| (variable.name, variable.value)).collect(),
            upstreams: upstreams.to_vec(),
            limits: Limits {
                memory_bytes: self.limits.memory_mib.map_or(defaults.memory_bytes, |mib| mib.saturating_mul(1 << 20)),
                call_time: milliseconds(self.limits.call_ms, defaults.call_time),
                start_time: milliseconds(self.limits.start_ms, defaults.start_time),
            },
            failure_policy: match self.fail_strategy {
                FailStrategy::Close => FailurePolicy::FailClosed,
                FailStrategy::Open => FailurePolicy::FailOpen,
            },
            surroundings: Arc::clone(surroundings),
        })
    }
}

/// A path, relative to the file that names it; as a URL only `file://`.
fn file(folder: &Path, url: &str) -> Result<PathBuf, String> {
    let path = url.strip_prefix("file://").unwrap_or(url);
    if path.contains("://") {
        return Err(format!("url `{url}` is no file; fetch the module and name its path"));
    }
    Ok(folder.join(path))
}

#[cfg(test)]
mod tests;
