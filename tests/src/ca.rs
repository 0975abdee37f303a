//! A throw-away certificate authority: SPIFFE identities that live for one test or one demo.

use crate::Outcome;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Trust domain of every certificate that an [`Authority`] signs.
pub const TRUST_DOMAIN: &str = "cluster.local";

/// A certificate authority whose key is never written down.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The URI SAN without `spiffe://`, as policies write principals.
    pub principal: String,
    /// The certificate.
    pub certificate: String,
    /// Its private key, PKCS #8.
    pub key: String,
}

/// Where an identity and its CA lie on disk.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
    /// The CA's certificate, PEM.
    pub authority: PathBuf,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new one, with a key that nobody else has.
    pub fn new(name: &str) -> Outcome<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// The CA's certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for service account `account` in `namespace`, good for clients and for servers on this machine.
    pub fn identity(&self, namespace: &str, account: &str) -> Outcome<Identity> {
        self.sign(&format!("{TRUST_DOMAIN}/ns/{namespace}/sa/{account}"))
    }

    /// A certificate for a principal written out, without `spiffe://`.
    pub fn sign(&self, principal: &str) -> Outcome<Identity> {
        let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()])?;
        params.subject_alt_names.push(SanType::URI(format!("spiffe://{principal}").try_into()?));
        params.distinguished_name.push(DnType::CommonName, principal.rsplit('/').next().unwrap_or(principal));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Identity { principal: principal.to_owned(), certificate, key: key.serialize_pem() })
    }

    /// TLS for a client that trusts this authority and shows `identity`, if any.
    pub fn client(&self, identity: Option<&Identity>, alpn: &[&[u8]]) -> Outcome<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut config = match identity {
            Some(identity) => {
                let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes())?];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }

    /// Writes `identity` and the CA's certificate to `folder` as `NAME.pem`, `NAME-key.pem` and `ca.pem`, each whole
    /// at once: a watcher never sees half a file.
    pub fn write(&self, folder: &Path, name: &str, identity: &Identity) -> Outcome<Files> {
        let files = Files {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}-key.pem")),
            authority: folder.join("ca.pem"),
        };
        std::fs::create_dir_all(folder)?;
        for (path, text) in
            [(&files.key, &identity.key), (&files.certificate, &identity.certificate), (&files.authority, &self.pem)]
        {
            let half = path.with_extension("half");
            std::fs::write(&half, text)?;
            std::fs::rename(half, path)?;
        }
        Ok(files)
    }
}
