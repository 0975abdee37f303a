//! The upstream behind both proxies, and the service that filters ask.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Longer than any filter of the tests waits.
const SLOW: Duration = Duration::from_secs(5);

pub struct Backend {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Backend {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service_fn(answer))
                        .await;
                });
            }
        });
        Self { address, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_or(Bytes::new(), |body| body.to_bytes());
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    if let Some(token) = target.strip_prefix("/auth?token=") {
        return Ok(auth(token, &body).await);
    }
    let bytes = target.strip_prefix("/big?bytes=").and_then(|bytes| bytes.parse::<usize>().ok());
    let text = match (target, bytes) {
        ("/none", _) => String::new(),
        (_, Some(bytes)) => "0123456789".repeat(bytes / 10),
        _ => seen(&head, target, &body),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    for (name, value) in &head.headers {
        match name.as_str().strip_prefix("x-want-") {
            Some("status") => *response.status_mut() = StatusCode::from_bytes(value.as_bytes()).unwrap(),
            Some(name) => {
                response.headers_mut().insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.clone());
            }
            None => {}
        }
    }
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain"));
    Ok(response)
}

/// The request as it came, without what proxies write for themselves.
fn seen(head: &http::request::Parts, target: &str, body: &[u8]) -> String {
    let mut text = format!("upstream saw {} {target}\n", head.method);
    let mut lines: Vec<_> = head.headers.iter().collect();
    lines.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
    for (name, value) in lines {
        let name = name.as_str();
        let proxys = name.starts_with("x-forwarded") || name.starts_with("x-envoy") || name == "x-request-id";
        if !proxys
            && name != "traceparent"
            && (name.starts_with("x-") || ["content-length", "transfer-encoding"].contains(&name))
        {
            text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    let host = head.headers.get("host").filter(|host| !host.as_bytes().starts_with(b"127."));
    text + &format!("{host:?}\n{}\n", String::from_utf8_lossy(body))
}

async fn auth(token: &str, body: &[u8]) -> Response<Full<Bytes>> {
    let (status, said) = match token {
        "good" if body == b"who is it" => (200, "welcome"),
        "slow" => {
            tokio::time::sleep(SLOW).await;
            (200, "late")
        }
        _ => (403, "who is that"),
    };
    let response = Response::builder().status(status).header("x-user-id", "alice");
    response.body(Full::new(Bytes::from_static(said.as_bytes()))).unwrap()
}
