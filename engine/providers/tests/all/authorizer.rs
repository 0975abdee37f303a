//! Authorizers that answer what a test says and keep what they were asked.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use bytes::Bytes;
use envoy_types::pb::envoy::service::auth::v3::{
    CheckRequest, CheckResponse,
    authorization_server::{Authorization, AuthorizationServer},
};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_stream::{StreamExt as _, wrappers::TcpListenerStream};
use tonic::{Status, transport::Server};

/// What an authorizer was asked, and over how many connections.
#[derive(Debug)]
pub(crate) struct Log<Q> {
    pub(crate) asked: Mutex<Vec<Q>>,
    pub(crate) connections: AtomicUsize,
}

impl<Q> Default for Log<Q> {
    fn default() -> Self {
        Self { asked: Mutex::default(), connections: AtomicUsize::new(0) }
    }
}

/// An answer of the gRPC authorizer; none: it never comes.
pub(crate) type Answers = fn(&CheckRequest) -> Option<Result<CheckResponse, Status>>;

struct Grpc {
    answers: Answers,
    log: Arc<Log<CheckRequest>>,
}

#[tonic::async_trait]
impl Authorization for Grpc {
    async fn check(&self, request: tonic::Request<CheckRequest>) -> Result<tonic::Response<CheckResponse>, Status> {
        let request = request.into_inner();
        let answer = (self.answers)(&request);
        self.log.asked.lock().unwrap().push(request);
        match answer {
            Some(answer) => answer.map(tonic::Response::new),
            None => std::future::pending().await,
        }
    }
}

/// Its port, and what it hears.
pub(crate) async fn grpc(answers: Answers) -> (u16, Arc<Log<CheckRequest>>) {
    let log = Arc::new(Log::default());
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (service, counted) = (Grpc { answers, log: log.clone() }, log.clone());
    let incoming = TcpListenerStream::new(listener).map(move |connection| {
        counted.connections.fetch_add(1, SeqCst);
        connection
    });
    let server = Server::builder().add_service(AuthorizationServer::new(service));
    tokio::spawn(server.serve_with_incoming(incoming));
    (port, log)
}

/// An answer of the HTTP authorizer; none: it never comes.
pub(crate) type Respond = fn(&Request<Bytes>) -> Option<Response<String>>;

/// Its port, and what it hears.
pub(crate) async fn http(respond: Respond) -> (u16, Arc<Log<Request<Bytes>>>) {
    let log = Arc::new(Log::default());
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = log.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            heard.connections.fetch_add(1, SeqCst);
            let log = heard.clone();
            let answer = service_fn(move |request: Request<Incoming>| answer(request, respond, log.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    (port, log)
}

async fn answer(
    request: Request<Incoming>,
    respond: Respond,
    log: Arc<Log<Request<Bytes>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let request = Request::from_parts(head, body.collect().await.unwrap().to_bytes());
    let response = respond(&request);
    log.asked.lock().unwrap().push(request);
    match response {
        Some(response) => Ok(response.map(|body| Full::new(body.into()))),
        None => std::future::pending().await,
    }
}
