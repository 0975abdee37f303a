//! The runtime itself: what serves, and the telemetry around it.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;
use weir_adapters::{Emitted, Host, HostOptions, Outlet};
use weir_config::LastGood;
use weir_policy::{Keys, ReasonCode};
use weir_telemetry::{
    CHECK_SECONDS, Count, DecisionLog, DecisionLogOptions, Families, Histogram, Redactor, ReportOptions, Reports,
    SelfMetrics, SelfMetricsOptions, Series, Sinks, Target,
    sinks::{
        log::LogSink,
        otlp::{Otlp, OtlpOptions},
    },
};

use crate::{
    Door, Error, Setup,
    apply::{self, Applied},
    check, keys, plugins, report,
    snapshot::Snapshot,
    translate::{self, FamilyIds},
};

/// Decides, takes reports, and swaps its snapshot as the configuration changes.
#[derive(Debug)]
pub struct Runtime {
    pub(crate) snapshot: ArcSwapOption<Snapshot>,
    /// The keys of token issuers that were fetched so far.
    pub(crate) keys: ArcSwap<Keys>,
    pub(crate) setup: Setup,
    pub(crate) host: Host,
    pub(crate) metrics: Arc<SelfMetrics>,
    pub(crate) frame_errors: Arc<Series<Count>>,
    pub(crate) provider_calls: Arc<Series<Count>>,
    pub(crate) provider_seconds: Arc<Series<Histogram>>,
    pub(crate) decisions: Arc<DecisionLog>,
    pub(crate) reports: Reports,
    pub(crate) sinks: Sinks,
    pub(crate) last_good: LastGood,
    /// The live metric families of adapters.
    pub(crate) families: ArcSwap<FamilyIds>,
    /// Held while generations of plugins are put into service, one after the other; never by a request.
    pub(crate) installing: tokio::sync::Mutex<()>,
    /// Generations of plugins that came into service behind a configuration.
    pub(crate) swaps: AtomicU64,
    /// What became of the newest configuration; never locked by a request.
    pub(crate) applied: Mutex<Applied>,
    pub(crate) versions: watch::Sender<Arc<str>>,
    pub(crate) ready: watch::Sender<bool>,
}

