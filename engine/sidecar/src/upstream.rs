//! The one upstream: a pool of connections on each worker, bodies streamed both ways.
//!
//! The pool is our own because a connection never changes threads here: nothing is woken on another thread, and handing a
//! connection back is a push. A request is sent a second time only when no byte of it was sent, or when it is one that may be
//! repeated and a kept connection broke under it.

mod pool;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use http::{HeaderValue, Method, Request, Response, Uri, Version, header, request::Parts, uri::Scheme};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{net::TcpStream, time::timeout};

use crate::{
    Error,
    body::RequestBody,
    exchange::Served,
    metrics::Counters,
    options::{Options, Timeouts, UpstreamProtocol},
    refusal,
    refusal::Refusal,
};
use pool::Pool;
pub(crate) use pool::Returning;

/// How often a request is tried when no byte of it was sent.
const TRIES: usize = 3;

/// The upstream as one worker sees it.
#[derive(Debug)]
pub(crate) struct Upstream {
    target: Target,
    protocol: UpstreamProtocol,
    timeouts: Timeouts,
    pool: Pool,
    multiplexed: Mutex<Option<Multiplexed>>,
    /// Held while an HTTP/2 connection is made, so that one is made and not many.
    connecting: tokio::sync::Mutex<()>,
    counters: Arc<Counters>,
}

/// Where the upstream is.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    host: String,
    port: u16,
}

#[derive(Clone, Debug)]
struct Multiplexed {
    sender: http2::SendRequest<RequestBody>,
    peer: SocketAddr,
    local: SocketAddr,
}

/// A response of the upstream, and the connection to hand back when its body is done.
pub(crate) struct Responded {
    pub(crate) response: Response<Incoming>,
    pub(crate) served: Served,
    pub(crate) returning: Option<Returning>,
}

