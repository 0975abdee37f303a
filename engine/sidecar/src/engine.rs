//! The way to the engine: one gRPC connection for each worker, and one for reports.

use std::{sync::Arc, time::Duration};

use http::{Uri, uri::Scheme};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use crate::{Error, options::EngineTls};

/// How long a connection to the engine may take.
const CONNECT: Duration = Duration::from_secs(1);
/// A connection to the engine that is silent this long is asked for a sign of life...
const PING_AFTER: Duration = Duration::from_secs(5);
/// ... and given up when none comes.
const PING_WAIT: Duration = Duration::from_secs(2);

/// Where the engine is and how it is known.
#[derive(Clone)]
pub(crate) struct Engine {
    endpoint: Endpoint,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    address: String,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("address", &self.address).field("tls", &self.tls.is_some()).finish()
    }
}

impl Engine {
    pub(crate) fn new(uri: &Uri, tls: Option<&EngineTls>) -> Result<Self, Error> {
        let refused = || Error::Engine(uri.to_string());
        let authority = uri.authority().ok_or_else(refused)?;
        let tls = match (uri.scheme_str(), tls) {
            (Some("http"), None) => None,
            (Some("https"), Some(tls)) => {
                let name = tls.server_name.as_deref().unwrap_or(authority.host());
                let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned()).map_err(|_| refused())?;
                Some((TlsConnector::from(Arc::new(client_config(tls)?)), name))
            }
            _ => return Err(refused()),
        };
        // To tonic it is plaintext either way: the TLS is in our connector.
        let plain = Uri::builder().scheme(Scheme::HTTP).authority(authority.clone()).path_and_query("/").build();
        let endpoint = Endpoint::from(plain.map_err(|_| refused())?)
            .connect_timeout(CONNECT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PING_WAIT)
            .keep_alive_while_idle(true);
        Ok(Self { endpoint, tls, address: uri.to_string() })
    }

    /// Connects now.
    pub(crate) async fn connect(&self) -> Result<Channel, tonic::transport::Error> {
        match &self.tls {
            None => self.endpoint.connect().await,
            Some(_) => self.endpoint.connect_with_connector(self.connector()).await,
        }
    }

    /// Connects when it is first used, and again when the connection is lost.
    pub(crate) fn connect_lazy(&self) -> Channel {
        match &self.tls {
            None => self.endpoint.connect_lazy(),
            Some(_) => self.endpoint.connect_with_connector_lazy(self.connector()),
        }
    }

    fn connector(
        &self,
    ) -> impl tower::Service<
        Uri,
        Response = TokioIo<tokio_rustls::client::TlsStream<TcpStream>>,
        Error = std::io::Error,
        Future: Send + 'static,
    > + Send
    + 'static {
        let tls = self.tls.clone();
        tower::service_fn(move |uri: Uri| {
            let tls = tls.clone();
            async move {
                let (connector, name) = tls.ok_or(std::io::ErrorKind::Unsupported)?;
                let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
                let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(443))).await?;
                stream.set_nodelay(true)?;
                Ok(TokioIo::new(connector.connect(name, stream).await?))
            }
        })
    }

    /// The URL as it was given.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

fn client_config(tls: &EngineTls) -> Result<ClientConfig, Error> {
    let refused = |path: &std::path::Path, what: &dyn std::fmt::Display| Error::Certificate {
        path: path.to_owned(),
        what: what.to_string(),
    };
    let chain = |path: &std::path::Path| {
        let pem = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        pem.map_err(|error| refused(path, &error))
    };
    let mut roots = RootCertStore::empty();
    for certificate in chain(&tls.ca)? {
        roots.add(certificate).map_err(|error| refused(&tls.ca, &error))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&tls.ca, &error))?
        .with_root_certificates(roots);
    let mut config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| refused(key, &error))?;
            builder.with_client_auth_cert(chain(certificate)?, secret).map_err(|error| refused(certificate, &error))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
