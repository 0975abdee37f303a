//! The account of what came in, what was delivered, what was lost and why, and what is on its way.
//!
//! At rest `observed = delivered + lost + in flight`. The four are counted apart, so that a forgotten entry shows.

use std::sync::Arc;

use crate::metrics::{Count, Gathered, Kind, Source};

/// Why an entry was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The queue had no room.
    QueueFull,
    /// The adapter that should have handled it failed.
    Adapter,
    /// Whoever held it dropped it without a word: a cancelled or crashed worker.
    Abandoned,
    /// The process stopped before it was handled.
    Shutdown,
    /// It could not be written, for instance to a full disk.
    WriteFailed,
    /// The receiver did not answer, after all attempts.
    Unreachable,
    /// The receiver refused it, or a part of its batch.
    Refused,
    /// It updates a metric family that is not declared any more.
    FamilyGone,
    /// It is malformed.
    Invalid,
}

impl Loss {
    /// Every reason, in the order of the discriminants.
    pub const ALL: [Loss; 9] = [
        Loss::QueueFull,
        Loss::Adapter,
        Loss::Abandoned,
        Loss::Shutdown,
        Loss::WriteFailed,
        Loss::Unreachable,
        Loss::Refused,
        Loss::FamilyGone,
        Loss::Invalid,
    ];

    /// The value of the label `reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Loss::QueueFull => "queue_full",
            Loss::Adapter => "adapter",
            Loss::Abandoned => "abandoned",
            Loss::Shutdown => "shutdown",
            Loss::WriteFailed => "write_failed",
            Loss::Unreachable => "unreachable",
            Loss::Refused => "refused",
            Loss::FamilyGone => "family_gone",
            Loss::Invalid => "invalid",
        }
    }
}

/// Accounts for the entries of one stage. Counting takes no lock.
#[derive(Debug)]
pub struct Ledger {
    prefix: &'static str,
    noun: &'static str,
    sink: Option<&'static str>,
    reasons: &'static [Loss],
    observed: Count,
    delivered: Count,
    lost: [Count; Loss::ALL.len()],
    in_flight: Count,
}

/// A ledger as it stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Entries that came in.
    pub observed: u64,
    /// Entries that reached their end.
    pub delivered: u64,
    /// Entries that were lost, for whatever reason.
    pub lost: u64,
    /// Entries that are queued or being handled.
    pub in_flight: u64,
}

impl Account {
    /// Whether nothing is unaccounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.observed == self.delivered + self.lost + self.in_flight
    }
}

impl Ledger {
    /// Exported as `PREFIX_observed_total`, `PREFIX_delivered_total`, `PREFIX_lost_total{reason}` and `PREFIX_in_flight`;
    /// `noun` says in the help texts what is counted. Those `reasons` are exported even when zero.
    #[must_use]
    pub fn new(prefix: &'static str, noun: &'static str, reasons: &'static [Loss]) -> Arc<Self> {
        Arc::new(Self::build(prefix, noun, None, reasons))
    }

    /// The same as `weir_sink_…` with the label `sink`.
    #[must_use]
    pub fn of_sink(sink: &'static str, reasons: &'static [Loss]) -> Arc<Self> {
        Arc::new(Self::build("weir_sink", "Records", Some(sink), reasons))
    }

    fn build(prefix: &'static str, noun: &'static str, sink: Option<&'static str>, reasons: &'static [Loss]) -> Self {
        Self {
            prefix,
            noun,
            sink,
            reasons,
            observed: Count::default(),
            delivered: Count::default(),
            lost: Default::default(),
            in_flight: Count::default(),
        }
    }

    /// `n` entries came in and are in flight.
    pub fn accept(&self, n: u64) {
        self.observed.add(n);
        self.in_flight.add(n);
    }

    /// `n` entries came in and were lost at once.
    pub fn refuse(&self, n: u64, loss: Loss) {
        self.observed.add(n);
        self.count(loss, n);
    }

    /// `n` entries in flight reached their end.
    pub fn deliver(&self, n: u64) {
        self.in_flight.sub(n);
        self.delivered.add(n);
    }

