//! Serves one client connection: finds out the protocol, runs it, ends it in time.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use hyper::{
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{io::AsyncReadExt as _, time::timeout};
use weir_listen::{Drain, Io};

use crate::{
    connection::Connection,
    guard::{Guarded, Overdue},
    limits, request,
    worker::Worker,
};

/// What an HTTP/2 client says first (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long an idle connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// The whole life of one connection.
pub(crate) async fn serve(worker: Arc<Worker>, accepted: weir_listen::Connection, own_id: Option<String>) {
    let weir_listen::Connection { mut io, peer, local, tls, drain, .. } = accepted;
    let alpn = tls.as_ref().and_then(|info| info.alpn.clone());
    let connection = Arc::new(Connection::new(peer, local, tls, own_id));
    let timeouts = worker.options().timeouts;
    let (multiplexed, ahead) = match alpn.as_deref() {
        Some(b"h2") => (true, Bytes::new()),
        Some(_) => (false, Bytes::new()),
        None => match timeout(timeouts.header, sniff(&mut io)).await {
            Ok(Some(sniffed)) => sniffed,
            Ok(None) => return,
            Err(_) => return worker.counters().closed(Overdue::Head),
        },
    };
    if !ahead.is_empty() {
        connection.pulse.received();
    }
    let guarded = TokioIo::new(Guarded::new(io, ahead, Arc::clone(&connection)));
    let (handler, facts) = (Arc::clone(&worker), Arc::clone(&connection));
    let service = service_fn(move |request| request::handle(Arc::clone(&handler), Arc::clone(&facts), request));
    let ended = if multiplexed {
        connection.pulse.set_multiplexed();
        let served = http2().serve_connection(guarded, service);
        drive(served, http2::Connection::graceful_shutdown, &worker, &connection, drain).await
    } else {
        let served = http1().serve_connection(guarded, service);
        drive(served, http1::Connection::graceful_shutdown, &worker, &connection, drain).await
    };
    if let Some(overdue) = ended {
        worker.counters().closed(overdue);
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // The guard has the clock; the buffer bounds a head that is not complete yet.
    builder.header_read_timeout(None).max_buf_size(limits::HEAD_BYTES_MAX).max_header_size(limits::HEAD_BYTES_MAX);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .max_concurrent_streams(limits::STREAMS_MAX)
        .max_header_list_size(limits::HEAD_BYTES_MAX as u32)
        .max_send_buf_size(limits::STREAM_SEND_BYTES_MAX);
    builder
}

/// Whether the client speaks HTTP/2, and what it took to know; none when it left.
async fn sniff(io: &mut Io) -> Option<(bool, Bytes)> {
    let mut ahead = BytesMut::with_capacity(PREFACE.len());
    loop {
        let differs = ahead.iter().zip(PREFACE).any(|(byte, expected)| byte != expected);
        if differs || ahead.len() >= PREFACE.len() {
            return Some((!differs, ahead.freeze()));
        }
        let mut part = [0; PREFACE.len()];
        let room = part.get_mut(ahead.len()..)?;
        let read = io.read(room).await.ok().filter(|read| *read > 0)?;
        ahead.extend_from_slice(room.get(..read)?);
    }
}

/// Runs a connection until it ends, is overdue, or has drained; one that its port takes no longer is drained too.
async fn drive<C: Future<Output = hyper::Result<()>>>(
    served: C,
    finish: impl Fn(Pin<&mut C>),
    worker: &Worker,
    connection: &Connection,
    mut drain: Drain,
) -> Option<Overdue> {
    let mut served = std::pin::pin!(served);
    let mut refused = std::pin::pin!(worker.peers().refused(connection.port, connection.tls.is_some()));
    let timeouts = &worker.options().timeouts;
    let mut draining = false;
    loop {
        tokio::select! {
            _ = served.as_mut() => return None,
            () = drain.signalled(), if !draining => {
                draining = true;
                finish(served.as_mut());
            }
            // Without an engine to tell the modes they never change.
            () = refused.as_mut(), if !draining && worker.is_checked() => {
                draining = true;
                worker.counters().revoked();
                finish(served.as_mut());
            }
            overdue = connection.pulse.overdue(timeouts) => {
                if overdue == Overdue::Idle {
                    // HTTP/2 says so to the client, that it may not lose a request on its way.
                    finish(served.as_mut());
                    let _ = timeout(GOODBYE, served.as_mut()).await;
                }
                return Some(overdue);
            }
        }
    }
}
