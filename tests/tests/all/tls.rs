//! mTLS on the engine's gRPC port and on the sidecar: who may speak, and certificates that change under way.

use crate::envoy_api;
use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint};
use weir_tests::ca::{Authority, Files, Identity};
use weir_tests::client::Call;
use weir_tests::house::engine::Engine;
use weir_tests::house::{House, Plan};
use weir_tests::{Outcome, patience};

/// A gRPC channel over TLS that shows `identity`, if any.
async fn channel(address: SocketAddr, authority: &Authority, identity: Option<&Identity>) -> Outcome<Channel> {
    let tls = tokio_rustls::TlsConnector::from(authority.client(identity, &[b"h2"])?);
    let connect = tower::service_fn(move |_: http::Uri| {
        let tls = tls.clone();
        async move {
            let stream = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(TokioIo::new(tls.connect(name, stream).await?))
        }
    });
    Ok(Endpoint::from_static("http://localhost").connect_with_connector(connect).await?)
}

async fn allows(channel: Channel) -> Outcome<bool> {
    let request = envoy_api::request("GET", "/api/v1/items", &[]);
    let answer = AuthorizationClient::new(channel).check(request).await?.into_inner();
    Ok(answer.status.ok_or("no status")?.code == 0)
}

/// The certificate that a TLS port shows now, as DER.
async fn shown(address: SocketAddr, authority: &Authority, identity: &Identity, alpn: &[u8]) -> Option<Vec<u8>> {
    let tls = tokio_rustls::TlsConnector::from(authority.client(Some(identity), &[alpn]).ok()?);
    let stream = TcpStream::connect(address).await.ok()?;
    let stream = tls.connect(ServerName::try_from("localhost").ok()?, stream).await.ok()?;
    Some(stream.get_ref().1.peer_certificates()?.first()?.to_vec())
}

struct Secure {
    house: House,
    authority: Authority,
    files: Files,
}

/// An engine whose gRPC port wants certificates of `authority`.
async fn secure() -> Secure {
    let place = tempfile::tempdir().unwrap();
    let authority = Authority::new("engine CA").unwrap();
    let files = authority.write(place.path(), "engine", &authority.identity("weir", "engine").unwrap()).unwrap();
    let text = |path: &std::path::Path| path.display().to_string();
    let (certificate, key, roots) = (text(&files.certificate), text(&files.key), text(&files.authority));
    let flags = ["--tls-cert", &certificate, "--tls-key", &key, "--tls-client-ca", &roots];
    let house = Plan::shop().unwrap().without_sidecar().engine(&flags).start().await.unwrap();
    // The files must live as long as the engine that watches them.
    let _ = place.keep();
    Secure { house, authority, files }
}

#[tokio::test]
async fn only_a_certificate_of_the_clients_authority_may_ask() {
    let secure = secure().await;
    let address = secure.house.engine.grpc().unwrap();
    let proxy = secure.authority.identity("shop", "cart").unwrap();
    let known = channel(address, &secure.authority, Some(&proxy)).await.unwrap();
    assert!(allows(known).await.unwrap());
    for stranger in [None, Some(&Authority::new("another CA").unwrap().identity("shop", "cart").unwrap())] {
        let refused = match channel(address, &secure.authority, stranger).await {
            Ok(channel) => allows(channel).await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "{stranger:?}");
    }
    let status = secure.house.engine.page("/status").await.unwrap();
    assert_eq!(status["listening"]["security"], "mtls", "{status}");
    let _ = std::fs::remove_dir_all(secure.files.key.parent().unwrap());
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_dropped_check() {
    let secure = secure().await;
    let address = secure.house.engine.grpc().unwrap();
    let proxy = secure.authority.identity("shop", "cart").unwrap();
    let old = shown(address, &secure.authority, &proxy, b"h2").await.unwrap();
    let kept = channel(address, &secure.authority, Some(&proxy)).await.unwrap();
    assert!(allows(kept.clone()).await.unwrap());
    let folder = secure.files.key.parent().unwrap();
    let next = secure.authority.identity("weir", "engine").unwrap();
    secure.authority.write(folder, "engine", &next).unwrap();
    patience::until("the new certificate is shown", async || {
        assert!(allows(kept.clone()).await.unwrap(), "the connection that was there goes on");
        let fresh = channel(address, &secure.authority, Some(&proxy)).await.unwrap();
        assert!(allows(fresh).await.unwrap(), "new connections are taken all the time");
        shown(address, &secure.authority, &proxy, b"h2").await.filter(|now| *now != old)
    })
    .await
    .unwrap();
    // A broken file keeps the last good pair.
    std::fs::write(&secure.files.certificate, "-----BEGIN CERTIFICATE-----\nnonsense\n").unwrap();
    patience::until("the broken certificate is reported", async || {
        let said = secure.house.engine.program.said();
        said.contains("engine.pem").then_some(())
    })
    .await
    .unwrap();
    assert!(allows(channel(address, &secure.authority, Some(&proxy)).await.unwrap()).await.unwrap());
    let _ = std::fs::remove_dir_all(folder);
}

#[tokio::test]
async fn the_sidecars_certificate_changes_without_a_dropped_request() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    let (frontend, me) = (house.caller("shop", "frontend").unwrap(), house.authority.identity("shop", "x").unwrap());
    let address = house.front().unwrap().http().unwrap();
    let mut session = frontend.connect().await.unwrap();
    let old = shown(address, &house.authority, &me, b"http/1.1").await.unwrap();
    let next = house.authority.identity("shop", "cart").unwrap();
    house.authority.write(&house.place.path().join("tls"), "cart", &next).unwrap();
    patience::until("the sidecar shows its new certificate", async || {
        assert_eq!(session.send(Call::get("/api/v1/items")).await.unwrap().status, 200);
        assert_eq!(frontend.get("/api/v1/items").await.unwrap().status, 200);
        shown(address, &house.authority, &me, b"http/1.1").await.filter(|now| *now != old)
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn plaintext_that_others_reach_needs_to_be_asked_for() {
    let engine = |flags: &[&str]| {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("config")).unwrap();
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let engine = Engine::prepare(place.path(), &flags).unwrap();
        (place, engine)
    };
    let (_place, mut refused) = engine(&["--grpc", "0.0.0.0:0"]);
    refused.program.spawn().unwrap();
    assert!(!refused.program.exit().await.unwrap().success());
    patience::until("it says how", async || refused.program.said().contains("--insecure").then_some(())).await.unwrap();
    let (_place, mut insecure) = engine(&["--grpc", "0.0.0.0:0", "--insecure"]);
    insecure.program.start().await.unwrap();
    let status = insecure.page("/status").await.unwrap();
    assert_eq!(status["listening"]["insecure"], true, "{status}");
    assert!(insecure.program.said().to_lowercase().contains("plaintext"), "{}", insecure.program.said());
}
