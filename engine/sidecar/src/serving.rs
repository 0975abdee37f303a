//! Starts everything, and ends it without losing what is in flight.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Instant,
};

use axum::Router;
use tokio::{task::JoinHandle, time::timeout};
use weir_listen::{ClientCertificate, Counts, Limits, Listener, Running, TlsFiles, TlsSwap, Workers};
use weir_proto::v1::WatchRequest;
use weir_telemetry::{Gathered, Ledger, Loss, Room, Source as _, Target, Writer};

use crate::{
    Error,
    access_log::{Format, Line},
    cache::Cache,
    check_hook::{CheckHook, Link, State as LinkState, Watch},
    connection::own_id,
    engine::Engine,
    filters::{self, Lane},
    limits, listener,
    metrics::{Counters, counter, gauge},
    options::{Options, Tls},
    peers::Peers,
    report_hook::ReportHook,
    upstream, wire,
    worker::{Shared, Worker},
};

/// Where a sidecar listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Where clients connect.
    pub http: SocketAddr,
    /// The admin port.
    pub admin: SocketAddr,
    /// The health port.
    pub health: SocketAddr,
}

/// A sidecar that serves. Dropping it stops it without a drain.
#[derive(Debug)]
pub struct Serving {
    state: Arc<State>,
    listener: Running,
    side: Vec<JoinHandle<()>>,
    reporter: Option<JoinHandle<()>>,
    /// The threads end with it, and what they still do is cut.
    workers: Workers,
}

/// What the admin and health ports show.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) shared: Arc<Shared>,
    pub(crate) addresses: Addresses,
    pub(crate) listener: Arc<Counts>,
    pub(crate) tls: Option<Arc<TlsSwap>>,
    pub(crate) workers: usize,
    pub(crate) began: Instant,
    link: Option<Arc<Link>>,
    draining: AtomicBool,
}

/// Starts a sidecar: binds its ports, starts its workers, and begins to reach the engine in the background. Call it on a
/// tokio runtime that lives as long as the sidecar.
///
/// # Errors
/// A port that is busy (the error names the port and the flag), files that cannot be read, URLs that are none.
pub async fn start(options: Options) -> Result<Serving, Error> {
    let target = upstream::Target::read(&options.upstream)?;
    let engine = options.engine.as_ref().map(|uri| Engine::new(uri, options.engine_tls.as_ref())).transpose()?;
    let tls = options.tls.as_ref().map(load_tls).transpose()?;
    let bound = Bound {
        listen: Listener::bind(options.listen, "--listen")?,
        admin: bind(options.admin, "--admin").await?,
        health: bind(options.health, "--health").await?,
    };
    let workers = if options.workers == 0 { Workers::start_all() } else { Workers::start(options.workers) }?;
    let access_log = open_log(&options, target.port())?;
    let counters = Counters::new();
    let (filters, lanes) = filters::start(&options, target.port(), workers.count(), &counters).await?;
    let shared = Arc::new(Shared {
        counters,
        filters,
        cache: Arc::new(Cache::new()),
        peers: Peers::new(tls.clone(), options.tls.as_ref().is_some_and(|tls| tls.only)),
        reports: engine.is_some().then(|| ReportHook::new(&options.workload, &options.proxy)),
        access_log,
        target,
        options,
    });
    let reporter = match (&engine, &shared.reports) {
        (Some(engine), Some(reports)) => Some(tokio::spawn(Arc::clone(reports).run(engine.clone()))),
        _ => None,
    };
    serve(shared, lanes, engine, tls, bound, workers, reporter)
}

/// The ports, before anybody serves them.
struct Bound {
    listen: Listener,
    admin: (tokio::net::TcpListener, SocketAddr),
    health: (tokio::net::TcpListener, SocketAddr),
}

fn serve(
    shared: Arc<Shared>,
    lanes: Vec<Lane>,
    engine: Option<Engine>,
    tls: Option<Arc<TlsSwap>>,
    bound: Bound,
    workers: Workers,
    reporter: Option<JoinHandle<()>>,
) -> Result<Serving, Error> {
    let addresses = Addresses { http: bound.listen.local_addr(), admin: bound.admin.1, health: bound.health.1 };
    // A stream without checks: it tells of new snapshots, of our workload's peers, and whether the engine is there.
    let link = engine.as_ref().map(|engine| {
        let watch = watch(&shared, addresses.http);
        Link::open(engine.clone(), Arc::clone(&shared.cache), Some(watch))
    });
    let mine = start_workers(&workers, &shared, lanes, engine.as_ref());
    let listener = accept(bound.listen, &workers, &shared, tls.clone(), mine);
    let state = Arc::new(State {
        addresses,
        listener: Arc::clone(listener.counts()),
        tls: tls.clone(),
        workers: workers.count(),
        began: Instant::now(),
        link,
        draining: AtomicBool::new(false),
        shared,
    });
    let mut side = vec![
        tokio::spawn(side_port(bound.admin.0, crate::admin::routes(Arc::clone(&state)))),
        tokio::spawn(side_port(bound.health.0, crate::health::routes(Arc::clone(&state)))),
    ];
    side.extend(tls.map(|tls| tokio::spawn(tls.watch())));
    Ok(Serving { state, listener, side, reporter, workers })
}

