//! PeerAuthentication as the engine tells it: who may connect, and what becomes of those who have.

use http::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use weir_proto::v1::PeerMode;
use weir_sidecar::Serving;

use crate::{
    support::{Engine, Upstream, allow, checked, full, metric, raw, request, single, until, within},
    tls::{Authority, ask, client, files, sidecar},
};

const PLAIN: &[u8] = b"GET /plain HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// Waits until the sidecar has heard of that mode.
async fn heard(sidecar: &Serving, mode: &str) {
    let said = async || {
        let answer = single(sidecar.addresses().admin, request("/status")).await;
        let status: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        status["peers"]["mode"].as_str().unwrap_or("nothing").to_owned()
    };
    within(async { while said().await != mode {} }).await;
}

/// Whether plaintext and mutual TLS are served.
async fn takes(sidecar: &Serving, connector: &TlsConnector) -> (bool, bool) {
    let plain = raw(sidecar.addresses().http, PLAIN).await.starts_with("HTTP/1.1 200");
    (plain, ask(sidecar, connector, request("/tls")).await.is_some_and(|answer| answer.status == StatusCode::OK))
}

#[tokio::test]
async fn the_mode_decides_who_may_connect_and_the_flags_where_nobody_says_anything() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let connector = client(&authority, Some(authority.issue(&["spiffe://td/ns/a/sa/b"])), &[]);
    let upstream = Upstream::echo().await;
    for only in [true, false] {
        let engine = Engine::start(|_| allow()).await;
        let sidecar = sidecar(&upstream, &engine, files(folder.path(), &authority, only)).await;
        assert_eq!(takes(&sidecar, &connector).await, (!only, true), "the engine cannot tell");
        for (mode, name, expected) in [
            (PeerMode::Strict, "STRICT", (false, true)),
            (PeerMode::Disable, "DISABLE", (true, false)),
            (PeerMode::Permissive, "PERMISSIVE", (true, true)),
            (PeerMode::Unset, "UNSET", (!only, true)),
        ] {
            engine.set_peers(mode, &[]);
            heard(&sidecar, name).await;
            assert_eq!(takes(&sidecar, &connector).await, expected, "{name}, TLS only: {only}");
        }
        for reason in ["plaintext", "tls"] {
            let series = format!("weir_sidecar_connections_refused_total{{reason=\"{reason}\"}}");
            assert!(metric(&sidecar, &series) >= 1.0, "{reason}");
        }
    }
}

#[tokio::test]
async fn a_port_has_its_own_mode() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let connector = client(&authority, Some(authority.issue(&["spiffe://td/ns/a/sa/b"])), &[]);
    let (upstream, engine) = (Upstream::echo().await, Engine::start(|_| allow()).await);
    let sidecar = sidecar(&upstream, &engine, files(folder.path(), &authority, false)).await;
    let port = sidecar.addresses().http.port();
    engine.set_peers(PeerMode::Strict, &[(port, PeerMode::Disable), (port ^ 1, PeerMode::Permissive)]);
    heard(&sidecar, "STRICT").await;
    assert_eq!(takes(&sidecar, &connector).await, (true, false));
    engine.set_peers(PeerMode::Disable, &[(port, PeerMode::Strict)]);
    heard(&sidecar, "DISABLE").await;
    assert_eq!(takes(&sidecar, &connector).await, (false, true));
}

#[tokio::test]
async fn who_cannot_authenticate_takes_nothing_under_strict() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let (upstream, engine) = (Upstream::echo().await, Engine::start(|_| allow()).await);
    engine.set_peers(PeerMode::Strict, &[]);
    let without = checked(&upstream, &engine).await;
    assert!(!raw(without.addresses().http, PLAIN).await.contains("HTTP"), "no certificates at all");
    let mut tls = files(folder.path(), &authority, false);
    tls.client_ca = None;
    let anybody = sidecar(&upstream, &engine, tls).await;
    assert_eq!(takes(&anybody, &client(&authority, None, &[])).await, (false, false), "no authority of clients");
    assert!(engine.asked().is_empty() && upstream.seen().is_empty());
}

#[tokio::test]
async fn what_was_told_last_holds_while_the_engine_is_away() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let connector = client(&authority, Some(authority.issue(&["spiffe://td/ns/a/sa/b"])), &[]);
    let upstream = Upstream::echo().await;
    let mut engine = Engine::start(|_| allow()).await;
    engine.set_peers(PeerMode::Strict, &[]);
    let sidecar = sidecar(&upstream, &engine, files(folder.path(), &authority, false)).await;
    assert_eq!(takes(&sidecar, &connector).await, (false, true));
    engine.kill().await;
    until("the loss is seen", || metric(&sidecar, "weir_sidecar_engine_reached") == 0.0).await;
    assert_eq!(takes(&sidecar, &connector).await, (false, true), "the answer to /tls is cached");
    engine.set_peers(PeerMode::Permissive, &[]);
    engine.revive().await;
    heard(&sidecar, "PERMISSIVE").await;
    assert_eq!(takes(&sidecar, &connector).await, (true, true));
}

#[tokio::test]
async fn an_open_connection_that_is_taken_no_longer_finishes_its_request_and_ends() {
    let (release, gate) = tokio::sync::watch::channel(false);
    let upstream = Upstream::with(move |_| {
        let mut gate = gate.clone();
        async move {
            let _ = gate.wait_for(|open| *open).await;
            http::Response::new(full("late"))
        }
    });
    let (upstream, engine) = (upstream.await, Engine::start(|_| allow()).await);
    engine.set_peers(PeerMode::Permissive, &[]);
    let sidecar = checked(&upstream, &engine).await;
    let mut stream = within(TcpStream::connect(sidecar.addresses().http)).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    until("the check", || !engine.asked().is_empty()).await;
    engine.set_peers(PeerMode::Strict, &[]);
    until("the connection is revoked", || metric(&sidecar, "weir_sidecar_connections_revoked_total") == 1.0).await;
    release.send_replace(true);
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("late"), "{answer}");
}
