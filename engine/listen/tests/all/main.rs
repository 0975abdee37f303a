//! Listeners over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod authority;
mod ports;
mod tls;

use std::{net::SocketAddr, time::Duration};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use weir_listen::{Connection, Limits, Listener, Running, Security, Workers};

pub(crate) const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Sends every byte back until the client is done or the listener drains.
pub(crate) async fn echo(mut connection: Connection) {
    let mut buffer = [0; 64];
    loop {
        let read = tokio::select! {
            read = connection.io.read(&mut buffer) => read,
            () = connection.drain.signalled() => break,
        };
        match read {
            Ok(count @ 1..) => connection.io.write_all(&buffer[..count]).await.unwrap(),
            _ => break,
        }
    }
    let _ = connection.io.shutdown().await;
}

pub(crate) fn serve(security: Security, limits: Limits) -> (Running, Workers) {
    let workers = Workers::start(2).unwrap();
    (Listener::bind(ANY, "--grpc").unwrap().serve(&workers, move |_| security.clone(), limits, echo), workers)
}

pub(crate) fn quick() -> Limits {
    Limits { connections: 2, first_byte: Duration::from_millis(20), handshake: Duration::from_millis(200) }
}
