//! What the sidecar counts of itself. Counting takes no lock; a scrape reads.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use weir_telemetry::{Count, Gathered, Histogram, Kind, Reading, Sample};

use crate::{check_hook::Trouble, guard::Overdue, refusal, refusal::Refusal};

/// Upper bounds of durations, in seconds.
const SECONDS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The counters of one sidecar.
#[derive(Debug)]
pub(crate) struct Counters {
    /// By status; 0 is "no response". Made when first used: most are never.
    codes: Box<[OnceLock<Count>]>,
    duration: Histogram,
    refusals: [Count; refusal::COUNT],
    checks: [Count; Source::ALL.len()],
    troubles: [Count; Trouble::ALL.len()],
    check_duration: Histogram,
    closed: [Count; Overdue::ALL.len()],
    revoked: Count,
    upstream_connections: Count,
    upstream_retries: Count,
}

/// What a check came to, and where it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    AllowedByEngine,
    AllowedByCache,
    DeniedByEngine,
    DeniedByCache,
    Failed,
    FailedOpen,
}

impl Source {
    const ALL: [(Source, &'static str, &'static str); 6] = [
        (Source::AllowedByEngine, "allow", "engine"),
        (Source::AllowedByCache, "allow", "cache"),
        (Source::DeniedByEngine, "deny", "engine"),
        (Source::DeniedByCache, "deny", "cache"),
        (Source::Failed, "error", "none"),
        (Source::FailedOpen, "error", "fail-open"),
    ];
}

impl Counters {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            codes: (0..600).map(|_| OnceLock::new()).collect(),
            duration: Histogram::sharded(&SECONDS),
            refusals: Default::default(),
            checks: Default::default(),
            troubles: Default::default(),
            check_duration: Histogram::sharded(&SECONDS),
            closed: Default::default(),
            revoked: Count::default(),
            upstream_connections: Count::default(),
            upstream_retries: Count::default(),
        })
    }

    /// A request is over.
    pub(crate) fn request(&self, code: u16, took: Duration) {
        if let Some(count) = self.codes.get(usize::from(code)) {
            count.get_or_init(Count::default).add(1);
        }
        self.duration.observe(took.as_secs_f64());
    }

    /// The sidecar answered itself.
    pub(crate) fn refused(&self, refusal: &Refusal) {
        let place = refusal::ALL.iter().position(|known| known == refusal);
        if let Some(count) = place.and_then(|place| self.refusals.get(place)) {
            count.add(1);
        }
    }

    /// A check was decided, or not.
    pub(crate) fn checked(&self, source: Source, took: Duration) {
        if let Some(count) = self.checks.get(source as usize) {
            count.add(1);
        }
        self.check_duration.observe(took.as_secs_f64());
    }

    /// A check was not decided.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        if let Some(count) = self.troubles.get(trouble as usize) {
            count.add(1);
        }
    }

    /// A connection was closed because it was overdue.
    pub(crate) fn closed(&self, overdue: Overdue) {
        if let Some(count) = self.closed.get(overdue as usize) {
            count.add(1);
        }
    }

    /// A connection is drained: its port takes its like no longer.
    pub(crate) fn revoked(&self) {
        self.revoked.add(1);
    }

    /// A connection to the upstream was made.
    pub(crate) fn upstream_connected(&self) {
        self.upstream_connections.add(1);
    }

    /// A request was sent once more, on another connection.
    pub(crate) fn upstream_retried(&self) {
        self.upstream_retries.add(1);
    }

    /// Appends all families.
    pub(crate) fn gather(&self, into: &mut Vec<Gathered>) {
        let codes = self.codes.iter().enumerate().filter_map(|(code, count)| Some((code, count.get()?)));
        into.push(codes.fold(
            counter("weir_sidecar_requests_total", "Requests that are over, by status; 0 is without a response."),
            |family, (code, count)| family.with(&[("code", &code.to_string())], count.get() as f64),
        ));
        into.push(histogram(
            "weir_sidecar_request_duration_seconds",
            "From a request's head to the end of its response.",
            &self.duration,
        ));
        into.push(refusal::ALL.iter().zip(&self.refusals).fold(
            counter("weir_sidecar_refusals_total", "Answers that the sidecar gave itself, by reason."),
            |family, (refusal, count)| family.with(&[("reason", refusal.reason)], count.get() as f64),
        ));
        into.push(Source::ALL.iter().zip(&self.checks).fold(
            counter("weir_sidecar_checks_total", "Checks by decision and by where it was made."),
            |family, ((_, decision, source), count)| {
                family.with(&[("decision", decision), ("source", source)], count.get() as f64)
            },
        ));
        into.push(Trouble::ALL.iter().zip(&self.troubles).fold(
            counter("weir_sidecar_check_errors_total", "Checks that the engine did not decide, by reason."),
            |family, (trouble, count)| family.with(&[("reason", trouble.as_str())], count.get() as f64),
        ));
        into.push(histogram(
            "weir_sidecar_check_duration_seconds",
            "How long checks took, cached ones too.",
            &self.check_duration,
        ));
        into.push(Overdue::ALL.iter().zip(&self.closed).fold(
            counter("weir_sidecar_connections_overdue_total", "Client connections closed because they were overdue."),
            |family, (overdue, count)| family.with(&[("reason", overdue.as_str())], count.get() as f64),
        ));
        into.push(
            counter(
                "weir_sidecar_connections_revoked_total",
                "Client connections that PeerAuthentication takes no longer: ended after the request in flight.",
            )
            .with(&[], self.revoked.get() as f64),
        );
        into.push(
            counter("weir_sidecar_upstream_connections_total", "Connections made to the upstream.")
                .with(&[], self.upstream_connections.get() as f64),
        );
        into.push(
            counter("weir_sidecar_upstream_retries_total", "Requests sent once more, on another connection.")
                .with(&[], self.upstream_retries.get() as f64),
        );
    }
}

/// A counter family without series.
pub(crate) fn counter(name: &str, help: &str) -> Gathered {
    Gathered::new(name, help, Kind::Counter)
}

/// A gauge with one series.
pub(crate) fn gauge(name: &str, help: &str, value: f64) -> Gathered {
    Gathered::new(name, help, Kind::Gauge).with(&[], value)
}

fn histogram(name: &str, help: &str, histogram: &Histogram) -> Gathered {
    let mut family = Gathered::new(name, help, Kind::Histogram);
    family.samples.push(Sample { labels: Vec::new(), reading: Reading::Distribution(histogram.get()) });
    family
}
