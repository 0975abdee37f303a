use std::{path::Path, sync::Arc};

use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use weir_proto::v1::policy_client::PolicyClient;
use weir_server::TlsFiles;

use crate::engine::{Engine, get};

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn issue(&self) -> (String, String) {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    fn write(&self, folder: &Path) -> TlsFiles {
        let (cert, key) = self.issue();
        let [cert_file, key_file, ca_file] = ["cert.pem", "key.pem", "ca.pem"].map(|name| folder.join(name));
        std::fs::write(&cert_file, cert).unwrap();
        std::fs::write(&key_file, key).unwrap();
        std::fs::write(&ca_file, self.0.pem()).unwrap();
        TlsFiles { cert: cert_file, key: key_file, client_ca: Some(ca_file) }
    }

    async fn connect(&self, engine: &Engine, with_certificate: bool) -> Result<Channel, tonic::transport::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.0.pem().as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let (cert, key) = self.issue();
        let (cert, key) =
            (CertificateDer::from_pem_slice(cert.as_bytes()), PrivateKeyDer::from_pem_slice(key.as_bytes()));
        let mut config = match with_certificate {
            true => builder.with_client_auth_cert(vec![cert.unwrap()], key.unwrap()).unwrap(),
            false => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let (connector, at) = (TlsConnector::from(Arc::new(config)), engine.at.grpc);
        let connect = tower::service_fn(move |_| {
            let connector = connector.clone();
            async move {
                let stream = TcpStream::connect(at).await?;
                Ok::<_, std::io::Error>(TokioIo::new(connector.connect("localhost".try_into().unwrap(), stream).await?))
            }
        });
        Endpoint::from_static("http://localhost").connect_with_connector(connect).await
    }
}

async fn asks(channel: Result<Channel, tonic::transport::Error>) -> bool {
    match channel {
        Ok(channel) => PolicyClient::new(channel).check(weir_proto::v1::CheckRequest::default()).await.is_ok(),
        Err(_) => false,
    }
}

#[tokio::test]
async fn only_a_client_of_the_client_ca_may_ask_and_new_files_are_taken_without_a_drop() {
    let folder = tempfile::tempdir().unwrap();
    let old = Authority::new();
    let engine = Engine::with(Some(old.write(folder.path()))).await;
    assert!(asks(old.connect(&engine, true).await).await);
    assert!(!asks(old.connect(&engine, false).await).await);
    assert!(!asks(Channel::from_shared(format!("http://{}", engine.at.grpc)).unwrap().connect().await).await);
    let status = get(engine.at.admin, "/status").await.1;
    assert!(status.contains("\"security\":\"mtls\""), "{status}");

    // One connection lives through everything that happens to the files.
    let alive = old.connect(&engine, true).await.unwrap();
    std::fs::write(folder.path().join("cert.pem"), "nonsense").unwrap();
    while !engine.metrics().await.contains("\nweir_grpc_tls_broken 1") {
        tokio::task::yield_now().await;
    }
    let status = get(engine.at.admin, "/status").await.1;
    assert!(status.contains("cert.pem"), "{status}");
    assert!(asks(old.connect(&engine, true).await).await, "the last good files serve");

    let new = Authority::new();
    new.write(folder.path());
    while !engine.metrics().await.contains("\nweir_grpc_tls_swaps_total 1") {
        tokio::task::yield_now().await;
    }
    assert!(asks(new.connect(&engine, true).await).await);
    assert!(!asks(old.connect(&engine, true).await).await);
    assert!(asks(Ok(alive)).await);
}
