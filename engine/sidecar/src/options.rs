//! What the sidecar is told at its start.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use http::Uri;
use weir_policy::document::Normalization;
use weir_telemetry::Target;

/// What the sidecar is told at its start. Port 0 picks a free one.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where clients connect (`--listen`).
    pub listen: SocketAddr,
    /// The one upstream (`--upstream`): `http://HOST:PORT` or `HOST:PORT`.
    pub upstream: Uri,
    /// How the upstream is spoken to.
    pub upstream_protocol: UpstreamProtocol,
    /// The engine (`--engine`): `http://HOST:PORT`, or `https://` with `engine_tls`. None: no check and no report.
    pub engine: Option<Uri>,
    /// How the engine is known and who we are to it; needed for an `https` engine.
    pub engine_tls: Option<EngineTls>,
    /// Which workload the requests are for, as `NAME` or `NAMESPACE/NAME`; empty: the engine tells by the address.
    pub workload: String,
    /// Our own name in the engine's counters and logs.
    pub proxy: String,
    /// Where the admin port listens (`--admin`).
    pub admin: SocketAddr,
    /// Where the health port listens (`--health`).
    pub health: SocketAddr,
    /// Certificates of the listener; none: plaintext only.
    pub tls: Option<Tls>,
    /// Allow what the engine could not be asked about. Off: such a request is answered with 503.
    pub fail_open: bool,
    /// How checks are sent.
    pub check_mode: CheckMode,
    /// Whether verdicts are cached.
    pub cache: bool,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How paths are normalized before the policy and the upstream see them.
    pub normalization: Normalization,
    /// Where the access log goes.
    pub access_log: Target,
    /// The form of the access log.
    pub log_format: LogFormat,
    /// Worker threads; 0: one a core.
    pub workers: usize,
    /// Which proxy-wasm filters requests go through (`--filters`): a YAML file.
    pub filters: Option<PathBuf>,
}

impl Options {
    /// Options with the defaults, for that listener and upstream and no engine.
    #[must_use]
    pub fn new(listen: SocketAddr, upstream: Uri) -> Self {
        Self {
            listen,
            upstream,
            upstream_protocol: UpstreamProtocol::default(),
            engine: None,
            engine_tls: None,
            workload: String::new(),
            proxy: "weir-sidecar".to_owned(),
            admin: SocketAddr::from(([127, 0, 0, 1], 15_000)),
            health: SocketAddr::from(([127, 0, 0, 1], 15_020)),
            tls: None,
            fail_open: false,
            check_mode: CheckMode::default(),
            cache: true,
            timeouts: Timeouts::default(),
            normalization: Normalization::Base,
            access_log: Target::Stdout,
            log_format: LogFormat::Text,
            workers: 0,
            filters: None,
        }
    }
}

/// Certificates of the listener: PEM files, watched and used for new connections when they change.
#[derive(Clone, Debug)]
pub struct Tls {
    /// Our certificate, then its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Who signs clients. With it every TLS client must show a certificate of it; without it there is no principal.
    pub client_ca: Option<PathBuf>,
    /// Refuse plaintext where no PeerAuthentication says otherwise. Off: plaintext is served too, without a principal.
    pub only: bool,
}

/// Certificates towards the engine: PEM files, read at the start.
#[derive(Clone, Debug)]
pub struct EngineTls {
    /// Who signs the engine.
    pub ca: PathBuf,
    /// Our certificate and its key, when the engine asks for one.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name that the engine's certificate must carry; none: the URL's host.
    pub server_name: Option<String>,
}

/// How checks are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CheckMode {
    /// One RPC a check.
    Unary,
    /// One stream a worker, many checks on it.
    #[default]
    Stream,
}

/// How the upstream is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpstreamProtocol {
    /// gRPC over HTTP/2, all else over HTTP/1.1.
    #[default]
    Auto,
    /// Everything over HTTP/1.1.
    Http1,
    /// Everything over HTTP/2 with prior knowledge.
    Http2,
}

/// The form of the access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Istio's default text format.
    #[default]
    Text,
    /// Istio's JSON keys, one object a line.
    Json,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the connection to its first byte. Default 5 s.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its head. Default 5 s.
    pub header: Duration,
    /// A connection without a request. Default 5 minutes.
    pub idle: Duration,
    /// A request during which neither side moves a byte. Default 5 minutes, as Envoy.
    pub stall: Duration,
    /// One check, a retry included. Default 200 ms, as Envoy's ext_authz.
    pub check: Duration,
    /// A connection to the upstream. Default 5 s.
    pub connect: Duration,
    /// From the request sent upstream to the head of its response; none: as long as it takes. Default none, as Istio.
    pub response: Option<Duration>,
    /// Requests in flight and unsent reports at shutdown. Default 10 s.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(5),
            header: Duration::from_secs(5),
            idle: Duration::from_secs(300),
            stall: Duration::from_secs(300),
            check: Duration::from_millis(200),
            connect: Duration::from_secs(5),
            response: None,
            drain: Duration::from_secs(10),
        }
    }
}
