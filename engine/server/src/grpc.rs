//! The gRPC port: HTTP/2 on every connection; Envoy's check is answered right here, all other services by tonic's routes.
//!
//! A check is one message in and one out. Taking the frame as it lies and writing the answer by hand leaves out what a
//! general stub has to do for it.

mod answer;
mod progress;
mod unary;

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tonic::service::Routes;
use tower::Service as _;
use weir_listen::Connection;

use crate::ext_authz::ExtAuthz;

pub(crate) use answer::Answer;
pub(crate) use progress::Progress;
pub(crate) use unary::{PREFIX, Refused, framed, receive};

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

impl Front {
    async fn answer(&self, request: Request<Incoming>, peer: &str) -> Response<Answer> {
        if request.uri().path() == CHECK {
            return self.checks.answer(request, peer).await;
        }
        // Boxed: this way is rare, and its size would be carried by every check.
        let mut routes = self.routes.clone();
        let Ok(response) = Box::pin(async move { routes.call(request).await }).await;
        response.map(Answer::Routed)
    }
}

/// Serves one connection until it ends, is idle for too long, or the listener drains.
pub(crate) async fn serve(front: Arc<Front>, connection: Connection) {
    let Connection { io, peer, mut drain, .. } = connection;
    let (io, received) = Progress::of(io);
    let (peer, requests) = (Arc::<str>::from(peer.ip().to_string()), Arc::new(AtomicU64::new(0)));
    let counted = Arc::clone(&requests);
    let service = service_fn(move |request| {
        counted.fetch_add(1, Relaxed);
        let (front, peer) = (Arc::clone(&front), Arc::clone(&peer));
        async move { Ok::<_, Infallible>(front.answer(request, &peer).await) }
    });
    let mut served = pin!(builder().serve_connection(TokioIo::new(io), service));
    let mut timer = pin!(tokio::time::sleep(PREFACE));
    let (mut begun, mut seen, mut ending) = (false, 0, false);
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(problem) = ended {
                    tracing::debug!(%problem, "a gRPC connection broke");
                }
                return;
            }
            () = drain.signalled(), if !ending => {
                ending = true;
                served.as_mut().graceful_shutdown();
            }
            () = timer.as_mut(), if !ending => {
                if !begun && received.load(Relaxed) < PREFACE_LEN {
                    return;
                }
                let now = requests.load(Relaxed);
                if begun && now == seen {
                    ending = true;
                    served.as_mut().graceful_shutdown();
                }
                (begun, seen) = (true, now);
                timer.as_mut().reset(tokio::time::Instant::now() + IDLE);
            }
        }
    }
}

fn builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
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
