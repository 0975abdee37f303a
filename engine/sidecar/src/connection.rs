//! One client connection: who is at the other end, and how it is doing.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use http::HeaderValue;
use weir_listen::TlsInfo;

use crate::{guard::Pulse, identity};

const SPIFFE: &str = "spiffe://";

/// What is known about a connection. The texts are made once, for all of its requests.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Differs from connection to connection of this process.
    pub(crate) id: String,
    pub(crate) peer: String,
    pub(crate) peer_ip: String,
    pub(crate) local: String,
    /// The port of ours that it came to.
    pub(crate) port: u16,
    pub(crate) tls: Option<Secured>,
    /// The `x-forwarded-client-cert` that we vouch for.
    pub(crate) client_cert: Option<HeaderValue>,
    pub(crate) pulse: Pulse,
}

/// What the TLS handshake said.
#[derive(Debug)]
pub(crate) struct Secured {
    pub(crate) version: &'static str,
    pub(crate) sni: Option<String>,
    /// A client certificate was verified.
    pub(crate) mtls: bool,
    /// The SPIFFE id of that certificate.
    pub(crate) peer_id: Option<String>,
    /// The SPIFFE id of our own certificate.
    pub(crate) own_id: Option<String>,
}

impl Connection {
    pub(crate) fn new(peer: SocketAddr, local: SocketAddr, tls: Option<TlsInfo>, own_id: Option<String>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let (peer, local) = (canonical(peer), canonical(local));
        let tls = tls.map(|info| Secured {
            version: info.version,
            sni: info.sni,
            mtls: !info.peer_certificates.is_empty(),
            peer_id: info.peer_certificates.first().and_then(identity::spiffe_id),
            own_id,
        });
        Self {
            id: COUNT.fetch_add(1, Relaxed).to_string(),
            peer: peer.to_string(),
            peer_ip: peer.ip().to_string(),
            local: local.to_string(),
            port: local.port(),
            client_cert: tls.as_ref().and_then(Secured::client_cert),
            tls,
            pulse: Pulse::new(),
        }
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

/// An IPv4 address as such, also on a socket that takes both.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Secured {
    /// The peer's SPIFFE id without its scheme, as policies name principals.
    pub(crate) fn principal(&self) -> Option<&str> {
        self.peer_id.as_deref()?.strip_prefix(SPIFFE)
    }

    /// Our own SPIFFE id without its scheme.
    pub(crate) fn own_principal(&self) -> Option<&str> {
        self.own_id.as_deref()?.strip_prefix(SPIFFE)
    }

    /// As Envoy's SANITIZE_SET writes it. SPIFFE ids have no character that would need quotes.
    fn client_cert(&self) -> Option<HeaderValue> {
        let peer = self.peer_id.as_deref()?;
        let text = match &self.own_id {
            Some(own) => format!("By={own};URI={peer}"),
            None => format!("URI={peer}"),
        };
        HeaderValue::try_from(text).ok()
    }
}

/// The SPIFFE id of the first certificate in that PEM file.
pub(crate) fn own_id(certificate: &std::path::Path) -> Option<String> {
    use rustls_pki_types::{CertificateDer, pem::PemObject as _};
    identity::spiffe_id(&CertificateDer::from_pem_file(certificate).ok()?)
}