impl Target {
    /// Reads `http://HOST:PORT` or `HOST:PORT`.
    pub(crate) fn read(uri: &Uri) -> Result<Self, Error> {
        let refused = || Error::Upstream(uri.to_string());
        let http = uri.scheme().is_none_or(|scheme| *scheme == Scheme::HTTP);
        let plain = http && matches!(uri.path(), "" | "/") && uri.query().is_none();
        let authority =
            uri.authority().filter(|authority| plain && !authority.as_str().contains('@')).ok_or_else(refused)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Self { host, port: authority.port_u16().unwrap_or(80) })
    }

    /// The port, as Istio names inbound clusters after it.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Upstream {
    pub(crate) fn new(target: Target, options: &Options, counters: Arc<Counters>) -> Self {
        Self {
            target,
            protocol: options.upstream_protocol,
            timeouts: options.timeouts,
            pool: Pool::default(),
            multiplexed: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
            counters,
        }
    }

    /// Hands back a connection whose request and response are done.
    pub(crate) fn put_back(&self, returning: Returning) {
        self.pool.put(returning);
    }

    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    /// The refusal to answer the client with.
    pub(crate) async fn send(&self, head: Parts, body: RequestBody) -> Result<Responded, Refusal> {
        let multiplexed = match self.protocol {
            UpstreamProtocol::Http1 => false,
            UpstreamProtocol::Http2 => true,
            UpstreamProtocol::Auto => is_grpc(&head),
        };
        let sent = async {
            if multiplexed { self.send_multiplexed(head, body).await } else { self.send_single(head, body).await }
        };
        match self.timeouts.response {
            None => sent.await,
            Some(limit) => timeout(limit, sent).await.unwrap_or(Err(refusal::UPSTREAM_TIMEOUT)),
        }
    }

    async fn send_single(&self, head: Parts, body: RequestBody) -> Result<Responded, Refusal> {
        let mut request = Request::from_parts(head, body);
        for _ in 0..TRIES {
            let (mut connection, kept) = match self.pool.take().await {
                Some(connection) => (connection, true),
                None => (self.connect_single().await?, false),
            };
            let again = (kept && may_repeat(&request)).then(|| copy(&request));
            let began = Instant::now();
            let mut error = match connection.sender.try_send_request(request).await {
                Ok(response) => {
                    let served = Served { peer: connection.peer, local: connection.local, latency: began.elapsed() };
                    return Ok(Responded { response, served, returning: Some(connection) });
                }
                Err(error) => error,
            };
            // Only a connection that was kept can have gone away unnoticed.
            request = match (error.take_message(), again) {
                (Some(unsent), _) if kept => unsent,
                (None, Some(copy)) if is_broken(error.error()) => copy,
                _ => return Err(reason(error.error())),
            };
            self.counters.upstream_retried();
        }
        Err(refusal::UPSTREAM_CLOSED)
    }

    async fn connect(&self) -> Result<(TcpStream, SocketAddr, SocketAddr), Refusal> {
        let connecting = TcpStream::connect((self.target.host.as_str(), self.target.port));
        let stream = match timeout(self.timeouts.connect, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the upstream cannot be reached");
                return Err(refusal::UPSTREAM_CONNECT);
            }
            Err(_) => return Err(refusal::UPSTREAM_CONNECT_TIMEOUT),
        };
        self.counters.upstream_connected();
        // Without it small writes wait for each other; nothing breaks when it cannot be set.
        let _ = stream.set_nodelay(true);
        match (stream.peer_addr(), stream.local_addr()) {
            (Ok(peer), Ok(local)) => Ok((stream, peer, local)),
            _ => Err(refusal::UPSTREAM_CLOSED),
        }
    }

    async fn connect_single(&self) -> Result<Returning, Refusal> {
        let (stream, peer, local) = self.connect().await?;
        let (sender, connection) =
            http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(|error| reason(&error))?;
        tokio::spawn(async move {
            // Its errors reach whoever sent the request.
            let _ = connection.await;
        });
        Ok(Returning { sender, peer, local })
    }

    async fn send_multiplexed(&self, mut head: Parts, body: RequestBody) -> Result<Responded, Refusal> {
        let host = head.headers.remove(header::HOST).unwrap_or(HeaderValue::from_static("upstream"));
        let target = head.uri.path_and_query().cloned().ok_or(refusal::INVALID_PATH)?;
        head.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(host.as_bytes())
            .path_and_query(target)
            .build()
            .map_err(|_| refusal::INVALID_HOST)?;
        head.version = Version::HTTP_2;
        let mut request = Request::from_parts(head, body);
        for _ in 0..TRIES {
            let Multiplexed { mut sender, peer, local } = self.multiplexed().await?;
            let began = Instant::now();
            let mut error = match sender.try_send_request(request).await {
                Ok(response) => {
                    let served = Served { peer, local, latency: began.elapsed() };
                    return Ok(Responded { response, served, returning: None });
                }
                Err(error) => error,
            };
            request = error.take_message().ok_or_else(|| reason(error.error()))?;
            self.counters.upstream_retried();
        }
        Err(refusal::UPSTREAM_CLOSED)
    }

    fn open_multiplexed(&self) -> Option<Multiplexed> {
        let kept = self.multiplexed.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| !kept.sender.is_closed()).cloned()
    }

    async fn multiplexed(&self) -> Result<Multiplexed, Refusal> {
        if let Some(open) = self.open_multiplexed() {
            return Ok(open);
        }
        let _connecting = self.connecting.lock().await;
        if let Some(open) = self.open_multiplexed() {
            return Ok(open);
        }
        let (stream, peer, local) = self.connect().await?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| reason(&error))?;
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let made = Multiplexed { sender, peer, local };
        *self.multiplexed.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }
}

/// Whether the request is gRPC, by its content type.
pub(crate) fn is_grpc(head: &Parts) -> bool {
    head.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// Without a body and without an effect (RFC 9110 §9.2.1).
fn may_repeat(request: &Request<RequestBody>) -> bool {
    request.body().is_empty() && [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method())
}

fn copy(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = Request::new(RequestBody::Empty);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// Whether the connection went away, as one does that was kept too long.
fn is_broken(error: &hyper::Error) -> bool {
    !error.is_parse()
        && !error.is_user()
        && (error.is_incomplete_message() || error.is_closed() || error.is_canceled() || is_reset(error))
}

fn is_reset(error: &hyper::Error) -> bool {
    use std::{error::Error as _, io};
    error.source().and_then(|source| source.downcast_ref::<io::Error>()).is_some_and(|error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted
        )
    })
}

fn reason(error: &hyper::Error) -> Refusal {
    tracing::debug!(%error, "the upstream failed");
    match error {
        error if error.is_parse() => refusal::UPSTREAM_PROTOCOL,
        // The body that we send is the client's.
        error if error.is_user() => refusal::BODY_BROKE,
        _ => refusal::UPSTREAM_CLOSED,
    }
}
