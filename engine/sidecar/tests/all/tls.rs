//! Mutual TLS: the principal is the verified certificate's, and nothing else is.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use weir_proto::v1::attribute::Value;
use weir_sidecar::{Serving, Tls};

use crate::support::{
    Answer, Engine, Upstream, allow, attribute, metric, options, request, single, start, text, until, within,
};

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key.
    pub(crate) fn issue(&self, uris: &[&str]) -> (String, String) {
        let mut params = CertificateParams::new(vec!["shop.example".to_owned()]).unwrap();
        params.subject_alt_names.extend(uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap())));
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

pub(crate) fn files(folder: &Path, authority: &Authority, only: bool) -> Tls {
    let (certificate, key) = authority.issue(&["spiffe://td/ns/shop/sa/cart"]);
    Tls {
        certificate: write(folder, "cert.pem", &certificate),
        key: write(folder, "key.pem", &key),
        client_ca: Some(write(folder, "ca.pem", &authority.pem)),
        only,
    }
}

pub(crate) fn client(authority: &Authority, identity: Option<(String, String)>, alpn: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
            builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// One request over TLS; none when the connection is refused.
pub(crate) async fn ask(
    sidecar: &Serving,
    connector: &TlsConnector,
    request: http::request::Builder,
) -> Option<Answer> {
    let stream = within(TcpStream::connect(sidecar.addresses().http)).await.unwrap();
    let name = ServerName::try_from("shop.example").unwrap();
    let stream = within(connector.connect(name, stream)).await.ok()?;
    let multiplexed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let mut request = request.body(Full::<Bytes>::default()).unwrap();
    let response = if multiplexed {
        *request.uri_mut() = format!("https://shop.example{}", request.uri()).parse().unwrap();
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        within(sender.send_request(request)).await.ok()?
    } else {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        within(sender.send_request(request)).await.ok()?
    };
    Some(Answer::read(response).await)
}

pub(crate) async fn sidecar(upstream: &Upstream, engine: &Engine, tls: Tls) -> Serving {
    let mut options = options(upstream);
    (options.engine, options.tls) = (Some(engine.uri()), Some(tls));
    start(options).await
}

#[tokio::test]
async fn the_principal_is_the_uri_name_of_the_verified_certificate() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let sidecar = sidecar(&upstream, &engine, files(folder.path(), &authority, true)).await;
    for alpn in [&b"h2"[..], b"http/1.1"] {
        let connector = client(&authority, Some(authority.issue(&["spiffe://td/ns/a/sa/b"])), &[alpn]);
        let forged = "By=spiffe://x/y;URI=spiffe://td/ns/a/sa/admin";
        let told = request("/").header("x-forwarded-client-cert", forged);
        assert_eq!(ask(&sidecar, &connector, told).await.unwrap().status, 200);
        let seen = upstream.only();
        let expected = "By=spiffe://td/ns/shop/sa/cart;URI=spiffe://td/ns/a/sa/b";
        assert_eq!(seen.lines("x-forwarded-client-cert"), [expected]);
        assert_eq!(seen.lines("x-forwarded-proto"), ["https"]);
    }
    let asked = engine.asked().remove(0).attributes.unwrap();
    for (name, expected) in [
        ("source.principal", "td/ns/a/sa/b"),
        ("destination.principal", "td/ns/shop/sa/cart"),
        ("connection.uri_san_peer_certificate", "spiffe://td/ns/a/sa/b"),
        ("connection.requested_server_name", "shop.example"),
        ("connection.tls_version", "TLSv1.3"),
        ("request.scheme", "https"),
    ] {
        assert_eq!(text(&asked, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(attribute(&asked, "connection.mtls"), Some(Value::Truth(true)));
}

#[tokio::test]
async fn other_certificates_are_no_principal_or_no_connection() {
    let (folder, authority, other) = (tempfile::tempdir().unwrap(), Authority::new(), Authority::new());
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let sidecar = sidecar(&upstream, &engine, files(folder.path(), &authority, true)).await;
    let stranger = client(&authority, Some(other.issue(&["spiffe://td/ns/a/sa/b"])), &[]);
    assert!(ask(&sidecar, &stranger, request("/")).await.is_none(), "another authority");
    assert!(ask(&sidecar, &client(&authority, None, &[]), request("/")).await.is_none(), "no certificate");
    assert!(engine.asked().is_empty());
    for uris in [&[][..], &["spiffe://td/ns/a/sa/b", "spiffe://td/ns/a/sa/c"], &["https://td/ns/a/sa/b"]] {
        let connector = client(&authority, Some(authority.issue(uris)), &[]);
        let told = request(&format!("/{}", uris.len())).header("x-forwarded-client-cert", "URI=spiffe://td/ns/a/sa/b");
        assert_eq!(ask(&sidecar, &connector, told).await.unwrap().status, 200);
        let asked = engine.asked().pop().unwrap().attributes.unwrap();
        assert_eq!(text(&asked, "source.principal"), None, "{uris:?}");
        assert!(upstream.only().lines("x-forwarded-client-cert").is_empty());
    }
    until("both handshakes are counted", || {
        metric(&sidecar, "weir_sidecar_connections_refused_total{reason=\"handshake\"}") == 2.0
    })
    .await;
}

#[tokio::test]
async fn plaintext_has_no_principal_and_may_be_refused() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let both = sidecar(&upstream, &engine, files(folder.path(), &authority, false)).await;
    let told = request("/").header("x-forwarded-client-cert", "URI=spiffe://td/ns/a/sa/b");
    assert_eq!(single(both.addresses().http, told).await.status, 200);
    let asked = engine.asked().pop().unwrap().attributes.unwrap();
    assert_eq!(text(&asked, "source.principal"), None);
    assert_eq!(attribute(&asked, "connection.mtls"), Some(Value::Truth(false)));
    assert!(upstream.only().lines("x-forwarded-client-cert").is_empty());
    let connector = client(&authority, Some(authority.issue(&["spiffe://td/ns/a/sa/b"])), &[]);
    assert!(ask(&both, &connector, request("/")).await.is_some(), "TLS on the same port");
    let only = sidecar(&upstream, &engine, files(folder.path(), &authority, true)).await;
    let answer = crate::support::raw(only.addresses().http, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(!answer.contains("200"), "{answer}");
}

#[tokio::test]
async fn a_cached_verdict_of_one_principal_is_not_anothers() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let upstream = Upstream::echo().await;
    let engine =
        Engine::start(|request| match text(request.attributes.as_ref().unwrap(), "source.principal").as_deref() {
            Some("td/ns/a/sa/good") => allow(),
            _ => crate::support::deny(),
        });
    let engine = engine.await;
    let sidecar = sidecar(&upstream, &engine, files(folder.path(), &authority, false)).await;
    for _ in 0..2 {
        for (id, expected) in [("spiffe://td/ns/a/sa/good", 200), ("spiffe://td/ns/a/sa/bad", 403)] {
            let connector = client(&authority, Some(authority.issue(&[id])), &[]);
            assert_eq!(ask(&sidecar, &connector, request("/")).await.unwrap().status, expected, "{id}");
        }
        assert_eq!(single(sidecar.addresses().http, request("/")).await.status, 403, "plaintext");
    }
    assert_eq!(engine.asked().len(), 3);
}

/// A port that takes TLS from clients of that authority and hands the bytes on.
async fn tls_before(engine: &Engine, authority: &Authority) -> http::Uri {
    let (certificate, key) = authority.issue(&[]);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let clients = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    let behind = engine.uri().authority().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut engine = TcpStream::connect(behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut engine).await;
            });
        }
    });
    uri
}

