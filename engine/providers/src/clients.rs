//! The clients of one configuration.

use std::sync::Arc;

use weir_policy::Provider;

use crate::Client;

/// The clients of a mesh's providers, in their order. Cheap to make anew: a provider that has not changed keeps its
/// client, and with it its connections.
#[derive(Debug, Default)]
pub struct Clients(Vec<Option<Arc<Client>>>);

impl Clients {
    /// The clients of those providers. Must be called on a tokio runtime, which then carries the connections.
    #[must_use]
    pub fn new(providers: &[Arc<Provider>], previous: &Clients) -> Self {
        let kept =
            |provider: &Provider| previous.0.iter().flatten().find(|client| **client.provider() == *provider).cloned();
        let client = |provider: &Arc<Provider>| {
            kept(provider).or_else(|| Client::new(provider.clone()).ok().flatten().map(Arc::new))
        };
        Self(providers.iter().map(client).collect())
    }

    /// The client at a place of the mesh's providers; none for an adapter, or when service and port make no address.
    #[must_use]
    pub fn get(&self, provider: usize) -> Option<&Arc<Client>> {
        self.0.get(provider)?.as_ref()
    }
}
