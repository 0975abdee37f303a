//! A caller: one request at a time over HTTP/1.1, HTTP/2 or raw bytes, in plaintext or with a client certificate.

use crate::Outcome;
use crate::ca::{Authority, Identity};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a caller waits for one answer before it calls the house broken.
const ANSWER: Duration = Duration::from_secs(15);

/// Anything that bytes go through.
trait Pipe: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Pipe for T {}

/// Who calls, and where.
#[derive(Clone, Debug)]
pub struct Caller {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    http2: bool,
}

/// A request before it is sent.
#[derive(Clone, Debug)]
pub struct Call {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header lines in order.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

/// A connection that stays open over several calls.
pub struct Session {
    sender: Sender,
    /// What the request is for when the call names no host.
    host: String,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Call {
    /// A request of `method` for `target`, path and query as they go on the wire.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: Bytes::new() }
    }

    /// A GET.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Adds one header line; the same name again is a second line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

impl Answer {
    /// The first line of header `name`, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Caller {
    /// A plaintext HTTP/1.1 caller.
    pub fn to(address: SocketAddr) -> Self {
        Self { address, tls: None, http2: false }
    }

    /// The same over TLS, showing `identity` if there is one.
    pub fn with_tls(mut self, authority: &Authority, identity: Option<&Identity>) -> Outcome<Self> {
        let alpn: &[&[u8]] = if self.http2 { &[b"h2"] } else { &[b"http/1.1"] };
        self.tls = Some(authority.client(identity, alpn)?);
        Ok(self)
    }

    /// The same over HTTP/2; say so before [`Caller::with_tls`].
    #[must_use]
    pub fn with_http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    /// A GET of `target`.
    pub async fn get(&self, target: &str) -> Outcome<Answer> {
        self.send(Call::get(target)).await
    }

    /// Sends one request on a connection of its own.
    pub async fn send(&self, call: Call) -> Outcome<Answer> {
        self.connect().await?.send(call).await
    }

    /// Opens a connection to keep.
    pub async fn connect(&self) -> Outcome<Session> {
        let io = TokioIo::new(self.pipe().await?);
        if self.http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            Ok(Session { sender: Sender::Http2(sender), host: self.address.to_string() })
        } else {
            let (sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Ok(Session { sender: Sender::Http1(sender), host: self.address.to_string() })
        }
    }

    /// Writes `bytes` as they are and reads until the other side closes, or until nothing more comes for a second.
    pub async fn raw(&self, bytes: &[u8]) -> Outcome<Vec<u8>> {
        let mut pipe = self.pipe().await?;
        // A server may answer and close before it has read everything: what it said still counts.
        let _ = pipe.write_all(bytes).await;
        let _ = pipe.flush().await;
        let mut heard = Vec::new();
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(Ok(count)) = tokio::time::timeout(Duration::from_secs(1), pipe.read(&mut buffer)).await {
            if count == 0 {
                break;
            }
            heard.extend_from_slice(&buffer[..count]);
        }
        Ok(heard)
    }

    async fn pipe(&self) -> Outcome<Box<dyn Pipe>> {
        let stream = TcpStream::connect(self.address).await.map_err(|e| format!("connect to {}: {e}", self.address))?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from("localhost")?;
        Ok(Box::new(tokio_rustls::TlsConnector::from(tls.clone()).connect(name, stream).await?))
    }
}

impl Session {
    /// Sends one request; fails when there is no whole answer within 15 seconds.
    pub async fn send(&mut self, call: Call) -> Outcome<Answer> {
        tokio::time::timeout(ANSWER, self.exchange(call)).await.map_err(|_| format!("no answer within {ANSWER:?}"))?
    }

    async fn exchange(&mut self, call: Call) -> Outcome<Answer> {
        let mut request = http::Request::builder().method(call.method.as_str());
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                if !call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
                    request = request.header("host", &self.host);
                }
                sender.ready().await?;
                sender.send_request(request.uri(call.target.as_str()).body(Full::new(call.body))?).await?
            }
            Sender::Http2(sender) => {
                let uri = format!("http://{}{}", self.host, call.target);
                sender.ready().await?;
                sender.send_request(request.uri(uri).body(Full::new(call.body))?).await?
            }
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}
