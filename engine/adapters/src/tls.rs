//! TLS to servers that the system's roots vouch for.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// Reads the system's roots, which takes milliseconds. Without any, nothing is trusted and the log says so.
#[must_use]
pub fn system_tls() -> TlsConnector {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root certificate of the system cannot be read");
    }
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        tracing::warn!("the system has no root certificates: nothing can be asked over https");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // INVARIANT: the provider has the default protocol versions; without them nothing verifies, so nothing is asked.
    let config = config.map_or_else(
        |_| ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
        |config| config.with_root_certificates(roots).with_no_client_auth(),
    );
    TlsConnector::from(Arc::new(config))
}
