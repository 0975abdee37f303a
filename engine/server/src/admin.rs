//! The admin port: what an operator asks at 3 a.m., in JSON. Reads from anywhere that reaches it; writes on loopback only.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn},
    response::{Html, IntoResponse, Response},
    routing::{get, put},
};
use serde_json::{Value, json};
use weir_runtime::{Runtime, limits};

use crate::{limits::own, serving::Doors};

/// Bytes of the body of a write.
pub(crate) const BODY_MAX: usize = 1024;

/// What each page is, in one sentence: the index, and what an unknown path is answered.
const PAGES: [(&str, &str); 8] = [
    ("/status", "Whether it serves, which configuration, why the newest is refused, what is lost."),
    ("/config", "The settings and files that serve, and every limit. Never a file's text."),
    ("/policies", "For each workload: the policies that apply, and what they read."),
    ("/plugins", "The adapters that run: calls, traps, time-outs, memory, last error."),
    ("/limits", "Every limit: what is bounded, by how much, and what happens beyond."),
    ("/decisions", "The last denials, newest first, with what was hidden hashed."),
    ("/logging", "The log level: PUT a level such as debug, or a filter such as info,weir_runtime=debug."),
    ("/version", "The version of this program."),
];

/// What the handlers need.
#[derive(Clone)]
struct Admin {
    runtime: Arc<Runtime>,
    doors: Arc<Doors>,
}

/// The routes of the admin port.
pub(crate) fn routes(runtime: Arc<Runtime>, doors: Arc<Doors>) -> Router {
    let admin = Admin { runtime, doors };
    Router::new()
        .route("/", get(index))
        .route("/status", get(async |State(admin): State<Admin>| Json(status(&admin))))
        .route("/config", get(async |State(admin): State<Admin>| Json(config(&admin))))
        .route("/policies", get(async |State(admin): State<Admin>| Json(admin.runtime.policies())))
        .route("/plugins", get(async |State(admin): State<Admin>| Json(admin.runtime.plugins())))
        .route("/limits", get(async || Json(limits().into_iter().chain(own()).collect::<Vec<_>>())))
        .route("/decisions", get(async |State(admin): State<Admin>| Json(admin.runtime.decisions())))
        .route("/version", get(async || Json(json!({"version": env!("CARGO_PKG_VERSION")}))))
        .route("/logging", put(set_level).get(level))
        .fallback(unknown)
        .layer(from_fn(guard))
        .with_state(admin)
}

fn status(admin: &Admin) -> Value {
    let mut status = serde_json::to_value(admin.runtime.status()).unwrap_or_default();
    if let Value::Object(fields) = &mut status {
        fields.insert("listening".to_owned(), admin.doors.status());
    }
    status
}

fn config(admin: &Admin) -> Value {
    let mut config = admin.runtime.config();
    if let Some(Value::Array(limits)) = config.get_mut("limits") {
        limits.extend(own().iter().filter_map(|limit| serde_json::to_value(limit).ok()));
    }
    config
}

async fn index() -> Html<String> {
    let line = |(path, what): &(&str, &str)| format!("<dt><a href=\"{path}\">{path}</a></dt><dd>{what}</dd>");
    let pages = PAGES.iter().map(line).collect::<String>();
    let style = "body{font:16px/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}dt{font-weight:600}dd{margin:0 0 .6rem}";
    Html(format!(
        "<!doctype html><meta charset=utf-8><title>Weir</title><style>{style}</style><h1>Weir {}</h1><dl>{pages}</dl>",
        env!("CARGO_PKG_VERSION")
    ))
}

async fn unknown(request: Request) -> (StatusCode, String) {
    let known = PAGES.map(|(path, _)| path).join(" ");
    (StatusCode::NOT_FOUND, format!("nothing is at {}; there are {known}\n", request.uri().path()))
}

async fn level(State(admin): State<Admin>) -> String {
    admin.doors.level()
}

async fn set_level(State(admin): State<Admin>, body: String) -> Response {
    match admin.doors.set_level(body.trim()) {
        Ok(()) => format!("{}\n", body.trim()).into_response(),
        Err(problem) => (StatusCode::BAD_REQUEST, format!("{problem}\n")).into_response(),
    }
}

/// A write must come from this machine and not from a page in its browser; a name that is not this machine's own (DNS
/// rebinding) is refused for reads as well when the peer is local.
async fn guard(ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request, next: Next) -> Response {
    let reads = request.method().is_safe();
    if let Err(why) = admitted(peer, reads, request.headers()) {
        return (StatusCode::FORBIDDEN, format!("{why}\n")).into_response();
    }
    let (head, body) = request.into_parts();
    match axum::body::to_bytes(body, BODY_MAX).await {
        Ok(body) => next.run(Request::from_parts(head, body.into())).await,
        Err(_) => {
            (StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {BODY_MAX} bytes\n")).into_response()
        }
    }
}

fn admitted(peer: SocketAddr, reads: bool, headers: &HeaderMap) -> Result<(), &'static str> {
    if !reads && !peer.ip().is_loopback() {
        return Err("writes are taken on loopback only; run this on the engine's own machine");
    }
    if !reads && headers.contains_key(header::ORIGIN) {
        return Err("writes are not taken from web pages; use curl without an Origin header");
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if peer.ip().is_loopback() && !is_own_name(host) {
        return Err("this port answers to its address or localhost only; correct the Host header");
    }
    Ok(())
}

/// An address, or localhost: names that no stranger's DNS can point here.
fn is_own_name(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let bare = name.trim_matches(['[', ']']);
    host.is_empty() || name.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_come_from_this_machine_and_not_from_a_browser() {
        let local = SocketAddr::from(([127, 0, 0, 1], 5000));
        let remote = SocketAddr::from(([10, 0, 0, 1], 5000));
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>()
        };
        for (peer, reads, pairs, good) in [
            (local, true, vec![("host", "127.0.0.1:9876")], true),
            (local, true, vec![("host", "localhost:9876")], true),
            (local, true, vec![("host", "[::1]:9876")], true),
            (local, true, vec![("host", "evil.example:9876")], false),
            (local, false, vec![("host", "127.0.0.1:9876")], true),
            (local, false, vec![("host", "127.0.0.1:9876"), ("origin", "http://127.0.0.1:9876")], false),
            (remote, true, vec![("host", "engine.prod:9876")], true),
            (remote, false, vec![("host", "engine.prod:9876")], false),
        ] {
            assert_eq!(admitted(peer, reads, &headers(&pairs)).is_ok(), good, "{peer} {reads} {pairs:?}");
        }
    }
}
