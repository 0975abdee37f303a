//! The report hook: one entry for each request, handed over without waiting and sent in batches by a task of its own.
//!
//! While the engine is away entries are kept up to a bound; beyond it the oldest is lost and counted. A batch whose call
//! failed is sent again, so the engine may see an entry twice when the answer was lost on its way, never the sidecar's
//! account: `observed = delivered + lost + in flight`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use crossbeam_queue::ArrayQueue;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tonic::transport::Channel;
use weir_attributes::{Bag, Phase};
use weir_proto::v1::{self, telemetry_client::TelemetryClient};
use weir_telemetry::{Ledger, Loss};

use crate::{engine::Engine, limits, random, wire};

/// Batches in one call, when many have gathered.
const BATCHES: usize = 10;

/// The reports of one sidecar on their way to the engine.
#[derive(Debug)]
pub(crate) struct ReportHook {
    queue: ArrayQueue<Bag>,
    bytes: AtomicUsize,
    ledger: Arc<Ledger>,
    full: Notify,
    stop: AtomicBool,
    workload: String,
    proxy: String,
}

impl ReportHook {
    pub(crate) fn new(workload: &str, proxy: &str) -> Arc<Self> {
        let reasons = &[Loss::QueueFull, Loss::Refused, Loss::Shutdown];
        Arc::new(Self {
            queue: ArrayQueue::new(limits::REPORTS_MAX),
            bytes: AtomicUsize::new(0),
            ledger: Ledger::new("weir_sidecar_reports", "Reports", reasons),
            full: Notify::new(),
            stop: AtomicBool::new(false),
            workload: workload.to_owned(),
            proxy: proxy.to_owned(),
        })
    }

    /// Hands one entry over; never waits.
    pub(crate) fn push(&self, entry: Bag) {
        let size = entry.size();
        self.ledger.accept(1);
        self.bytes.fetch_add(size, Relaxed);
        if let Some(oldest) = self.queue.force_push(entry) {
            self.lose(&oldest);
        }
        while self.bytes.load(Relaxed) > limits::REPORT_BYTES_MAX {
            let Some(oldest) = self.queue.pop() else { break };
            self.lose(&oldest);
        }
        // Once for each batch: a wake is a system call.
        if self.queue.len() == limits::REPORT_BATCH {
            self.full.notify_one();
        }
    }

    fn lose(&self, entry: &Bag) {
        self.bytes.fetch_sub(entry.size(), Relaxed);
        self.ledger.lose(1, Loss::QueueFull);
    }

    /// The account of all entries.
    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Sends what is handed over, until [`ReportHook::stop`]; then what is left, at most until the caller gives up.
    pub(crate) async fn run(self: Arc<Self>, engine: Engine) {
        let mut client = TelemetryClient::new(engine.connect_lazy());
        loop {
            if self.queue.len() < limits::REPORT_BATCH && !self.stop.load(Relaxed) {
                let _ = timeout(limits::REPORT_EVERY, self.full.notified()).await;
            }
            let batches = self.take();
            if batches.is_empty() {
                if self.stop.load(Relaxed) {
                    return;
                }
                continue;
            }
            self.send(&mut client, batches).await;
        }
    }

