//! The upstream: answers every request with JSON of what it saw, and remembers it.

use crate::Outcome;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How many requests an echo remembers; older ones are forgotten.
const REMEMBERED: usize = 4096;

/// What a request, as [`Echo::seen`] tells it, is answered with; none: an answer never comes.
type Answers = dyn Fn(&Value) -> Option<Response<Full<Bytes>>> + Send + Sync;

/// A small HTTP/1.1 and HTTP/2 upstream on a free loopback port; gone when dropped.
#[derive(Debug)]
pub struct Echo {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Echo {
    /// Starts one on a free port.
    pub async fn start() -> Outcome<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts one at that address.
    pub async fn start_at(address: SocketAddr) -> Outcome<Self> {
        Self::serve(address, Arc::new(|seen: &Value| Some(told(seen)))).await
    }

    /// Starts one on a free port that answers something of its own; without an answer the caller waits for ever.
    pub async fn answering(
        answers: impl Fn(&Value) -> Option<Response<Full<Bytes>>> + Send + Sync + 'static,
    ) -> Outcome<Self> {
        Self::serve(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::new(answers)).await
    }

    async fn serve(address: SocketAddr, answers: Arc<Answers>) -> Outcome<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let memory = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (memory, answers) = (memory.clone(), answers.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| answer(request, memory.clone(), answers.clone()));
                    let builder = auto::Builder::new(TokioExecutor::new());
                    // A client that goes away is no news.
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { address, seen, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it saw so far: `{method, target, headers: [[name, value]], body_bytes}`, oldest first.
    pub fn seen(&self) -> Vec<Value> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests it saw.
    pub fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    memory: Arc<Mutex<Vec<Value>>>,
    answers: Arc<Answers>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let headers: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    let length = body.collect().await.map_or(0, |body| body.to_bytes().len());
    let target = head.uri.path_and_query().map_or("*", |target| target.as_str());
    let seen = json!({
        "method": head.method.as_str(),
        "target": target,
        "headers": headers,
        "body_bytes": length,
    });
    remember(&memory, &seen);
    match answers(&seen) {
        Some(response) => Ok(response),
        None => std::future::pending().await,
    }
}

fn remember(memory: &Mutex<Vec<Value>>, seen: &Value) {
    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() < REMEMBERED {
        memory.push(seen.clone());
    }
}

/// What was seen, as the answer.
fn told(seen: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{seen}\n"))));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

/// The lines of a header of a request as [`Echo::seen`] tells it.
pub fn lines<'s>(seen: &'s Value, name: &str) -> Vec<&'s str> {
    let headers = seen["headers"].as_array().into_iter().flatten();
    headers.filter(|line| line[0] == name).filter_map(|line| line[1].as_str()).collect()
}