    /// `n` entries in flight were lost.
    pub fn lose(&self, n: u64, loss: Loss) {
        self.in_flight.sub(n);
        self.count(loss, n);
    }

    fn count(&self, loss: Loss, n: u64) {
        if let Some(count) = self.lost.get(loss as usize) {
            count.add(n);
        }
    }

    /// How many were lost for that reason.
    #[must_use]
    pub fn lost(&self, loss: Loss) -> u64 {
        self.lost.get(loss as usize).map_or(0, Count::get)
    }

    /// All four sums; they balance once nobody counts.
    #[must_use]
    pub fn account(&self) -> Account {
        Account {
            observed: self.observed.get(),
            delivered: self.delivered.get(),
            lost: self.lost.iter().map(Count::get).sum(),
            in_flight: self.in_flight.get(),
        }
    }
}

/// Entries that somebody handles. They are in flight until it says what became of them; what it drops without a word, for
/// instance because its task was cancelled, is counted as [`Loss::Abandoned`].
#[derive(Debug)]
pub(crate) struct Open {
    ledger: Arc<Ledger>,
    entries: u64,
}

impl Open {
    /// `entries` that were accepted by that ledger before.
    pub(crate) fn new(ledger: &Arc<Ledger>, entries: usize) -> Self {
        Self { ledger: Arc::clone(ledger), entries: entries as u64 }
    }

    /// `n` of them are lost; more than are open counts as all that are.
    pub(crate) fn lose(&mut self, n: u64, loss: Loss) {
        let n = n.min(self.entries);
        self.entries -= n;
        self.ledger.lose(n, loss);
    }

    /// `n` of them reached their end; more than are open counts as all that are.
    pub(crate) fn deliver(&mut self, n: u64) {
        let n = n.min(self.entries);
        self.entries -= n;
        self.ledger.deliver(n);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.lose(self.entries, Loss::Abandoned);
    }
}

impl Source for Ledger {
    fn gather(&self, into: &mut Vec<Gathered>) {
        let (prefix, noun) = (self.prefix, self.noun);
        let sink = self.sink.map(|sink| ("sink", sink));
        let labels: Vec<(&str, &str)> = sink.into_iter().collect();
        let Account { observed, delivered, in_flight, .. } = self.account();
        let family = |suffix: &str, help: String, kind| Gathered::new(&format!("{prefix}_{suffix}"), &help, kind);
        into.push(
            family("observed_total", format!("{noun} that came in."), Kind::Counter).with(&labels, observed as f64),
        );
        into.push(
            family("delivered_total", format!("{noun} that reached their end."), Kind::Counter)
                .with(&labels, delivered as f64),
        );
        // A shard that is read between `sub` and `add` can make the sum wrap for a moment.
        into.push(
            family("in_flight", format!("{noun} that are queued or being handled."), Kind::Gauge)
                .with(&labels, (in_flight as i64).max(0) as f64),
        );
        let mut lost = family("lost_total", format!("{noun} that were lost, by reason."), Kind::Counter);
        for loss in Loss::ALL {
            let count = self.lost(loss);
            if count > 0 || self.reasons.contains(&loss) {
                let labels: Vec<_> = labels.iter().copied().chain([("reason", loss.as_str())]).collect();
                lost = lost.with(&labels, count as f64);
            }
        }
        into.push(lost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_are_listed_in_the_order_of_their_places() {
        for (place, loss) in Loss::ALL.into_iter().enumerate() {
            assert_eq!(loss as usize, place);
            assert!(Loss::ALL.iter().filter(|other| other.as_str() == loss.as_str()).count() == 1);
        }
    }

    #[test]
    fn an_entry_that_nobody_settles_stays_in_flight() {
        let ledger = Ledger::new("weir_report", "Entries", &[Loss::QueueFull]);
        ledger.accept(5);
        ledger.refuse(2, Loss::QueueFull);
        ledger.deliver(1);
        ledger.lose(1, Loss::Adapter);
        let account = ledger.account();
        assert_eq!(account, Account { observed: 7, delivered: 1, lost: 3, in_flight: 3 });
        assert!(account.balances());
        assert!(!Account { in_flight: 2, ..account }.balances());
    }
}