impl Runtime {
    /// Starts it: loads the folder, or what was last good, and watches. A folder that is refused does not keep it from
    /// starting: it is then not ready, or serves the last good, and says so.
    ///
    /// # Errors
    /// When the state folder, a log or the plugin host cannot be used.
    pub async fn start(setup: Setup) -> Result<Arc<Self>, Error> {
        let last_good = LastGood::open(&setup.state)?;
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| Error::Random(error.to_string()))?;
        let redactor = Arc::new(Redactor::with_key(&key)?);
        let metrics = SelfMetrics::new(SelfMetricsOptions {
            version: env!("CARGO_PKG_VERSION"),
            part: "engine",
            reasons: ReasonCode::ALL.iter().map(|code| code.as_str()).collect(),
            doors: Door::ALL.iter().map(|door| door.as_str()).collect(),
        });
        // Plugins emit outside of reports too; the runtime that takes it does not exist yet.
        let taker = Arc::new(OnceLock::<Weak<Runtime>>::new());
        let outlet: Outlet = {
            let taker = taker.clone();
            Arc::new(move |emitted| {
                if let Some(runtime) = taker.get().and_then(Weak::upgrade) {
                    runtime.let_out(emitted);
                }
            })
        };
        let cache_dir = Some(setup.state.join("compiled"));
        let host = Host::new(HostOptions { cache_dir, mask_key: Some(key), outlet: Some(outlet), fuel: false })?;
        let target = target(setup.decision_log.as_deref());
        let log = DecisionLogOptions {
            allow_ratio: setup.decision_log_sample,
            ..DecisionLogOptions::new(target, redactor.clone())
        };
        let decisions = Arc::new(DecisionLog::start(log)?);
        let runtime = Arc::new(Self {
            snapshot: ArcSwapOption::empty(),
            keys: ArcSwap::default(),
            host,
            reports: Reports::new(&ReportOptions::default()),
            sinks: sinks(&setup, &metrics, redactor)?,
            provider_calls: metrics.counters(
                "weir_provider_calls_total",
                "Questions to external authorizers, by what came of them: allowed, denied, or why there was no answer.",
                &["provider", "outcome"],
            ),
            provider_seconds: metrics.histograms(
                "weir_provider_call_seconds",
                "How long external authorizers took to answer.",
                &["provider"],
                &CHECK_SECONDS,
            ),
            frame_errors: metrics.counters(
                "weir_frame_errors_total",
                "Messages that could not be read, by the protocol that sent them.",
                &["door"],
            ),
            metrics,
            decisions,
            last_good,
            families: ArcSwap::default(),
            installing: tokio::sync::Mutex::default(),
            swaps: AtomicU64::default(),
            applied: Mutex::default(),
            versions: watch::channel("".into()).0,
            ready: watch::channel(false).0,
            setup,
        });
        let _ = taker.set(Arc::downgrade(&runtime));
        runtime.expose();
        runtime.metrics.add(Arc::new(plugins::Exposed(Arc::downgrade(&runtime))));
        apply::first(&runtime).await;
        tokio::spawn(apply::watch(Arc::downgrade(&runtime)));
        tokio::spawn(plugins::watch(Arc::downgrade(&runtime)));
        tokio::spawn(keys::work(Arc::downgrade(&runtime)));
        tokio::spawn(report::work(runtime.clone()));
        Ok(runtime)
    }

    /// Hands what a plugin emitted to the sinks. Never blocks.
    pub(crate) fn let_out(&self, emitted: Emitted) {
        self.sinks.accept(translate::emissions(emitted, &self.families.load(), check::now()));
    }

    /// Puts every account into the scrape.
    fn expose(&self) {
        self.metrics.add(self.decisions.clone());
        self.metrics.add(self.reports.ledger().clone());
        self.metrics.add(self.sinks.families().clone());
        for ledger in self.sinks.ledgers() {
            self.metrics.add(ledger);
        }
    }

    /// The version of everything that a verdict of that snapshot is decided by now.
    pub(crate) fn version_of(&self, snapshot: &Snapshot, keys: &Keys) -> Arc<str> {
        snapshot.version_with(keys, self.swaps.load(Relaxed))
    }

    /// Tells who listens that verdicts are decided by something else now; nothing when that is not so.
    pub(crate) fn announce(&self) {
        self.versions.send_if_modified(|told| {
            // Read under the lock: of two that announce, the later one tells what is true then.
            let Some(snapshot) = self.snapshot.load_full() else { return false };
            let version = self.version_of(&snapshot, &self.keys.load());
            let changed = *told != version;
            *told = version;
            changed
        });
    }

    /// The version of what verdicts are decided by: the configuration's, with that of the keys of token issuers where some
    /// were fetched; empty without a good configuration.
    #[must_use]
    pub fn snapshot_version(&self) -> Arc<str> {
        self.versions.borrow().clone()
    }

    /// Changes when another snapshot serves.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Arc<str>> {
        self.versions.subscribe()
    }

    /// Whether a good configuration serves.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Hands what is queued to the sinks and stops, within the deadline.
    pub async fn shutdown(&self, deadline: Duration) {
        self.reports.close();
        let until = tokio::time::Instant::now() + deadline;
        while self.reports.ledger().account().in_flight > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let left = || until.saturating_duration_since(tokio::time::Instant::now());
        if let Some(otlp) = self.sinks.otlp() {
            otlp.shutdown(left()).await;
        }
        let (decisions, records) = (self.decisions.flush(left()), self.sinks.log().is_none_or(|log| log.flush(left())));
        if !decisions || !records {
            tracing::error!("stopped before every line was written; the rest is lost");
        }
    }
}

fn sinks(setup: &Setup, metrics: &Arc<SelfMetrics>, redactor: Arc<Redactor>) -> Result<Sinks, Error> {
    let log = match target(setup.log_records.as_deref()) {
        Target::Off => None,
        target => Some(LogSink::start(target)?),
    };
    let endpoint = setup.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty());
    let handle = tokio::runtime::Handle::current();
    let otlp = endpoint.map(|endpoint| Otlp::start(OtlpOptions::new(endpoint, "weir"), Some(metrics.clone()), &handle));
    Ok(Sinks::new(Arc::new(Families::default()), redactor, log, otlp.transpose()?))
}

fn target(path: Option<&Path>) -> Target {
    path.map_or(Target::Off, |path| Target::parse(&path.to_string_lossy()))
}
