//! Weir's own metrics: what the engine and the sidecar count about themselves.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{Cell, Count, Gathered, Gauge, Grid, Histogram, Kind, Reading, Sample, Series, Source, tidy};

/// Most series of one of Weir's own families with labels that come from outside; the rest is counted as `other`.
pub const OWN_SERIES_MAX: usize = 1_000;
/// Buckets of durations of checks and of adapter calls, in seconds.
pub const CHECK_SECONDS: [f64; 14] =
    [5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 5e-2, 0.1, 1.0];

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The request may pass.
    Allow,
    /// It may not.
    Deny,
    /// No decision could be made, so it may not pass either.
    Error,
}

/// What Weir's own metrics need to know in advance.
#[derive(Clone, Debug)]
pub struct SelfMetricsOptions {
    /// The version of the program.
    pub version: &'static str,
    /// The program's part: `engine` or `sidecar`.
    pub part: &'static str,
    /// Every reason code; a check gives its index.
    pub reasons: Vec<&'static str>,
    /// Every protocol that asks; a check gives its index.
    pub doors: Vec<&'static str>,
}

/// One family with labels.
struct Owned<C> {
    name: &'static str,
    help: &'static str,
    series: Arc<Series<C>>,
}

impl<C: Cell> Source for Owned<C> {
    fn gather(&self, into: &mut Vec<Gathered>) {
        into.push(Gathered { samples: self.series.samples(), ..Gathered::new(self.name, self.help, C::KIND) });
    }
}

/// Weir's own metrics. Counting takes no lock that a scrape holds.
pub struct SelfMetrics {
    options: SelfMetricsOptions,
    checks: Grid,
    check_seconds: Histogram,
    rule_errors: Arc<Series<Count>>,
    doubt: Arc<Series<Count>>,
    config_loads: Arc<Series<Count>>,
    config_rejected: Arc<Gauge>,
    config_time: Arc<Gauge>,
    ready: Arc<Gauge>,
    adapter_calls: Arc<Series<Count>>,
    adapter_seconds: Arc<Series<Histogram>>,
    panics: Arc<Count>,
    sources: Mutex<Vec<Arc<dyn Source>>>,
}

impl std::fmt::Debug for SelfMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SelfMetrics").field("options", &self.options).finish_non_exhaustive()
    }
}

impl SelfMetrics {
    /// All at zero.
    #[must_use]
    pub fn new(options: SelfMetricsOptions) -> Arc<Self> {
        let mut sources: Vec<Arc<dyn Source>> = Vec::new();
        let add = &mut sources;
        let gauge = |add: &mut _, name, help| owned(add, name, help, &[], 1, Gauge::default).cell(&[]);
        let seconds = || Histogram::new(&CHECK_SECONDS);
        let most = OWN_SERIES_MAX;
        Arc::new(Self {
            checks: Grid::new([&["allow", "deny", "error"], &options.reasons, &options.doors]),
            check_seconds: Histogram::sharded(&CHECK_SECONDS),
            rule_errors: owned(add, RULE_ERRORS.0, RULE_ERRORS.1, &["policy", "rule"], most, Count::default),
            doubt: owned(add, DOUBT.0, DOUBT.1, &["kind", "proxy"], most, Count::default),
            config_loads: owned(add, CONFIG_LOADS.0, CONFIG_LOADS.1, &["result"], 2, Count::default),
            config_rejected: gauge(add, CONFIG_REJECTED.0, CONFIG_REJECTED.1),
            config_time: gauge(add, CONFIG_TIME.0, CONFIG_TIME.1),
            ready: gauge(add, READY.0, READY.1),
            adapter_calls: owned(add, ADAPTER_CALLS.0, ADAPTER_CALLS.1, &ADAPTER_LABELS, most, Count::default),
            adapter_seconds: owned(add, ADAPTER_SECONDS.0, ADAPTER_SECONDS.1, &["adapter", "phase"], most, seconds),
            panics: owned(add, PANICS.0, PANICS.1, &[], 1, Count::default).cell(&[]),
            options,
            sources: Mutex::new(sources),
        })
    }

    /// One check is done: its outcome, the indexes of its reason and its door in the lists that were given, its duration.
    pub fn check(&self, outcome: CheckOutcome, reason: usize, door: usize, took: Duration) {
        self.checks.add([outcome as usize, reason, door]);
        self.check_seconds.observe(took.as_secs_f64());
    }

    /// A rule failed so many times since the last call.
    pub fn rule_errors(&self, policy: &str, rule: &str, count: u64) {
        self.rule_errors.cell(&[policy, rule]).add(count);
    }

    /// A proxy left something in doubt: `path` or `headers`.
    pub fn doubt(&self, kind: &'static str, proxy: &str) {
        self.doubt.cell(&[kind, proxy]).add(1);
    }

    /// A configuration was taken (`at` in seconds since 1970) or, with none, refused while the old one serves on.
    pub fn config_loaded(&self, at: Option<f64>) {
        self.config_loads.cell(&[if at.is_some() { "accepted" } else { "rejected" }]).add(1);
        self.config_rejected.set(if at.is_some() { 0.0 } else { 1.0 });
        if let Some(at) = at {
            self.config_time.set(at);
        }
    }

    /// Whether the process serves.
    pub fn ready(&self, ready: bool) {
        self.ready.set(f64::from(u8::from(ready)));
    }

    /// The counters of one adapter in one phase (`enrich`, `check` or `report`); keep them with the adapter.
    #[must_use]
    pub fn adapter(&self, adapter: &str, phase: &'static str) -> AdapterMetrics {
        let call = |outcome| self.adapter_calls.cell(&[adapter, phase, outcome]);
        AdapterMetrics {
            ok: call("ok"),
            failed: call("failed"),
            trapped: call("trapped"),
            timed_out: call("timed_out"),
            refused: call("refused"),
            seconds: self.adapter_seconds.cell(&[adapter, phase]),
        }
    }

