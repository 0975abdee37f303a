//! An upstream that remembers what it got.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, Uri, request::Parts};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::TcpListener;

pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// A request as it reached the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        self.head.headers.get_all(name).iter().map(|value| value.to_str().expect("text").to_owned()).collect()
    }

    pub(crate) fn target(&self) -> String {
        self.head.uri.path_and_query().expect("a target").to_string()
    }
}

/// Speaks HTTP/1.1 and HTTP/2 on a port of its own; ends with the runtime.
pub(crate) struct Upstream {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

pub(crate) fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).map_err(|never: Infallible| match never {}).boxed_unsync()
}

impl Upstream {
    /// Answers everything with 200 and the body that it got, after it has read all of it.
    pub(crate) async fn echo() -> Self {
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let memory = Arc::clone(&seen);
        let address = serve(move |request: Request<Incoming>| {
            let memory = Arc::clone(&memory);
            async move {
                let (head, body) = request.into_parts();
                let body = match body.collect().await {
                    Ok(body) => body.to_bytes(),
                    Err(_) => Bytes::from_static(b"(broken)"),
                };
                memory.lock().unwrap().push(Seen { head, body: body.clone() });
                Response::builder().header("x-upstream", "yes").body(full(body)).unwrap()
            }
        });
        Self { address: address.await, seen }
    }

    /// Answers as told.
    pub(crate) async fn with<F: Future<Output = Response<Body>> + Send + 'static>(
        answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> Self {
        Self { address: serve(answer).await, seen: Arc::default() }
    }

    /// Nothing listens there.
    pub(crate) async fn absent() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { address: listener.local_addr().unwrap(), seen: Arc::default() }
    }

    /// A port that a test serves itself.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, seen: Arc::default() }
    }

    pub(crate) fn uri(&self) -> Uri {
        format!("http://{}", self.address).parse().unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The one request that came since the last call.
    pub(crate) fn only(&self) -> Seen {
        let mut seen = std::mem::take(&mut *self.seen.lock().unwrap());
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

async fn serve<F: Future<Output = Response<Body>> + Send + 'static>(
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let answer = answer(request);
                    async move { Ok::<_, Infallible>(answer.await) }
                });
                let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}
