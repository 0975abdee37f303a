//! TLS from files that are watched: a new certificate serves the next connection, a broken one changes nothing.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use rustls::{ProtocolVersion, RootCertStore, ServerConfig, ServerConnection, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use crate::Error;

/// How often the files are read. A mounted secret changes by a symlink, which notifications miss on some file systems;
/// reading three small files does not.
const POLL: Duration = Duration::from_secs(1);
/// The largest file that is read, in bytes.
const FILE_MAX: u64 = 1 << 20;

/// What a connection may speak, told by its first byte.
#[derive(Clone, Debug)]
pub enum Security {
    /// Plaintext only; TLS is closed and counted.
    Plaintext,
    /// TLS only; plaintext is closed and counted.
    Tls(Arc<TlsSwap>),
    /// Either.
    Either(Arc<TlsSwap>),
    /// Neither: all is closed and counted. For a port that must authenticate its peers and cannot.
    Nothing,
}

impl Security {
    /// Whether a connection with TLS, or without, is taken.
    #[must_use]
    pub fn takes(&self, secured: bool) -> bool {
        match self {
            Security::Plaintext => !secured,
            Security::Tls(_) => secured,
            Security::Either(_) => true,
            Security::Nothing => false,
        }
    }
}

/// Where the PEM files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, leaf first.
    pub cert: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
    /// The authorities whose client certificates are accepted; none: clients are not asked for one.
    pub client_ca: Option<PathBuf>,
}

/// What is asked of the client when there is a client CA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// A handshake without a valid one fails.
    Required,
    /// One that is given must be valid; none is fine.
    Optional,
}

/// What the handshake said.
#[derive(Clone, Debug)]
pub struct TlsInfo {
    /// The application protocol that was agreed on, such as `h2`.
    pub alpn: Option<Vec<u8>>,
    /// The server name that the client asked for, in lower case.
    pub sni: Option<String>,
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The client's verified chain, leaf first; empty when it gave none.
    pub peer_certificates: Vec<CertificateDer<'static>>,
}

impl TlsInfo {
    pub(crate) fn of(session: &ServerConnection) -> Self {
        Self {
            alpn: session.alpn_protocol().map(<[u8]>::to_vec),
            sni: session.server_name().map(str::to_ascii_lowercase),
            version: match session.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            peer_certificates: session
                .peer_certificates()
                .map(|chain| chain.iter().map(|certificate| certificate.clone().into_owned()).collect())
                .unwrap_or_default(),
        }
    }
}

/// How the files are doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsStatus {
    /// How often new files were put to use.
    pub swaps: u64,
    /// How often new files could not be used.
    pub failures: u64,
    /// What is wrong with the files as they now are; the last good ones serve.
    pub problem: Option<String>,
}

/// The contents of the files.
#[derive(PartialEq, Eq)]
struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// A TLS configuration that follows its files. Connections that are open keep the one they began with.
#[derive(Debug)]
pub struct TlsSwap {
    files: TlsFiles,
    alpn: Vec<Vec<u8>>,
    client: ClientCertificate,
    current: ArcSwap<ServerConfig>,
    /// A digest would do, but these are small and already in memory as the configuration.
    seen: ArcSwap<Contents>,
    problem: ArcSwapOption<String>,
    swaps: AtomicU64,
    failures: AtomicU64,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contents(..)") // a key is never printed
    }
}

impl TlsSwap {
    /// Reads the files for the first time. `alpn` are the application protocols in order of preference.
    ///
    /// # Errors
    /// [`Error::Tls`] names the file that is missing, too large, not PEM, or does not fit the others.
    pub fn load(files: TlsFiles, alpn: &[&[u8]], client: ClientCertificate) -> Result<Arc<Self>, Error> {
        let alpn: Vec<Vec<u8>> = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let contents = Contents::read(&files)?;
        let config = contents.configure(&files, &alpn, client)?;
        Ok(Arc::new(Self {
            files,
            alpn,
            client,
            current: ArcSwap::new(config),
            seen: ArcSwap::from_pointee(contents),
            problem: ArcSwapOption::empty(),
            swaps: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }))
    }