/// What is asked of the engine about our workload: by its name, else by where we listen and who we are.
fn watch(shared: &Shared, local: SocketAddr) -> Watch {
    let own = shared.options.tls.as_ref().and_then(|tls| own_id(&tls.certificate));
    let request = WatchRequest {
        workload: wire::workload(&shared.options.workload),
        proxy: shared.options.proxy.clone(),
        destination_address: local.to_string(),
        destination_principal: own.unwrap_or_default(),
    };
    Watch { request, peers: Arc::clone(&shared.peers) }
}

fn load_tls(tls: &Tls) -> Result<Arc<TlsSwap>, Error> {
    let files = TlsFiles { cert: tls.certificate.clone(), key: tls.key.clone(), client_ca: tls.client_ca.clone() };
    Ok(TlsSwap::load(files, &[b"h2", b"http/1.1"], ClientCertificate::Required)?)
}

fn open_log(options: &Options, port: u16) -> Result<Option<Writer<Box<Line>>>, Error> {
    if options.access_log == Target::Off {
        return Ok(None);
    }
    let room = Room { records: limits::LOG_LINES_MAX, bytes: limits::LOG_BYTES_MAX };
    let ledger = Ledger::new("weir_sidecar_access_log", "Access-log lines", &[Loss::QueueFull, Loss::WriteFailed]);
    let (to, format) = (options.access_log.clone(), Format::new(options.log_format, port));
    Ok(Some(Writer::start("weir-access-log", room, to, ledger, format)?))
}

async fn bind(address: SocketAddr, flag: &'static str) -> Result<(tokio::net::TcpListener, SocketAddr), Error> {
    let failed = |source: std::io::Error| match source.kind() {
        std::io::ErrorKind::AddrInUse => weir_listen::Error::Busy { address, flag },
        _ => weir_listen::Error::Bind { address, flag, source },
    };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}

async fn side_port(listener: tokio::net::TcpListener, routes: Router) {
    // It ends with its task.
    let _ = axum::serve(listener, routes).await;
}

/// What each worker keeps, made on the worker itself.
fn start_workers(
    workers: &Workers,
    shared: &Arc<Shared>,
    lanes: Vec<Lane>,
    engine: Option<&Engine>,
) -> Vec<Arc<Worker>> {
    // One for each worker, or none at all.
    let mut lanes = lanes.into_iter().map(|lane| lane.run(workers));
    let mine: Vec<_> = (0..workers.count()).map(|_| Arc::new(Worker::new(Arc::clone(shared), lanes.next()))).collect();
    for (index, worker) in mine.iter().enumerate() {
        let Some(engine) = engine.cloned() else { continue };
        let (worker, shared) = (Arc::clone(worker), Arc::clone(shared));
        workers.spawn(index, move || {
            worker.set_check(CheckHook::new(&engine, &shared.options, &shared.cache));
            std::future::ready(())
        });
    }
    mine
}

fn accept(
    listener: Listener,
    workers: &Workers,
    shared: &Arc<Shared>,
    tls: Option<Arc<TlsSwap>>,
    mine: Vec<Arc<Worker>>,
) -> Running {
    let files = shared.options.tls.as_ref().map(|tls| tls.certificate.clone());
    let peers = Arc::clone(&shared.peers);
    let timeouts = &shared.options.timeouts;
    let limits =
        Limits { connections: limits::CONNECTIONS_MAX, first_byte: timeouts.first_byte, handshake: timeouts.header };
    // Our own identity, read again when the files were swapped.
    let own = Mutex::new((0, files.as_deref().and_then(own_id)));
    let own_now = move || {
        let (Some(tls), Some(files)) = (&tls, &files) else { return None };
        let (swaps, mut own) = (tls.status().swaps, own.lock().unwrap_or_else(PoisonError::into_inner));
        if own.0 != swaps {
            *own = (swaps, own_id(files));
        }
        own.1.clone()
    };
    let security = move |local: SocketAddr| peers.security(local.port());
    listener.serve(workers, security, limits, move |connection| {
        let worker = mine.get(connection.worker % mine.len().max(1)).cloned();
        let own = connection.tls.as_ref().and_then(|_| own_now());
        async move {
            if let Some(worker) = worker {
                listener::serve(worker, connection, own).await;
            }
        }
    })
}

