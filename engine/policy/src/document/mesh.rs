//! `MeshConfig` (policy.weir.dev/v1alpha1).

use serde::Deserialize;

use super::{ExtensionProvider, null_as_default};

/// The spec of the mesh's settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MeshConfig {
    /// The namespace whose policies hold in every namespace.
    pub root_namespace: String,
    /// The trust domain of the mesh.
    pub trust_domain: String,
    /// Other trust domains that mean this mesh too.
    #[serde(deserialize_with = "null_as_default")]
    pub trust_domain_aliases: Vec<String>,
    /// How paths are normalized before policies see them.
    pub path_normalization: Normalization,
    /// How many proxies in front append to `x-forwarded-for` and are trusted.
    pub num_trusted_proxies: u32,
    /// Whether keys of token issuers may be fetched from loopback and link-local addresses.
    pub allow_local_jwks_uris: bool,
    /// The external authorizers that CUSTOM policies name.
    #[serde(deserialize_with = "null_as_default")]
    pub extension_providers: Vec<ExtensionProvider>,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self {
            root_namespace: "istio-system".to_owned(),
            trust_domain: "cluster.local".to_owned(),
            trust_domain_aliases: Vec::new(),
            path_normalization: Normalization::default(),
            num_trusted_proxies: 0,
            allow_local_jwks_uris: false,
            extension_providers: Vec::new(),
        }
    }
}

/// How paths are normalized (Istio's `pathNormalization`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Normalization {
    /// Only the fragment is removed.
    None,
    /// RFC 3986: unreserved characters decoded, `\` to `/`, dot segments resolved.
    Base,
    /// As `BASE`.
    #[default]
    Default,
    /// As `BASE`, then runs of slashes become one.
    MergeSlashes,
    /// Escaped slashes are decoded first, then as `MERGE_SLASHES`.
    DecodeAndMergeSlashes,
}
