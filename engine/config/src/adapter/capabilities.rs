//! What the operator lets an adapter use beyond its inputs: nothing, unless it is written here.

use serde::Deserialize;

use super::Fault;
use crate::limits::{MAX_ADAPTER_NAMES, MAX_STORE_ENTRIES, MAX_STORE_KIB};

/// `spec.capabilities` of an Adapter. A plugin that asks for more is not loaded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Capabilities {
    /// Lines in the engine's log.
    pub log: bool,
    /// Counters and histograms.
    pub metrics: bool,
    /// Log records about requests.
    pub records: bool,
    /// Spans.
    pub spans: bool,
    /// Named stores, in memory.
    pub kv: Vec<Store>,
    /// Names of tables that the engine keeps.
    pub lookup: Vec<String>,
}

/// One named store of an adapter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Store {
    /// As the plugin calls it.
    pub name: String,
    /// How many keys it holds; none for the host's default.
    #[serde(default)]
    pub entries: Option<u32>,
    /// How many KiB of keys and values; none for the host's default.
    #[serde(default, rename = "KiB")]
    pub kib: Option<u32>,
}

impl Capabilities {
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for store in &self.kv {
            let sizes = [("entries", store.entries, MAX_STORE_ENTRIES), ("KiB", store.kib, MAX_STORE_KIB)];
            for (field, value, most) in sizes {
                if let Some(value) = value.filter(|value| !(1..=most).contains(value)) {
                    let what = format!("store `{}`: {field} {value} is out of range", store.name);
                    faults.push(("spec.capabilities.kv", what, format!("give 1 to {most}")));
                }
            }
        }
        let lists = [
            ("spec.capabilities.kv", self.kv.iter().map(|store| &store.name).collect::<Vec<_>>()),
            ("spec.capabilities.lookup", self.lookup.iter().collect()),
        ];
        for (path, mut names) in lists {
            let count = names.len();
            names.sort();
            names.dedup();
            if names.len() != count || names.first().is_some_and(|name| name.is_empty()) {
                faults.push((
                    path,
                    "a name is empty or there twice".to_owned(),
                    "give each a name of its own".to_owned(),
                ));
            }
            if count > MAX_ADAPTER_NAMES {
                faults.push((path, format!("{count} names"), format!("give at most {MAX_ADAPTER_NAMES}")));
            }
        }
        faults
    }
}