    /// The configuration for the next connection.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }

    /// Whether every TLS peer must show a certificate of the client authorities.
    #[must_use]
    pub fn is_mutual(&self) -> bool {
        self.files.client_ca.is_some() && self.client == ClientCertificate::Required
    }

    /// How the files are doing.
    #[must_use]
    pub fn status(&self) -> TlsStatus {
        TlsStatus {
            swaps: self.swaps.load(Relaxed),
            failures: self.failures.load(Relaxed),
            problem: self.problem.load_full().map(|problem| (*problem).clone()),
        }
    }

    /// Reads the files once more and puts them to use when they changed; true when they were. Blocks on the file system.
    pub fn reload(&self) -> bool {
        let outcome = Contents::read(&self.files).and_then(|contents| {
            if contents == **self.seen.load() {
                return Ok(None);
            }
            let config = contents.configure(&self.files, &self.alpn, self.client)?;
            Ok(Some((contents, config)))
        });
        match outcome {
            Ok(None) => {
                self.problem.store(None);
                false
            }
            Ok(Some((contents, config))) => {
                self.current.store(config);
                self.seen.store(Arc::new(contents));
                self.problem.store(None);
                self.swaps.fetch_add(1, Relaxed);
                tracing::info!(cert = %self.files.cert.display(), "new TLS files are in use");
                true
            }
            Err(problem) => {
                let problem = problem.to_string();
                if self.problem.load().as_deref() != Some(&problem) {
                    self.failures.fetch_add(1, Relaxed);
                    tracing::warn!(%problem, "the new TLS files cannot be used; the last good ones serve");
                    self.problem.store(Some(Arc::new(problem)));
                }
                false
            }
        }
    }

    /// Follows the files for ever; spawn it.
    pub async fn watch(self: Arc<Self>) {
        let mut tick = tokio::time::interval(POLL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let swap = Arc::clone(&self);
            let _ = tokio::task::spawn_blocking(move || swap.reload()).await;
        }
    }
}

fn refused(path: &Path, problem: impl ToString) -> Error {
    Error::Tls { path: path.to_owned(), problem: problem.to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).map_err(|problem| refused(path, problem))?;
    let mut contents = Vec::new();
    file.take(FILE_MAX + 1).read_to_end(&mut contents).map_err(|problem| refused(path, problem))?;
    if contents.len() as u64 > FILE_MAX {
        return Err(refused(path, "larger than 1 MiB; a PEM file is expected"));
    }
    Ok(contents)
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match chain {
        Ok(chain) if chain.is_empty() => {
            Err(refused(path, "no certificate in it; PEM (BEGIN CERTIFICATE) is expected"))
        }
        Ok(chain) => Ok(chain),
        Err(problem) => Err(refused(path, format!("not a PEM certificate: {problem}"))),
    }
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, Error> {
        Ok(Self {
            cert: read(&files.cert)?,
            key: read(&files.key)?,
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }

    fn configure(
        &self,
        files: &TlsFiles,
        alpn: &[Vec<u8>],
        client: ClientCertificate,
    ) -> Result<Arc<ServerConfig>, Error> {
        let chain = certificates(&files.cert, &self.cert)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|problem| refused(&files.key, format!("not a PEM private key: {problem}")))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|problem| refused(&files.cert, problem))?;
        let builder = match (&files.client_ca, &self.client_ca) {
            (Some(path), Some(pem)) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path, pem)? {
                    roots.add(certificate).map_err(|problem| refused(path, problem))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = match client {
                    ClientCertificate::Required => verifier,
                    ClientCertificate::Optional => verifier.allow_unauthenticated(),
                };
                builder.with_client_cert_verifier(verifier.build().map_err(|problem| refused(path, problem))?)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|problem| refused(&files.cert, format!("does not fit {}: {problem}", files.key.display())))?;
        config.alpn_protocols = alpn.to_vec();
        Ok(Arc::new(config))
    }
}
