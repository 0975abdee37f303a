//! Upstreams and sinks of one case: a real server on this machine, so that the plugin's requests take the real way.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::case::{Answer, Fail};
use super::outcome::text;

/// Where the paths of sinks begin; upstreams begin with `/up/NAME`.
const SINK: &str = "/sink/";
const UP: &str = "/up/";

/// The server, until it is dropped.
#[derive(Debug)]
pub(super) struct Mock {
    address: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    answers: BTreeMap<String, Vec<Answer>>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Json>,
    messages: BTreeMap<String, Vec<Json>>,
}

impl Mock {
    pub(super) async fn start(answers: BTreeMap<String, Vec<Answer>>) -> io::Result<Mock> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let state = Arc::new(State { answers, ..State::default() });
        let task = tokio::spawn(serve(listener, state.clone()));
        Ok(Mock { address, state, task })
    }

    pub(super) fn upstream(&self, name: &str) -> String {
        format!("http://{}{UP}{name}", self.address)
    }

    pub(super) fn sink(&self, name: &str) -> String {
        format!("http://{}{SINK}{name}", self.address)
    }

    /// What upstreams were asked, in order.
    pub(super) fn requests(&self) -> Vec<Json> {
        self.state.seen.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }

    /// What sinks got.
    pub(super) fn messages(&self) -> BTreeMap<String, Vec<Json>> {
        self.state.seen.lock().unwrap_or_else(PoisonError::into_inner).messages.clone()
    }
}

impl State {
    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, state.clone()));
            // A connection that is broken off is what `unreachable` is.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// What a plugin is told instead of an answer; the connection ends.
#[derive(Debug)]
struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off")
    }
}

impl std::error::Error for BrokenOff {}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, BrokenOff> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| BrokenOff)?.to_bytes();
    let target = head.uri.path_and_query().map_or("/", |path| path.as_str());
    if let Some(name) = target.strip_prefix(SINK) {
        state.note(|seen| seen.messages.entry(name.to_owned()).or_default().push(text(&body)));
        return Ok(Response::new(Full::default()));
    }
    let rest = target.strip_prefix(UP).unwrap_or_default();
    let (upstream, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let method = head.method.as_str();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    let headers = Json::Object(headers.collect());
    let asked = json!({"upstream": upstream, "method": method, "path": path, "headers": headers, "body": text(&body)});
    state.note(|seen| seen.requests.push(asked));
    let fits = |answer: &&Answer| {
        answer.method.as_deref().is_none_or(|wanted| wanted == method)
            && answer.path.as_deref().is_none_or(|wanted| wanted == path)
    };
    let Some(found) = state.answers.get(upstream).and_then(|answers| answers.iter().find(fits)) else {
        let said = format!("no mock answers {method} {path} of {upstream}");
        return Ok(response(404, Full::new(said.into())));
    };
    match found.fail {
        Some(Fail::Unreachable) => Err(BrokenOff),
        Some(Fail::Timeout) => std::future::pending::<Result<_, Infallible>>().await.map_err(|_| BrokenOff),
        None => {
            let body = match &found.body {
                Json::Null => String::new(),
                Json::String(text) => text.clone(),
                json => json.to_string(),
            };
            let mut answer = response(found.status.unwrap_or(200), Full::new(body.into()));
            for (name, value) in &found.headers {
                if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value)) {
                    answer.headers_mut().append(name, value);
                }
            }
            Ok(answer)
        }
    }
}

fn response(status: u16, body: Full<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
