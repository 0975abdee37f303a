//! `weir serve`: the engine.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use weir_runtime::{Runtime, Setup};
use weir_server::{Options, TlsFiles};

use crate::{failure::Failure, logging};

/// Runs the engine: answers checks, takes reports, watches its configuration.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The folder of YAML that is the configuration; watched.
    #[arg(long, value_name = "DIR", env = "WEIR_CONFIG")]
    config: PathBuf,
    /// Where the last good configuration, compiled plugins and keys are kept.
    #[arg(long, value_name = "DIR", env = "WEIR_STATE", default_value = ".weir")]
    state: PathBuf,
    /// Where `source.file` of an Adapter is looked for when it is not beside its YAML.
    #[arg(long, value_name = "DIR", env = "WEIR_PLUGIN_DIR")]
    plugin_dir: Option<PathBuf>,
    /// All gRPC services; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9091")]
    grpc: SocketAddr,
    /// Status, configuration, plugins, limits, decisions, log level.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9876")]
    admin: SocketAddr,
    /// /healthz/ready and /healthz/live.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9877")]
    health: SocketAddr,
    /// /metrics for Prometheus.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9878")]
    metrics: SocketAddr,
    /// PEM chain of the gRPC port's certificate; watched.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM key of the gRPC port's certificate; watched.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// PEM roots that a client's certificate must come from (mTLS); watched.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
    /// Accepts plaintext on a gRPC address that is not loopback.
    #[arg(long)]
    insecure: bool,
    /// Accepts a configuration without any policy, and one that loses every policy at once.
    #[arg(long)]
    allow_empty: bool,
    /// The Workload (`NAME` or `NAMESPACE/NAME`) of a check that names none.
    #[arg(long, value_name = "NAME")]
    default_workload: Option<String>,
    /// Where decisions are logged as JSON lines: a file, or - for standard output.
    #[arg(long, value_name = "FILE|-")]
    decision_log: Option<PathBuf>,
    /// The share of allowed requests that is logged, 0 to 1; denied ones always are.
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    decision_log_sample: f64,
    /// Where log records of adapters go as JSON lines: a file, or - for standard output.
    #[arg(long, value_name = "FILE|-")]
    log_records: Option<PathBuf>,
    /// An OTLP gRPC endpoint for traces, metrics and logs, such as http://127.0.0.1:4317.
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,
    /// error, warn, info, debug or trace, or a filter such as info,weir_runtime=debug.
    #[arg(long, value_name = "LEVEL", env = "WEIR_LOG", default_value = "info")]
    log_level: String,
    /// How many times longer a plugin may take than its own limit says; for unoptimised builds and slow machines.
    #[arg(long, value_name = "FACTOR", default_value_t = 1)]
    plugin_patience: u32,
    /// How long requests under way may take when the engine is asked to stop, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    drain: u64,
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let set_level = logging::start(&self.log_level)?;
        let executor = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(Failure::unreachable)?;
        executor.block_on(async move {
            let drain = Duration::from_secs(self.drain);
            let options = self.options(set_level, drain);
            let runtime = Runtime::start(self.setup()).await.map_err(Failure::unreachable)?;
            let serving = weir_server::start(Arc::clone(&runtime), options).await.map_err(Failure::unreachable)?;
            let addresses = serving.addresses();
            println!(
                "grpc {}\nadmin {}\nhealth {}\nmetrics {}\nready",
                addresses.grpc, addresses.admin, addresses.health, addresses.metrics
            );
            stop_signal().await;
            tracing::info!("asked to stop: draining");
            serving.shutdown().await;
            runtime.shutdown(drain).await;
            Ok(())
        })
    }

    fn options(&self, set_level: logging::SetLevel, drain: Duration) -> Options {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => {
                Some(TlsFiles { cert: cert.clone(), key: key.clone(), client_ca: self.tls_client_ca.clone() })
            }
            _ => None,
        };
        Options {
            grpc: self.grpc,
            admin: self.admin,
            health: self.health,
            metrics: self.metrics,
            tls,
            insecure: self.insecure,
            drain,
            level: self.log_level.clone(),
            set_level,
        }
    }

    fn setup(self) -> Setup {
        Setup {
            config: self.config,
            state: self.state,
            plugin_dir: self.plugin_dir,
            allow_empty: self.allow_empty,
            default_workload: self.default_workload,
            decision_log: self.decision_log,
            decision_log_sample: self.decision_log_sample,
            log_records: self.log_records,
            otlp_endpoint: self.otlp_endpoint,
            plugin_patience: self.plugin_patience,
        }
    }
}

/// Resolves when the process is asked to stop: Ctrl-C, or SIGTERM on Unix.
pub(crate) async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
