//! What one worker thread keeps beside its connections, and what all of them share.

use std::sync::{Arc, OnceLock};

use weir_telemetry::Writer;

use crate::{
    access_log::Line,
    cache::Cache,
    check_hook::CheckHook,
    filters::Lane,
    metrics::Counters,
    options::Options,
    peers::Peers,
    report_hook::ReportHook,
    upstream::{Target, Upstream},
};

/// What all workers of a sidecar share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) target: Target,
    pub(crate) counters: Arc<Counters>,
    pub(crate) cache: Arc<Cache>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) reports: Option<Arc<ReportHook>>,
    pub(crate) access_log: Option<Writer<Box<Line>>>,
    /// All filters, in the order of the chain.
    pub(crate) filters: Vec<Arc<weir_proxy_wasm::Filter>>,
}

/// What one worker has of its own: connections to the upstream and to the engine.
#[derive(Debug)]
pub(crate) struct Worker {
    shared: Arc<Shared>,
    upstream: Upstream,
    check: OnceLock<CheckHook>,
    lane: Option<Arc<Lane>>,
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>, lane: Option<Arc<Lane>>) -> Self {
        let upstream = Upstream::new(shared.target.clone(), &shared.options, Arc::clone(&shared.counters));
        Self { shared, upstream, check: OnceLock::new(), lane }
    }

    /// Gives it its check hook, which must be made on the worker's own runtime.
    pub(crate) fn set_check(&self, check: CheckHook) {
        let _ = self.check.set(check);
    }

    /// The filters; none when there are none.
    pub(crate) fn lane(&self) -> Option<&Arc<Lane>> {
        self.lane.as_ref()
    }

    /// Whether requests are checked at all.
    pub(crate) fn is_checked(&self) -> bool {
        self.shared.options.engine.is_some()
    }

    /// The check hook; none without an engine, or before it is made.
    pub(crate) fn check(&self) -> Option<&CheckHook> {
        self.check.get()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.shared.options
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(crate) fn peers(&self) -> &Peers {
        &self.shared.peers
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    pub(crate) fn reports(&self) -> Option<&ReportHook> {
        self.shared.reports.as_deref()
    }

    pub(crate) fn logs_access(&self) -> bool {
        self.shared.access_log.is_some()
    }

    pub(crate) fn log_access(&self, line: Box<Line>) {
        if let Some(log) = &self.shared.access_log {
            log.push(line, false);
        }
    }
}