#[tokio::test]
async fn the_engine_is_asked_over_mutual_tls_and_only_the_right_one() {
    let (folder, authority, other) = (tempfile::tempdir().unwrap(), Authority::new(), Authority::new());
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let uri = tls_before(&engine, &authority).await;
    let (certificate, key) = authority.issue(&["spiffe://td/ns/shop/sa/cart"]);
    let identity = (write(folder.path(), "c.pem", &certificate), write(folder.path(), "k.pem", &key));
    for (ca, expected) in [(&authority, 200), (&other, 503)] {
        for mode in [weir_sidecar::CheckMode::Stream, weir_sidecar::CheckMode::Unary] {
            let mut options = options(&upstream);
            (options.engine, options.check_mode) = (Some(uri.clone()), mode);
            options.engine_tls = Some(weir_sidecar::EngineTls {
                ca: write(folder.path(), "engine-ca.pem", &ca.pem),
                identity: Some(identity.clone()),
                server_name: Some("shop.example".to_owned()),
            });
            let sidecar = weir_sidecar::start(options).await.unwrap();
            if expected == 200 {
                within(sidecar.ready()).await;
            }
            assert_eq!(single(sidecar.addresses().http, request("/")).await.status, expected, "{mode:?}");
        }
    }
}

#[tokio::test]
async fn new_certificate_files_are_used_for_new_connections_and_broken_ones_are_not() {
    let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new());
    let upstream = Upstream::echo().await;
    let engine = Engine::start(|_| allow()).await;
    let tls = files(folder.path(), &authority, true);
    let sidecar = sidecar(&upstream, &engine, tls.clone()).await;
    let connector = client(&authority, Some(authority.issue(&["spiffe://td/ns/a/sa/b"])), &[]);
    assert!(ask(&sidecar, &connector, request("/")).await.is_some());
    std::fs::write(&tls.certificate, "nonsense").unwrap();
    within(async { while status(&sidecar, "failures").await == 0 {} }).await;
    assert!(ask(&sidecar, &connector, request("/")).await.is_some(), "the last good files serve");
    let (certificate, key) = authority.issue(&["spiffe://td/ns/shop/sa/other"]);
    std::fs::write(&tls.key, key).unwrap();
    std::fs::write(&tls.certificate, certificate).unwrap();
    within(async { while status(&sidecar, "swaps").await == 0 {} }).await;
    assert!(ask(&sidecar, &connector, request("/new")).await.is_some());
    let asked = engine.asked().pop().unwrap().attributes.unwrap();
    assert_eq!(text(&asked, "destination.principal").as_deref(), Some("td/ns/shop/sa/other"));
}

async fn status(sidecar: &Serving, key: &str) -> u64 {
    let answer = single(sidecar.addresses().admin, request("/status")).await;
    let status: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    status["tls"][key].as_u64().unwrap()
}