    /// Lets [`ReportHook::run`] end once everything is sent.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Relaxed);
        self.full.notify_one();
    }

    /// What was not sent in time is lost: the process ends.
    pub(crate) fn give_up(&self) {
        self.ledger.lose(self.ledger.account().in_flight, Loss::Shutdown);
        while self.queue.pop().is_some() {}
    }

    fn take(&self) -> Vec<v1::ReportRequest> {
        let mut batches = Vec::new();
        while batches.len() < BATCHES {
            let mut entries = Vec::new();
            while entries.len() < limits::REPORT_BATCH {
                let Some(bag) = self.queue.pop() else { break };
                self.bytes.fetch_sub(bag.size(), Relaxed);
                entries.push(wire::attributes(&bag, Phase::Response));
            }
            if entries.is_empty() {
                break;
            }
            let workload = wire::workload(&self.workload);
            batches.push(v1::ReportRequest { proxy: self.proxy.clone(), workload, entries });
        }
        batches
    }

    /// Sends until the engine has taken them, or has said that it never will.
    async fn send(&self, client: &mut TelemetryClient<Channel>, mut batches: Vec<v1::ReportRequest>) {
        let mut wait = limits::RECONNECT_MIN;
        while !batches.is_empty() {
            let call = client.report(tokio_stream::iter(batches.clone()));
            match timeout(limits::REPORT_DEADLINE, call).await {
                Ok(Ok(answer)) => {
                    let answer = answer.into_inner();
                    if self.taken(&mut batches, answer.accepted, answer.lost) > 0 {
                        continue;
                    }
                }
                Ok(Err(status)) => {
                    tracing::debug!(code = ?status.code(), "a batch of reports was not taken");
                    if is_permanent(status.code()) {
                        return self.ledger.lose(entries(&batches), Loss::Refused);
                    }
                }
                Err(_) => {}
            }
            sleep(random::jittered(wait)).await;
            wait = (wait * 2).min(limits::RECONNECT_MAX);
        }
    }

    /// Settles the batches that the engine has taken, from the front: one that drains may stop between two. Returns how
    /// many entries they held.
    fn taken(&self, batches: &mut Vec<v1::ReportRequest>, accepted: u64, lost: u64) -> u64 {
        let mut settled = 0;
        while let Some(batch) = batches.first() {
            let next = settled + batch.entries.len() as u64;
            if next > accepted.saturating_add(lost) {
                break;
            }
            settled = next;
            batches.remove(0);
        }
        let lost = lost.min(settled);
        self.ledger.deliver(settled - lost);
        self.ledger.lose(lost, Loss::Refused);
        settled
    }
}

fn entries(batches: &[v1::ReportRequest]) -> u64 {
    batches.iter().map(|batch| batch.entries.len() as u64).sum()
}

/// Whether sending the same again cannot help.
fn is_permanent(code: tonic::Code) -> bool {
    use tonic::Code;
    matches!(
        code,
        Code::InvalidArgument | Code::Unimplemented | Code::OutOfRange | Code::FailedPrecondition | Code::NotFound
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_lost_when_the_buffer_is_full_and_every_entry_is_accounted_for() {
        let hook = ReportHook::new("", "test");
        for number in 0..limits::REPORTS_MAX as i64 + 7 {
            let bag = Bag::builder().int(weir_attributes::slot::RESPONSE_CODE, number).build();
            hook.push(bag);
        }
        let account = hook.ledger().account();
        assert!(account.balances(), "{account:?}");
        assert_eq!(hook.ledger().lost(Loss::QueueFull), 7);
        let oldest = hook.queue.pop().and_then(|bag| bag.int(weir_attributes::slot::RESPONSE_CODE));
        assert_eq!(oldest, Some(7));
    }

    #[test]
    fn the_buffer_is_bounded_in_bytes_too() {
        let hook = ReportHook::new("", "test");
        let text = "x".repeat(1024 * 1024);
        for _ in 0..64 {
            hook.push(Bag::builder().header("x", &text).build());
        }
        let account = hook.ledger().account();
        assert!(account.balances(), "{account:?}");
        assert!(hook.bytes.load(Relaxed) <= limits::REPORT_BYTES_MAX);
        assert_eq!(account.in_flight, hook.queue.len() as u64);
        assert!(account.lost > 0);
    }

    #[test]
    fn what_a_draining_engine_did_not_take_is_sent_again() {
        let hook = ReportHook::new("", "test");
        for _ in 0..250 {
            hook.push(Bag::default());
        }
        let mut batches = hook.take();
        assert_eq!(batches.len(), 3);
        assert_eq!(hook.taken(&mut batches, 190, 10), 200);
        assert_eq!(entries(&batches), 50);
        assert_eq!(hook.taken(&mut batches, 0, 0), 0);
        assert_eq!(hook.taken(&mut batches, 50, 0), 50);
        let account = hook.ledger().account();
        assert_eq!((account.delivered, account.lost, account.in_flight), (240, 10, 0));
    }

    #[test]
    fn giving_up_counts_what_is_left_as_lost() {
        let hook = ReportHook::new("", "test");
        for _ in 0..5 {
            hook.push(Bag::default());
        }
        hook.give_up();
        let account = hook.ledger().account();
        assert_eq!((account.lost, account.in_flight), (5, 0));
        assert!(account.balances());
    }
}