    /// A task panicked: a bug.
    pub fn panicked(&self) {
        self.panics.add(1);
    }

    /// A counter family of somebody else's; keep the cells whose labels are known in advance. The name ends in `_total`.
    pub fn counters(&self, name: &'static str, help: &'static str, labels: &[&str]) -> Arc<Series<Count>> {
        owned(&mut self.sources(), name, help, labels, OWN_SERIES_MAX, Count::default)
    }

    /// A gauge family of somebody else's.
    pub fn gauges(&self, name: &'static str, help: &'static str, labels: &[&str]) -> Arc<Series<Gauge>> {
        owned(&mut self.sources(), name, help, labels, OWN_SERIES_MAX, Gauge::default)
    }

    /// A histogram family of somebody else's; sharded, for the request path. The name ends in its unit.
    pub fn histograms(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[&str],
        bounds: &'static [f64],
    ) -> Arc<Series<Histogram>> {
        owned(&mut self.sources(), name, help, labels, OWN_SERIES_MAX, || Histogram::sharded(bounds))
    }

    /// Adds a source whose families are gathered too: a ledger, the decision log, the adapters' families.
    pub fn add(&self, source: Arc<dyn Source>) {
        self.sources().push(source);
    }

    /// Everything as it stands, by name. Off the request path.
    #[must_use]
    pub fn gather(&self) -> Vec<Gathered> {
        let sources = self.sources().clone();
        let mut all = Vec::new();
        for source in sources {
            source.gather(&mut all);
        }
        let mut checks = Gathered::new(CHECKS.0, CHECKS.1, Kind::Counter);
        for ([decision, reason, door], count) in self.checks.iter() {
            checks = checks.with(&[("decision", decision), ("reason", reason), ("door", door)], count as f64);
        }
        let seconds = Sample { labels: Vec::new(), reading: Reading::Distribution(self.check_seconds.get()) };
        let build = [("version", self.options.version), ("part", self.options.part)];
        all.push(checks);
        all.push(Gathered {
            samples: vec![seconds],
            ..Gathered::new(CHECK_DURATION.0, CHECK_DURATION.1, Kind::Histogram)
        });
        all.push(Gathered::new(BUILD.0, BUILD.1, Kind::Gauge).with(&build, 1.0));
        tidy(all)
    }

    fn sources(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn Source>>> {
        // Held by whoever adds a family or gathers, never by a request.
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn owned<C: Cell>(
    sources: &mut Vec<Arc<dyn Source>>,
    name: &'static str,
    help: &'static str,
    labels: &[&str],
    limit: usize,
    make: impl Fn() -> C + Send + Sync + 'static,
) -> Arc<Series<C>> {
    let series = Arc::new(Series::new(labels, limit, make));
    sources.push(Arc::new(Owned { name, help, series: Arc::clone(&series) }));
    series
}

/// The counters of one adapter in one phase. Counting takes no lock.
#[derive(Clone, Debug)]
pub struct AdapterMetrics {
    ok: Arc<Count>,
    failed: Arc<Count>,
    trapped: Arc<Count>,
    timed_out: Arc<Count>,
    refused: Arc<Count>,
    seconds: Arc<Histogram>,
}

/// How a call of an adapter ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdapterOutcome {
    /// With an answer.
    Ok,
    /// With a failure that the adapter reported, or an answer that broke the contract.
    Failed,
    /// With a trap: the instance is gone.
    Trapped,
    /// Its time was over.
    TimedOut,
    /// It was not called: too many calls, or it is held back after failures.
    Refused,
}

impl AdapterMetrics {
    /// One call is done.
    pub fn call(&self, outcome: AdapterOutcome, took: Duration) {
        let count = match outcome {
            AdapterOutcome::Ok => &self.ok,
            AdapterOutcome::Failed => &self.failed,
            AdapterOutcome::Trapped => &self.trapped,
            AdapterOutcome::TimedOut => &self.timed_out,
            AdapterOutcome::Refused => &self.refused,
        };
        count.add(1);
        self.seconds.observe(took.as_secs_f64());
    }
}

const ADAPTER_LABELS: [&str; 3] = ["adapter", "phase", "outcome"];

/// Name and help of each family.
type Words = (&'static str, &'static str);
const BUILD: Words = ("weir_build_info", "The version of this program; always 1.");
const CHECKS: Words = ("weir_checks_total", "Checks by decision, reason and the protocol that asked.");
const CHECK_DURATION: Words =
    ("weir_check_duration_seconds", "How long a check took from the filled bag to the verdict.");
const RULE_ERRORS: Words = ("weir_rule_errors_total", "Evaluations of a rule that ended in an error.");
const DOUBT: Words = ("weir_doubt_total", "Requests whose path or header lines a proxy left in doubt.");
const CONFIG_LOADS: Words = ("weir_config_loads_total", "Configurations that were read, by result.");
const CONFIG_REJECTED: Words =
    ("weir_config_rejected", "1 while the newest configuration is refused and an older one serves.");
const CONFIG_TIME: Words =
    ("weir_config_loaded_timestamp_seconds", "When the serving configuration was taken, since 1970.");
const READY: Words = ("weir_ready", "1 while the process serves.");
const ADAPTER_CALLS: Words = ("weir_plugin_calls_total", "Calls of plugins by outcome.");
const ADAPTER_SECONDS: Words = ("weir_plugin_call_duration_seconds", "How long a call of a plugin took.");
const PANICS: Words = ("weir_panics_total", "Panics that were caught; each is a bug of Weir.");
