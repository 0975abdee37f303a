//! The mesh's settings, ready to be read at every check.

use std::sync::Arc;

use crate::{
    document::{MeshConfig, Normalization},
    provider::Provider,
};

/// The mesh's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh {
    root_namespace: Arc<str>,
    trust_domains: Vec<String>,
    normalization: Normalization,
    trusted_proxies: u32,
    local_jwks_uris: bool,
    /// Sorted by name.
    providers: Arc<[Arc<Provider>]>,
}

impl Default for Mesh {
    fn default() -> Self {
        Self::new(&MeshConfig::default())
    }
}

impl Mesh {
    pub(crate) fn new(config: &MeshConfig) -> Self {
        let own = std::iter::once(&config.trust_domain);
        Self {
            root_namespace: config.root_namespace.as_str().into(),
            trust_domains: own.chain(&config.trust_domain_aliases).cloned().collect(),
            normalization: config.path_normalization,
            trusted_proxies: config.num_trusted_proxies,
            local_jwks_uris: config.allow_local_jwks_uris,
            providers: Arc::default(),
        }
    }

    pub(crate) fn with_providers(self, providers: Vec<Arc<Provider>>) -> Self {
        Self { providers: providers.into(), ..self }
    }

    /// The external authorizers that CUSTOM policies can name, sorted by name; [`crate::Ask::Provider`] gives a place in
    /// it.
    #[must_use]
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.providers
    }

    /// The namespace whose policies hold in every namespace.
    #[must_use]
    pub fn root_namespace(&self) -> &str {
        &self.root_namespace
    }

    /// The trust domain of the mesh, then its aliases.
    #[must_use]
    pub fn trust_domains(&self) -> &[String] {
        &self.trust_domains
    }

    /// How paths are normalized before policies see them.
    #[must_use]
    pub fn normalization(&self) -> Normalization {
        self.normalization
    }

    /// Whether keys of token issuers may be fetched from loopback and link-local addresses.
    #[must_use]
    pub fn allows_local_jwks_uris(&self) -> bool {
        self.local_jwks_uris
    }

    /// How many proxies in front append to `x-forwarded-for` and are trusted.
    #[must_use]
    pub fn trusted_proxies(&self) -> u32 {
        self.trusted_proxies
    }
}
