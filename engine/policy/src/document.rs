//! The documents that users write, as serde reads them: every field that Istio knows parses, so that what is not
//! supported can be refused by name instead of as an unknown field.

mod authentication;
mod authorization;
mod cel;
mod mesh;
mod peer;
mod provider;
mod workload;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

pub use authentication::{ClaimToHeader, JwtHeader, JwtRule, RequestAuthentication};
pub use authorization::{
    Action, AuthorizationPolicy, Condition, From, Operation, Provider, Rule, Source, TargetRef, To,
};
pub use cel::{CelAction, CelPolicy, CelRule, Variable};
pub use mesh::{MeshConfig, Normalization};
pub use peer::{MutualTls, PeerAuthentication, PeerMode, Port};
pub use provider::{AdapterProvider, EnvoyExtAuthzGrpc, EnvoyExtAuthzHttp, ExtensionProvider, RequestBody};
pub use workload::Workload;

/// SHA-256 of a document's text, or none.
pub type Digest = Option<[u8; 32]>;

/// One document: its metadata and its spec.
#[derive(Clone, Debug, Default)]
pub struct Document<T> {
    /// The index that the configuration gave it; names the document in problems.
    pub id: usize,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `metadata.creationTimestamp` (RFC 3339), which a Kubernetes API server adds; empty without it. Of several
    /// PeerAuthentications of one scope the oldest wins.
    pub created: String,
    /// A digest of the text that it was read from; empty when nobody knows. A policy of the same digest is not compiled
    /// again.
    pub digest: Digest,
    /// What the document says.
    pub spec: T,
}

/// Where a check adapter applies.
#[derive(Clone, Debug, Default)]
pub struct AdapterBinding {
    /// The index that the configuration gave its document.
    pub id: usize,
    /// `NAMESPACE/NAME`.
    pub name: String,
    /// `metadata.namespace`; the root namespace means every namespace.
    pub namespace: String,
    /// Which workloads of its scope; none means all.
    pub selector: Option<Selector>,
}

/// Everything that a ruleset is made from.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// The mesh's settings; defaults without it.
    pub mesh: Option<Document<MeshConfig>>,
    /// The AuthorizationPolicies, in any order.
    pub authorization: Vec<Document<AuthorizationPolicy>>,
    /// The RequestAuthentications, in any order.
    pub authentication: Vec<Document<RequestAuthentication>>,
    /// The CelPolicies, in any order.
    pub cel: Vec<Document<CelPolicy>>,
    /// The PeerAuthentications, in any order.
    pub peer: Vec<Document<PeerAuthentication>>,
    /// The workloads that checks can be about.
    pub workloads: Vec<Document<Workload>>,
    /// The check adapters; asked in this order.
    pub check_adapters: Vec<AdapterBinding>,
}

/// Which workloads of its namespace a document is about: those that have all of these labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Selector {
    /// The labels, compared exactly; none means every workload.
    #[serde(deserialize_with = "null_as_default")]
    pub match_labels: BTreeMap<String, String>,
}

/// Reads `null` as the default, as the Kubernetes API does.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
