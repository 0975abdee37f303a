//! One report from start to end: off the path of every check.

use std::{sync::Arc, time::Instant};

use weir_adapters::{Cause, Failure};
use weir_attributes::{Bag, slot};
use weir_policy::{Claim, prepare};
use weir_telemetry::{AdapterOutcome, Batch, Loss};

use crate::{
    Runtime,
    snapshot::{ReportBinding, Snapshot},
};

/// What became of the entries of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Entries that are in the queue.
    pub accepted: u64,
    /// Entries that are not; they are counted as lost.
    pub lost: u64,
}

impl Runtime {
    /// Takes what a proxy says has happened. Returns when every entry is in the queue or counted as lost.
    pub fn report(&self, proxy: &str, claim: &Claim<'_>, mut entries: Vec<Bag>) -> Accepted {
        let count = entries.len() as u64;
        let snapshot = self.snapshot.load_full();
        for bag in &mut entries {
            self.enrich(bag, proxy, claim, snapshot.as_deref());
        }
        match self.reports.submit(entries) {
            Ok(()) => Accepted { accepted: count, lost: 0 },
            Err(full) => Accepted { accepted: count - full.lost as u64, lost: full.lost as u64 },
        }
    }

    /// The same derived attributes as at a check. What cannot be derived stays absent: a report is never refused for it.
    fn enrich(&self, bag: &mut Bag, proxy: &str, claim: &Claim<'_>, snapshot: Option<&Snapshot>) {
        bag.set_static(slot::CONTEXT_REPORTER, "destination");
        if bag.str(slot::CONTEXT_PROXY).is_none() && !proxy.is_empty() {
            bag.set_text(slot::CONTEXT_PROXY, proxy);
        }
        let Some(snapshot) = snapshot else { return };
        let claim = self.claim(claim, bag);
        let Ok(workload) = snapshot.policies.workloads().resolve(&claim) else { return };
        let _ = prepare(bag, snapshot.policies.mesh(), &workload);
    }
}

/// Hands batches to the report adapters and what they make of them to the sinks, until the queue is closed and empty.
pub(crate) async fn work(runtime: Arc<Runtime>) {
    while let Some(mut batch) = runtime.reports.drain().await {
        let snapshot = runtime.snapshot.load_full();
        if let Some(snapshot) = snapshot.as_deref().filter(|snapshot| !snapshot.enriches.is_empty()) {
            for bag in batch.entries_mut() {
                // A report is never refused: what could not be found out is counted and absent.
                let _ = crate::enrich::enrich(snapshot, bag).await;
            }
        }
        for binding in snapshot.iter().flat_map(|snapshot| &snapshot.reports) {
            tell(&runtime, binding, &mut batch).await;
        }
        batch.deliver();
    }
}

async fn tell(runtime: &Runtime, binding: &ReportBinding, batch: &mut Batch) {
    let chosen: Vec<Bag>;
    let entries = if binding.scope.is_everything() {
        batch.entries()
    } else {
        chosen = batch.entries().iter().filter(|bag| binding.scope.covers_destination(bag)).cloned().collect();
        &chosen
    };
    let mut lost = 0;
    for rows in entries.chunks(weir_adapters::ROWS_MAX) {
        let since = Instant::now();
        let told = binding.adapter.report(rows).await;
        binding.metrics.call(told.as_ref().map_or_else(failed, |_| AdapterOutcome::Ok), since.elapsed());
        match told {
            Ok(emitted) => runtime.let_out(emitted),
            Err(failure) => {
                tracing::warn!(%failure, entries = rows.len(), "report adapter failed: its entries are lost");
                lost += rows.len();
            }
        }
    }
    batch.lose(lost, Loss::Adapter);
}

/// How a failed call counts.
pub(crate) fn failed(failure: &Failure) -> AdapterOutcome {
    match &failure.cause {
        Cause::Timeout { .. } => AdapterOutcome::TimedOut,
        Cause::Trap(_) | Cause::Memory(_) => AdapterOutcome::Trapped,
        Cause::Pending | Cause::Quarantined(_) | Cause::Busy(_) => AdapterOutcome::Refused,
        _ => AdapterOutcome::Failed,
    }
}
