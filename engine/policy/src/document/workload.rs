//! `Workload` (policy.weir.dev/v1alpha1).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::null_as_default;

/// The spec of a workload: which name, principal or address is which labels and service account. Its name and namespace
/// are the document's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Workload {
    /// What selectors see.
    #[serde(deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// Its service account.
    pub service_account: Option<String>,
    /// Destination principals (without `spiffe://`) that mean this workload.
    #[serde(deserialize_with = "null_as_default")]
    pub principals: Vec<String>,
    /// Destination addresses, `IP` or `IP:PORT`, that mean this workload. They never say who a caller is.
    #[serde(deserialize_with = "null_as_default")]
    pub addresses: Vec<String>,
}
