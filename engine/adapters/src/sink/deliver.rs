//! How each kind of sink lets messages out.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};

use crate::client::HttpClient;
use crate::{CONNECT_TIME, SINK_PAUSE, SINK_TIME, SinkTarget};

/// One target and what is open of it.
pub(super) enum Delivery {
    File { path: PathBuf, file: Option<File> },
    Stdout,
    Post { client: Box<HttpClient>, url: String, content_type: Arc<str> },
    Udp { address: String, socket: Option<UdpSocket> },
    Tcp { address: String, stream: Option<TcpStream>, not_before: Option<Instant> },
}

/// How many of a batch went out, and why not all.
type Outcome = (u64, Option<String>);

impl Delivery {
    pub(super) fn new(target: &SinkTarget, client: &HttpClient) -> Delivery {
        let post = |url: &str, content_type: &str| Delivery::Post {
            client: Box::new(client.clone()),
            url: url.to_owned(),
            content_type: content_type.into(),
        };
        match target {
            SinkTarget::File(path) => Delivery::File { path: path.clone(), file: None },
            SinkTarget::Stdout => Delivery::Stdout,
            SinkTarget::Otlp(url) => post(url, "application/x-protobuf"),
            SinkTarget::Http { url, content_type } => post(url, content_type),
            SinkTarget::Udp(address) => Delivery::Udp { address: address.clone(), socket: None },
            SinkTarget::Tcp(address) => Delivery::Tcp { address: address.clone(), stream: None, not_before: None },
        }
    }

    pub(super) async fn deliver(&mut self, batch: &[Vec<u8>]) -> Outcome {
        match self {
            Delivery::File { path, file } => whole(batch, to_file(path, file, batch).await),
            Delivery::Stdout => whole(batch, lines(&mut tokio::io::stdout(), batch).await),
            Delivery::Post { client, url, content_type } => posted(client, url, content_type, batch).await,
            Delivery::Udp { address, socket } => datagrams(address, socket, batch).await,
            Delivery::Tcp { address, stream, not_before } => {
                if not_before.is_some_and(|at| Instant::now() < at) {
                    return (0, Some("the receiver is left alone for a moment after a failure".into()));
                }
                let sent = bytes(address, stream, batch).await;
                if sent.is_err() {
                    (*stream, *not_before) = (None, Some(Instant::now() + SINK_PAUSE));
                }
                whole(batch, sent)
            }
        }
    }
}

fn whole(batch: &[Vec<u8>], sent: io::Result<()>) -> Outcome {
    match sent {
        Ok(()) => (batch.len() as u64, None),
        Err(error) => (0, Some(error.to_string())),
    }
}

/// A line each: a message that has line ends of its own would forge others.
async fn lines(to: &mut (impl AsyncWrite + Unpin), batch: &[Vec<u8>]) -> io::Result<()> {
    let mut text = Vec::with_capacity(batch.iter().map(|message| message.len() + 1).sum());
    for message in batch {
        text.extend(message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
        text.push(b'\n');
    }
    to.write_all(&text).await?;
    to.flush().await
}

async fn to_file(path: &PathBuf, file: &mut Option<File>, batch: &[Vec<u8>]) -> io::Result<()> {
    if file.is_none() {
        *file = Some(OpenOptions::new().create(true).append(true).open(path).await?);
    }
    let Some(open) = file else { return Ok(()) };
    let written = lines(open, batch).await;
    if written.is_err() {
        *file = None;
    }
    written
}

async fn posted(client: &HttpClient, url: &str, content_type: &str, batch: &[Vec<u8>]) -> Outcome {
    let (mut delivered, mut last) = (0, None);
    for message in batch {
        let request = http::Request::post(url)
            .header(http::header::CONTENT_TYPE, content_type)
            .body(Full::new(Bytes::from(message.clone())));
        let request = match request {
            Ok(request) => request,
            Err(error) => return (delivered, Some(error.to_string())),
        };
        match timeout(SINK_TIME, client.ask(request, crate::HTTP_BODY_MAX)).await {
            Ok(Ok(answer)) if answer.status().is_success() => delivered += 1,
            Ok(Ok(answer)) => last = Some(format!("the receiver answered {}", answer.status())),
            Ok(Err(error)) => last = Some(error.to_string()),
            Err(_) => last = Some(format!("no answer within {SINK_TIME:?}")),
        }
    }
    (delivered, last)
}

async fn datagrams(address: &str, socket: &mut Option<UdpSocket>, batch: &[Vec<u8>]) -> Outcome {
    if socket.is_none() {
        match connected(address).await {
            Ok(open) => *socket = Some(open),
            Err(error) => return (0, Some(error.to_string())),
        }
    }
    let (mut delivered, mut last) = (0, None);
    let Some(open) = socket else { return (0, None) };
    for message in batch {
        match open.send(message).await {
            Ok(_) => delivered += 1,
            Err(error) => last = Some(error.to_string()),
        }
    }
    if last.is_some() {
        // The next batch looks the name up again.
        *socket = None;
    }
    (delivered, last)
}

async fn connected(address: &str) -> io::Result<UdpSocket> {
    let to = tokio::net::lookup_host(address).await?.next().ok_or(io::ErrorKind::NotFound)?;
    let from: std::net::SocketAddr =
        if to.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { (std::net::Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(from).await?;
    socket.connect(to).await?;
    Ok(socket)
}

async fn bytes(address: &str, stream: &mut Option<TcpStream>, batch: &[Vec<u8>]) -> io::Result<()> {
    if stream.is_none() {
        *stream = Some(timeout(CONNECT_TIME, TcpStream::connect(address)).await??);
    }
    let Some(open) = stream else { return Ok(()) };
    let all = batch.concat();
    timeout(SINK_TIME, open.write_all(&all)).await?
}
