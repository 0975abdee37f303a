//! The gRPC port: HTTP/2 on every connection; Envoy's check is answered right here, all other services by tonic's routes.
//!
//! A check is one message in and one out. Taking the frame as it lies and writing the answer by hand leaves out what a
//! general stub has to do for it.

mod answer;
mod batch;
mod codec;
mod ending;
mod progress;
mod unary;

use std::{
    convert::Infallible,
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tonic::service::Routes;
use tower::Service as _;
use weir_listen::{Connection, Drain};

use crate::ext_authz::ExtAuthz;

pub(crate) use answer::Answer;
use batch::Batch;
pub(crate) use codec::Located;
use ending::Ending;
pub(crate) use progress::Progress;
pub(crate) use unary::{ARRIVAL, PREFIX, Refused, framed, receive};

/// Requests in flight on one connection; a proxy's worker sends all of its checks on one.
pub(crate) const STREAMS_MAX: u32 = 1024;
/// Bytes of one message, in and out of a gRPC frame.
pub(crate) const MESSAGE_MAX: usize = 4 << 20;
/// Bytes of one HTTP/2 frame.
pub(crate) const FRAME_MAX: u32 = 1 << 16;
/// Bytes of the header section of one request.
pub(crate) const HEADER_LIST_MAX: u32 = 1 << 16;
/// How long a new connection may take to begin with HTTP/2.
pub(crate) const PREFACE: Duration = Duration::from_secs(10);
/// How long a connection may be without a new request before it is asked to end.
pub(crate) const IDLE: Duration = Duration::from_secs(3600);
/// How often a silent peer is asked whether it still lives.
pub(crate) const PING: Duration = Duration::from_secs(20);
/// How long it may take to say so.
pub(crate) const PONG: Duration = Duration::from_secs(20);
/// How many bytes one stream may send ahead of its reader.
const STREAM_WINDOW: u32 = 1 << 20;
/// How many bytes one connection may send ahead of its readers.
const CONNECTION_WINDOW: u32 = 1 << 22;
/// The preface and the head of the first frame (RFC 9113 §3.4).
const PREFACE_LEN: u64 = 24 + 9;

/// Where Envoy asks.
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";

/// Everything that answers on the gRPC port.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) checks: ExtAuthz,
    pub(crate) routes: Routes,
}

/// What the requests of one connection share.
struct Session {
    front: Arc<Front>,
    /// The peer's address, which is its name unless it gives one.
    peer: String,
    drain: Drain,
    /// How many requests there were.
    requests: AtomicU64,
}

impl Session {
    async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        self.requests.fetch_add(1, Relaxed);
        if request.uri().path() == CHECK {
            return self.front.checks.answer(request, &self.peer).await;
        }
        // Boxed: this way is rare, and its size would be carried by every check.
        let mut routes = self.front.routes.clone();
        let (head, body) = request.into_parts();
        let body = Ending::of(head.uri.path(), body, self.drain.clone());
        let request = Request::from_parts(head, body);
        let Ok(response) = Box::pin(async move { routes.call(request).await }).await;
        response.map(Answer::Routed)
    }
}

/// Serves one connection until it ends, is idle for too long, or the listener drains.
pub(crate) async fn serve(front: Arc<Front>, connection: Connection) {
    let Connection { io, peer, mut drain, .. } = connection;
    let (io, rest) = Progress::of(io);
    let session =
        Arc::new(Session { front, peer: peer.ip().to_string(), drain: drain.clone(), requests: AtomicU64::new(0) });
    let answering = Arc::clone(&session);
    let service = service_fn(move |request| {
        let session = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(session.answer(request).await) }
    });
    let batch = Batch::default();
    let mut served = Box::pin(builder(batch.clone()).serve_connection(TokioIo::new(io), service));
    let mut timer = pin!(tokio::time::sleep(PREFACE));
    let (mut begun, mut seen, mut ending) = (false, 0, false);
    loop {
        tokio::select! {
            ended = poll_fn(|cx| batch.poll(&mut served, cx)) => {
                if let Err(problem) = ended {
                    tracing::debug!(%problem, "a gRPC connection broke");
                }
                break;
            }
            () = drain.signalled(), if !ending => {
                ending = true;
                served.as_mut().graceful_shutdown();
            }
            () = timer.as_mut(), if !ending => {
                if !begun && rest.received() < PREFACE_LEN {
                    return;
                }
                let now = session.requests.load(Relaxed);
                if begun && now == seen {
                    ending = true;
                    served.as_mut().graceful_shutdown();
                }
                (begun, seen) = (true, now);
                timer.as_mut().reset(tokio::time::Instant::now() + IDLE);
            }
        }
    }
    drop(served);
    if ending {
        rest.linger().await;
    }
}

fn builder(batch: Batch) -> http2::Builder<Batch> {
    let mut builder = http2::Builder::new(batch);
    builder
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_concurrent_streams(STREAMS_MAX)
        .max_frame_size(FRAME_MAX)
        .max_header_list_size(HEADER_LIST_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG);
    builder
}
