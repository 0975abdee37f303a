//! The proxy path: keep-alive HTTP/1.1 clients, a trivial upstream, both on the load's core.

use std::{convert::Infallible, net::SocketAddr};

use http_body_util::{BodyExt, Empty, Full};
use hyper::{Request, Response, body::Bytes, client::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// Connections of the load, each with one request under way.
pub const CONNECTIONS: u64 = 32;

/// Starts an upstream that answers every request with 66 bytes; returns its address.
pub async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("accept");
            let _ = stream.set_nodelay(true);
            let service = service_fn(|_| async {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(&[b'x'; 66]))))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// Sends `count` requests through the proxy and checks each answer.
pub async fn load(address: &str, count: u64) {
    let mut tasks = Vec::new();
    for lane in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.expect("the proxy listens");
        stream.set_nodelay(true).expect("a socket");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(connection);
        tasks.push(tokio::spawn(async move {
            for n in (lane..count).step_by(CONNECTIONS as usize) {
                let request = Request::get(format!("/items/{n}"))
                    .header("host", "shop.example.com")
                    .header("accept", "application/json")
                    .header("user-agent", "bench/1.0")
                    .body(Empty::<Bytes>::new())
                    .expect("a request");
                let answer = sender.send_request(request).await.expect("an answer");
                assert_eq!(answer.status(), 200);
                assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes().len(), 66);
            }
        }));
    }
    for task in tasks {
        task.await.expect("a lane");
    }
}