impl State {
    /// Whether requests should be sent here: not draining, and the engine (if there is one) was reached or is not needed.
    pub(crate) fn is_ready(&self) -> bool {
        !self.is_draining() && self.link.as_ref().is_none_or(|link| link.was_up() || self.shared.options.fail_open)
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    pub(crate) fn engine_reached(&self) -> bool {
        self.link.as_ref().is_some_and(|link| *link.state().borrow() == LinkState::Up)
    }

    /// All metrics as they stand.
    pub(crate) fn gather(&self) -> Vec<Gathered> {
        let mut all = Vec::new();
        self.shared.counters.gather(&mut all);
        filters::gather(&self.shared.filters, &mut all);
        let cache = self.shared.cache.status();
        let count = |name, help, value: u64| counter(name, help).with(&[], value as f64);
        all.push(gauge("weir_sidecar_cache_entries", "Verdicts kept.", cache.entries as f64));
        all.push(count("weir_sidecar_cache_hits_total", "Checks that the cache answered.", cache.hits));
        all.push(count("weir_sidecar_cache_misses_total", "Checks that the cache did not answer.", cache.misses));
        all.push(count("weir_sidecar_cache_flushes_total", "Times that all verdicts were forgotten.", cache.flushes));
        if self.link.is_some() {
            let up = f64::from(u8::from(self.engine_reached()));
            all.push(gauge("weir_sidecar_engine_reached", "Whether the engine is reached.", up));
        }
        let seen = self.listener.read();
        all.push(gauge("weir_sidecar_connections", "Client connections that are open.", seen.open as f64));
        all.push(count("weir_sidecar_connections_accepted_total", "Client connections accepted.", seen.accepted));
        let refused = counter("weir_sidecar_connections_refused_total", "Client connections closed before a request.");
        let reasons = [
            ("over-limit", seen.over_limit),
            ("silent", seen.silent),
            ("handshake", seen.handshake_failed),
            ("plaintext", seen.plaintext_refused),
            ("tls", seen.tls_refused),
        ];
        all.push(
            reasons.iter().fold(refused, |family, (reason, count)| family.with(&[("reason", reason)], *count as f64)),
        );
        if let Some(reports) = &self.shared.reports {
            reports.ledger().gather(&mut all);
        }
        if let Some(log) = &self.shared.access_log {
            log.ledger().gather(&mut all);
        }
        all
    }
}

impl Serving {
    /// Where it listens, with the ports that were picked.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.state.addresses
    }

    /// Whether it should get requests: the engine, if there is one, was reached at least once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state.is_ready()
    }

    /// Returns when it is ready; wrap it in a timeout.
    pub async fn ready(&self) {
        let Some(link) = self.state.link.as_ref().filter(|_| !self.state.is_ready()) else { return };
        let _ = link.state().wait_for(|state| *state == LinkState::Up).await;
    }

    /// The metrics as Prometheus reads them.
    #[must_use]
    pub fn metrics(&self) -> String {
        weir_telemetry::sinks::prometheus::render(&self.state.gather())
    }

    /// Stops accepting, lets requests in flight finish within the drain timeout, sends what reports are left, writes the
    /// access log. Returns how many connections were cut.
    pub async fn shutdown(self) -> usize {
        let Self { state, listener, side, reporter, workers } = self;
        state.draining.store(true, Relaxed);
        let limit = state.shared.options.timeouts.drain;
        let until = tokio::time::Instant::now() + limit;
        let cut = listener.drain(limit).await;
        drop(workers);
        if let (Some(reports), Some(mut reporter)) = (&state.shared.reports, reporter) {
            reports.stop();
            let left = until.saturating_duration_since(tokio::time::Instant::now()).max(limits::FLUSH_MIN);
            if timeout(left, &mut reporter).await.is_err() {
                reporter.abort();
                let _ = reporter.await;
                reports.give_up();
            }
        }
        if state.shared.access_log.is_some() {
            let shared = Arc::clone(&state.shared);
            let flush = move || shared.access_log.as_ref().is_none_or(|log| log.flush(limits::FLUSH_MIN));
            let _ = tokio::task::spawn_blocking(flush).await;
        }
        for task in side {
            task.abort();
        }
        cut
    }
}
