//! The side ports (admin, health, metrics): HTTP/1.1 on a worker of their own, so that a scrape never stands in the way of
//! a check.

use std::{pin::pin, time::Duration};

use axum::{Router, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tower::ServiceExt as _;
use weir_listen::{Connection, Limits, Listener, Running, Security, Workers};

/// Connections to one side port.
pub(crate) const CONNECTIONS_MAX: usize = 256;
/// How long the head of a request may take, and how long a connection may wait for the next one.
pub(crate) const HEAD: Duration = Duration::from_secs(30);
/// Bytes of the head of a request.
pub(crate) const HEAD_MAX: usize = 64 * 1024;

/// Serves one side port.
pub(crate) fn serve(listener: Listener, workers: &Workers, routes: Router) -> Running {
    let limits = Limits { connections: CONNECTIONS_MAX, ..Limits::default() };
    listener.serve(workers, |_| Security::Plaintext, limits, move |connection| one(routes.clone(), connection))
}

async fn one(routes: Router, connection: Connection) {
    let Connection { io, peer, mut drain, .. } = connection;
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        routes.clone().oneshot(request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_MAX);
    let mut served = pin!(builder.serve_connection(TokioIo::new(io), service));
    tokio::select! {
        _ = served.as_mut() => return,
        () = drain.signalled() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}
