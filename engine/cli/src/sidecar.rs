//! `weir sidecar`: the bundled proxy.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use http::Uri;
use weir_sidecar::{CheckMode, EngineTls, LogFormat, Normalization, Options, Target, Timeouts, Tls};

use crate::{failure::Failure, logging, serve::stop_signal};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    Stream,
    Unary,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Paths {
    None,
    Base,
    MergeSlashes,
    DecodeAndMergeSlashes,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Runs the bundled proxy in front of one upstream.
#[derive(Debug, Args)]
pub(crate) struct Sidecar {
    /// Where clients connect; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The one upstream: host:port.
    #[arg(long, value_name = "HOST:PORT")]
    upstream: Uri,
    /// The engine: http://host:port, or https:// with --engine-ca.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9091", conflicts_with = "no_check")]
    engine: Uri,
    /// PEM roots of the engine's certificate, for an https engine.
    #[arg(long, value_name = "FILE")]
    engine_ca: Option<PathBuf>,
    /// PEM chain and key that prove this proxy to the engine (mTLS).
    #[arg(long, num_args = 2, value_names = ["CERT", "KEY"], requires = "engine_ca")]
    engine_identity: Vec<PathBuf>,
    /// Forwards without asking anybody; for measuring the proxy alone.
    #[arg(long)]
    no_check: bool,
    /// The Workload (`NAME` or `NAMESPACE/NAME`) that this proxy stands in front of.
    #[arg(long, value_name = "NAME")]
    workload: String,
    /// Status, limits, metrics.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:15000")]
    admin: SocketAddr,
    /// /healthz/ready and /healthz/live.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:15020")]
    health: SocketAddr,
    /// PEM chain of this proxy's certificate; watched. With it the port takes TLS only, unless --plaintext-too or a
    /// PeerAuthentication of the workload says otherwise.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM key of this proxy's certificate; watched.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// PEM roots that a client's certificate must come from (mTLS); watched.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
    /// Takes plaintext on the same port as TLS where no PeerAuthentication decides; such a client has no identity.
    #[arg(long, requires = "tls_cert")]
    plaintext_too: bool,
    /// One stream for all checks, or one call for each.
    #[arg(long, value_enum, default_value_t = Mode::Stream)]
    check_mode: Mode,
    /// Lets requests pass when the engine cannot be asked. The default is to answer 503.
    #[arg(long)]
    fail_open: bool,
    /// Asks the engine about every request, also when an equal one has just been answered.
    #[arg(long)]
    no_cache: bool,
    /// How long a check may take, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 200)]
    check_timeout_ms: u64,
    /// One line for each request: a file, - for standard output, or off.
    #[arg(long, value_name = "FILE|-|off", default_value = "-")]
    access_log: String,
    /// The access log's lines: Istio's default text format, or JSON.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    access_log_format: Format,
    /// How paths are normalized before they are checked and sent; as MeshConfig.pathNormalization.
    #[arg(long, value_enum, default_value_t = Paths::Base)]
    path_normalization: Paths,
    /// Sends requests through the proxy-wasm filters that this YAML file names.
    #[arg(long, value_name = "FILE")]
    filters: Option<PathBuf>,
    /// error, warn, info, debug or trace, or a filter.
    #[arg(long, value_name = "LEVEL", env = "WEIR_LOG", default_value = "info")]
    log_level: String,
    /// How long requests under way may take when the proxy is asked to stop, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    drain: u64,
}

impl Sidecar {
    pub(crate) fn run(self) -> Result<(), Failure> {
        logging::start(&self.log_level)?;
        let executor =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::unreachable)?;
        executor.block_on(async move {
            let serving = weir_sidecar::start(self.options()).await.map_err(Failure::unreachable)?;
            let addresses = serving.addresses();
            println!("http {}\nadmin {}\nhealth {}\nready", addresses.http, addresses.admin, addresses.health);
            stop_signal().await;
            tracing::info!("asked to stop: draining");
            serving.shutdown().await;
            Ok(())
        })
    }

    fn options(self) -> Options {
        let tls = self.tls_cert.zip(self.tls_key).map(|(certificate, key)| Tls {
            certificate,
            key,
            client_ca: self.client_ca,
            only: !self.plaintext_too,
        });
        let mut identity = self.engine_identity.into_iter();
        let identity = identity.next().zip(identity.next());
        let timeouts = Timeouts {
            check: Duration::from_millis(self.check_timeout_ms),
            drain: Duration::from_secs(self.drain),
            ..Timeouts::default()
        };
        Options {
            engine: (!self.no_check).then_some(self.engine),
            engine_tls: self.engine_ca.map(|ca| EngineTls { ca, identity, server_name: None }),
            workload: self.workload,
            admin: self.admin,
            health: self.health,
            tls,
            fail_open: self.fail_open,
            check_mode: match self.check_mode {
                Mode::Stream => CheckMode::Stream,
                Mode::Unary => CheckMode::Unary,
            },
            cache: !self.no_cache,
            timeouts,
            normalization: match self.path_normalization {
                Paths::None => Normalization::None,
                Paths::Base => Normalization::Base,
                Paths::MergeSlashes => Normalization::MergeSlashes,
                Paths::DecodeAndMergeSlashes => Normalization::DecodeAndMergeSlashes,
            },
            access_log: Target::parse(&self.access_log),
            log_format: match self.access_log_format {
                Format::Text => LogFormat::Text,
                Format::Json => LogFormat::Json,
            },
            filters: self.filters,
            ..Options::new(self.listen, self.upstream)
        }
    }
}
