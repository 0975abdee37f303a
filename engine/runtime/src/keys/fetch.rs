//! One fetch of a JSON Web Key Set over HTTP. Redirects are not followed: they would lead around the check of addresses.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, StatusCode, Uri, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use weir_adapters::system_tls;
use weir_attributes::Struct;
use weir_policy::{Jwks, JwksError, KeyPlace};

/// The largest set of keys that is read, in bytes.
pub(crate) const KEYS_BYTES_MAX: usize = 256 * 1024;
/// How many places keys are fetched from; tokens of further ones are refused.
pub(crate) const PLACES_MAX: usize = 256;

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the URI cannot be used")]
    Uri,
    #[error("its host has no address: {0}")]
    Resolve(std::io::Error),
    #[error(
        "its host is at {0}, which is on this machine or link; set allowLocalJwksUris in the MeshConfig if that is meant"
    )]
    Forbidden(IpAddr),
    #[error("no connection: {0}")]
    Connect(std::io::Error),
    #[error("HTTP failed: {0}")]
    Http(#[from] hyper::Error),
    #[error("the answer was {0}; only 200 is taken, redirects are not followed")]
    Status(StatusCode),
    #[error("the answer is longer than {KEYS_BYTES_MAX} bytes, or was cut")]
    Body,
    #[error("no answer within {0:?}")]
    Slow(Duration),
    #[error("the answer is no JSON Web Key Set: {0}")]
    Jwks(#[from] JwksError),
    #[error("the issuer's OpenID configuration has no usable `jwks_uri`")]
    Discovery,
}

/// Fetches keys; https is verified by the system's roots.
#[derive(Clone)]
pub(super) struct Fetcher(TlsConnector);

impl Fetcher {
    pub(super) fn new() -> Self {
        Self(system_tls())
    }

    /// The keys at that place. `local`: addresses of this machine and link may be asked.
    pub(super) async fn fetch(&self, place: &KeyPlace, local: bool) -> Result<Jwks, Error> {
        let body = match place {
            KeyPlace::Jwks(uri) => self.get(uri, local).await?,
            KeyPlace::Discovery(uri) => {
                let found = keys_uri(&self.get(uri, local).await?).ok_or(Error::Discovery)?;
                // What was asked in private does not send us to where anybody may answer.
                if uri.starts_with("https:") && !found.starts_with("https:") {
                    return Err(Error::Discovery);
                }
                self.get(&found, local).await?
            }
        };
        Ok(Jwks::parse(&body)?)
    }

    /// What is at that URI.
    async fn get(&self, uri: &str, local: bool) -> Result<Bytes, Error> {
        let uri: Uri = uri.parse().map_err(|_| Error::Uri)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(Error::Uri);
        }
        let host = uri.host().ok_or(Error::Uri)?;
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let stream = connect(bare, port, local).await?;
        if secure {
            let name = ServerName::try_from(bare.to_owned()).map_err(|_| Error::Uri)?;
            ask(self.0.connect(name, stream).await.map_err(Error::Connect)?, &uri).await
        } else {
            ask(stream, &uri).await
        }
    }
}

/// The `jwks_uri` of an OpenID configuration.
fn keys_uri(configuration: &[u8]) -> Option<String> {
    Struct::parse(configuration).ok()?.str("jwks_uri").map(str::to_owned)
}

/// Connects to the first address that may be asked: the one that is checked is the one that is connected to.
async fn connect(host: &str, port: u16, local: bool) -> Result<TcpStream, Error> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.map_err(Error::Resolve)?.collect();
    let mut last = Error::Resolve(std::io::ErrorKind::NotFound.into());
    for address in addresses {
        if !local && is_local(address.ip()) {
            last = Error::Forbidden(address.ip());
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Error::Connect(error),
        }
    }
    Err(last)
}

/// Addresses of this machine and of its link, where metadata services and sidecars listen.
fn is_local(ip: IpAddr) -> bool {
    /// The metadata service of a large cloud; it has no link-local address in IPv6.
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.octets().first() == Some(&0)
                || ip.is_broadcast()
        }
        IpAddr::V6(ip) => {
            // `::10.0.0.1` is an old way to write an IPv4 address.
            let low = ip.to_ipv4().is_some_and(|ip| is_local(ip.into()));
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unicast_link_local()
                || ip.is_multicast()
                || ip == METADATA
                || low
        }
    }
}

async fn ask(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, uri: &Uri) -> Result<Bytes, Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, uri.authority().map(|authority| authority.as_str()).unwrap_or_default())
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("weir/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|_| Error::Uri)?;
    let answer = async {
        let answer = sender.send_request(request).await?;
        if answer.status() != StatusCode::OK {
            return Err(Error::Status(answer.status()));
        }
        let body = Limited::new(answer.into_body(), KEYS_BYTES_MAX).collect().await.map_err(|_| Error::Body)?;
        Ok(body.to_bytes())
    };
    // The connection lives as long as the answer is read; both end with the fetch.
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        body = &mut answer => body,
        ended = connection => {
            ended?;
            answer.await
        }
    }
}
