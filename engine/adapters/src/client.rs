//! The host's own way out over HTTP: connections that are kept, https by the system's roots.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Full, Limited};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::legacy::{Client, connect};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::tls::system_tls;
use crate::{CAUSES_MAX, CONNECT_TIME, IDLE_CONNECTIONS_MAX, IDLE_TIME};

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("{0}")]
    Unreachable(String),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// An answer, read whole.
pub(crate) type Answer = http::Response<Bytes>;

/// Shared by all adapters of a host; cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient(Client<Connector, Full<Bytes>>);

impl HttpClient {
    pub(crate) fn new() -> HttpClient {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME));
        let connector = Connector { plain: connector, tls: Arc::default() };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build(connector);
        HttpClient(client)
    }

    /// Asks and reads at most `limit` bytes of the answer. The caller bounds the time.
    pub(crate) async fn ask(&self, request: http::Request<Full<Bytes>>, limit: usize) -> Result<Answer, HttpError> {
        let answer = self.0.request(request).await.map_err(|e| HttpError::Unreachable(chain(&e)))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(|e| {
            match e.downcast_ref::<http_body_util::LengthLimitError>() {
                Some(_) => HttpError::TooLong(limit),
                None => HttpError::Unreachable(e.to_string()),
            }
        })?;
        Ok(http::Response::from_parts(head, body.to_bytes()))
    }
}

/// An error with its first causes: the last is usually the one that says something.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source()).take(CAUSES_MAX);
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Made when the first https is asked for: reading the system's roots takes milliseconds.
#[derive(Default)]
struct Lazy(std::sync::OnceLock<TlsConnector>);

impl std::fmt::Debug for Lazy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lazy")
    }
}

/// TCP, and TLS on top where the scheme says so.
#[derive(Clone, Debug)]
struct Connector {
    plain: HttpConnector,
    tls: Arc<Lazy>,
}

impl tower::Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.plain.poll_ready(cx).map_err(io::Error::other)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let secure = uri.scheme_str() == Some("https");
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let (connecting, tls) = (self.plain.call(uri), self.tls.clone());
        Box::pin(async move {
            let stream = connecting.await.map_err(|e| io::Error::other(chain(&e)))?;
            if !secure {
                return Ok(Stream::Plain(stream));
            }
            let name = ServerName::try_from(host).map_err(io::Error::other)?;
            let connector = tls.0.get_or_init(system_tls).clone();
            Ok(Stream::Tls(TokioIo::new(Box::new(connector.connect(name, stream.into_inner()).await?))))
        })
    }
}

/// A connection.
enum Stream {
    Plain(TokioIo<TcpStream>),
    Tls(TokioIo<Box<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        connect::Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
