//! Opens every door, and closes them without losing what is in flight.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use weir_listen::{ClientCertificate, Counts, Limits, Listener, Running, Security, TlsFiles, TlsSwap, Workers};
use weir_runtime::Runtime;

use crate::{Error, access_log, admin, ext_authz::ExtAuthz, grpc, health, metrics, routes, side};

/// How long an answer on a side port may take at the end.
const SIDE_DRAIN: Duration = Duration::from_millis(500);

/// Changes the log level while the process runs; the error says what a level looks like.
pub type SetLevel = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Where the engine listens, and how safely.
#[derive(Clone)]
pub struct Options {
    /// All gRPC services.
    pub grpc: SocketAddr,
    /// Status, configuration, decisions.
    pub admin: SocketAddr,
    /// Health.
    pub health: SocketAddr,
    /// Metrics.
    pub metrics: SocketAddr,
    /// The gRPC port's certificate; none: plaintext.
    pub tls: Option<TlsFiles>,
    /// Takes plaintext on an address that others reach.
    pub insecure: bool,
    /// How long requests in flight may take at the end.
    pub drain: Duration,
    /// The level that the process began with.
    pub level: String,
    /// Changes the log level.
    pub set_level: SetLevel,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("grpc", &self.grpc).field("tls", &self.tls).finish_non_exhaustive()
    }
}

/// Where the engine really listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// All gRPC services.
    pub grpc: SocketAddr,
    /// The admin port.
    pub admin: SocketAddr,
    /// The health port.
    pub health: SocketAddr,
    /// The metrics port.
    pub metrics: SocketAddr,
}

/// An engine whose doors are open.
#[derive(Debug)]
pub struct Serving {
    addresses: Addresses,
    listener: Running,
    doors: Arc<Doors>,
    side: Vec<Running>,
    watch: Option<JoinHandle<()>>,
    drain: Duration,
}

/// What the admin and health ports know of the doors.
pub(crate) struct Doors {
    runtime: Arc<Runtime>,
    grpc: SocketAddr,
    tls: Option<Arc<TlsSwap>>,
    mutual: bool,
    counts: Arc<Counts>,
    skipped: Arc<access_log::Skipped>,
    draining: AtomicBool,
    level: Mutex<String>,
    set_level: SetLevel,
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").field("grpc", &self.grpc).finish_non_exhaustive()
    }
}

/// Opens the doors. Call it on a tokio runtime that lives as long as they are open.
///
/// # Errors
/// A busy port (named, with its flag), a certificate that cannot be used, plaintext where it was not asked for.
pub async fn start(runtime: Arc<Runtime>, options: Options) -> Result<Serving, Error> {
    if options.tls.is_none() && !options.grpc.ip().is_loopback() {
        if !options.insecure {
            return Err(Error::Plaintext(options.grpc));
        }
        tracing::warn!(address = %options.grpc, "the gRPC port is plaintext and not loopback (--insecure)");
    }
    let tls =
        options.tls.clone().map(|files| TlsSwap::load(files, &[b"h2"], ClientCertificate::Required)).transpose()?;
    let listener = Listener::bind(options.grpc, "--grpc")?;
    let admin = Listener::bind(options.admin, "--admin")?;
    let health = Listener::bind(options.health, "--health")?;
    let metrics = Listener::bind(options.metrics, "--metrics")?;
    let addresses = Addresses {
        grpc: listener.local_addr(),
        admin: admin.local_addr(),
        health: health.local_addr(),
        metrics: metrics.local_addr(),
    };
    let skipped = Arc::<access_log::Skipped>::default();
    let routes = routes::routes(&runtime, &skipped)?;
    let front = Arc::new(grpc::Front { checks: ExtAuthz { runtime: runtime.clone() }, routes });
    let security = tls.clone().map_or(Security::Plaintext, Security::Tls);
    let workers = Workers::start_all()?;
    let listener = listener.serve(
        &workers,
        move |_| security.clone(),
        Limits::default(),
        move |connection| grpc::serve(front.clone(), connection),
    );
    let doors = Arc::new(Doors {
        runtime: runtime.clone(),
        grpc: addresses.grpc,
        mutual: options.tls.as_ref().is_some_and(|files| files.client_ca.is_some()),
        tls: tls.clone(),
        counts: listener.counts().clone(),
        skipped,
        draining: AtomicBool::new(false),
        level: Mutex::new(options.level),
        set_level: options.set_level,
    });
    let beside = Workers::start(1)?;
    let side = vec![
        side::serve(admin, &beside, admin::routes(runtime.clone(), doors.clone())),
        side::serve(health, &beside, health::routes(doors.clone())),
        side::serve(metrics, &beside, metrics::routes(runtime, doors.clone())),
    ];
    let watch = tls.map(|tls| tokio::spawn(tls.watch()));
    Ok(Serving { addresses, listener, doors, side, watch, drain: options.drain })
}

impl Serving {
    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Stops taking connections and lets what is in flight finish within the drain time. Not ready from the first moment.
    pub async fn shutdown(self) {
        self.doors.draining.store(true, Relaxed);
        let cut = self.listener.drain(self.drain).await;
        if cut > 0 {
            tracing::warn!(connections = cut, "cut off at the end of the drain time");
        }
        for port in self.side {
            port.drain(SIDE_DRAIN).await;
        }
        if let Some(watch) = self.watch {
            watch.abort();
        }
    }
}

impl Doors {
    /// Whether checks should be sent here, else why not.
    pub(crate) fn ready(&self) -> Result<(), &'static str> {
        if self.draining.load(Relaxed) {
            return Err("draining\n");
        }
        if !*self.runtime.ready().borrow() {
            return Err("no good configuration: see /status on the admin port\n");
        }
        Ok(())
    }

    pub(crate) fn level(&self) -> String {
        format!("{}\n", self.level.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_level(&self, level: &str) -> Result<(), String> {
        (self.set_level)(level)?;
        tracing::info!(level, "log level changed");
        level.clone_into(&mut self.level.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// What the gRPC port has seen.
    pub(crate) fn counts(&self) -> weir_listen::Reading {
        self.counts.read()
    }

    /// How the certificate's files are; none on plaintext.
    pub(crate) fn tls(&self) -> Option<weir_listen::TlsStatus> {
        self.tls.as_ref().map(|tls| tls.status())
    }

    /// Access log entries that are no reports.
    pub(crate) fn skipped(&self) -> &access_log::Skipped {
        &self.skipped
    }

    /// How the gRPC port is.
    pub(crate) fn status(&self) -> Value {
        let counts = self.counts();
        let security = match (&self.tls, self.mutual) {
            (None, _) => "plaintext",
            (Some(_), false) => "tls",
            (Some(_), true) => "mtls",
        };
        let tls = self.tls();
        json!({
            "grpc": self.grpc.to_string(),
            "security": security,
            "insecure": self.tls.is_none() && !self.grpc.ip().is_loopback(),
            "connections": {"open": counts.open, "accepted": counts.accepted},
            "tls": tls.map(|tls| json!({"swaps": tls.swaps, "failures": tls.failures, "problem": tls.problem})),
        })
    }
}
