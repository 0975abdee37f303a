//! The decision log: what was decided about each request and why, as JSON lines, off the request path.
//!
//! A check hands over one [`Decision`] and goes on; a thread writes it. What is sensitive is hashed there. A denial is
//! never sampled out, and the last eighth of the queue is kept for denials.

use std::{
    cell::Cell,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use weir_attributes::{Bag, Slot, Struct};

use crate::{
    Error,
    ledger::{Account, Ledger, Loss},
    metrics::{Count, Gathered, Kind, Source},
    output::Target,
    redact::Redactor,
    writer::{Room, Weigh, Writer},
};

mod line;
mod recent;

pub use recent::RECENT_MAX;
use recent::Recent;

/// The version of the log's schema: the field `schema` of every line. A new field does not change it, a changed or lost
/// one does.
pub const SCHEMA: u32 = 1;
/// Most decisions that wait to be written.
pub const DECISIONS_MAX: usize = 8_192;
/// Most bytes of decisions that wait to be written.
pub const DECISIONS_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most bytes of one text in a line; what is longer is cut and ends in `…`.
pub const TEXT_BYTES_MAX: usize = 2_048;
/// Most header lines of one line of the log.
pub const HEADER_LINES_MAX: usize = 64;

/// A decision's own number, written as 32 hexadecimal digits. It reaches the client: it tells nothing but itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecisionId(pub u128);

impl DecisionId {
    /// A random one. The randomness is for uniqueness, not for secrecy.
    #[must_use]
    pub fn random() -> Self {
        thread_local! {
            static STATE: Cell<u128> = const { Cell::new(0) };
        }
        STATE.with(|state| {
            let mut x = state.get();
            if x == 0 {
                x = seed();
            }
            state.set(x.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            Self(u128::from(mix(x as u64)) | u128::from(mix((x >> 64) as u64 ^ mix(x as u64))) << 64)
        })
    }
}

/// A thread's first state; without randomness from the system the time and the thread's own address must do.
fn seed() -> u128 {
    let mut bytes = [0u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_nanos());
        bytes = (now ^ (&raw const bytes).addr() as u128).to_le_bytes();
    }
    u128::from_le_bytes(bytes) | 1
}

/// The finalizer of splitmix64: every bit of the state reaches every bit of the result.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request may pass.
    Allow,
    /// It may not.
    Deny,
}

impl Outcome {
    /// As the log has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Allow => "allow",
            Outcome::Deny => "deny",
        }
    }
}

/// What a ruleset can read of a request: these values stand in the log. Made once a ruleset and shared.
#[derive(Debug, Default)]
pub struct Reads {
    slots: Vec<Slot>,
    headers: Vec<Arc<str>>,
    all_headers: bool,
}

impl Reads {
    /// Those attributes and request headers (names in lower case); with `all_headers` every header.
    #[must_use]
    pub fn new(mut slots: Vec<Slot>, mut headers: Vec<Arc<str>>, all_headers: bool) -> Self {
        use weir_attributes::slot::{REQUEST_HEADERS, REQUEST_HEADERS_ALL};
        // Headers are written by name, not as the map that they are.
        slots.retain(|slot| !matches!(*slot, REQUEST_HEADERS | REQUEST_HEADERS_ALL));
        slots.sort_unstable();
        slots.dedup();
        headers.sort_unstable();
        headers.dedup();
        Self { slots, headers, all_headers }
    }
}

/// One decision, as it is handed to the log.
#[derive(Debug)]
pub struct Decision {
    /// Its number.
    pub id: DecisionId,
    /// When it was made, in nanoseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// How long it took.
    pub duration: Duration,
    /// The version of the configuration that made it.
    pub snapshot: Arc<str>,
    /// The workload, as operators name it; none when it is unknown.
    pub workload: Option<Arc<str>>,
    /// The protocol that asked.
    pub door: &'static str,
    /// What was decided.
    pub outcome: Outcome,
    /// The HTTP status that the client gets on a denial; 0 when the request passes.
    pub status: u16,
    /// The reason's code.
    pub reason: &'static str,
    /// The policy that decided, as `namespace/name`.
    pub policy: Option<Arc<str>>,
    /// Its rule.
    pub rule: Option<Arc<str>>,
    /// What the reason says beside its code. Sensitive values of the bag that it quotes are hashed.
    pub message: Option<Arc<str>>,
    /// The policies that marked the request for audit; such a decision is never sampled out.
    pub audit: Vec<Arc<str>>,
    /// What dry-run policies would have decided; an allowed request that they would have denied is never sampled out.
    pub dry_run: Vec<DryRun>,
    /// What check adapters said beside their decisions.
    pub adapters: Vec<Said>,
    /// Whether doubt had a part in it.
    pub in_doubt: bool,
    /// What its policies can read.
    pub reads: Arc<Reads>,
    /// The request.
    pub bag: Bag,
}

/// What a check adapter said beside its decision. Sensitive values of the bag that it quotes are hashed.
#[derive(Clone, Debug)]
pub struct Said {
    /// The plugin's name.
    pub plugin: Arc<str>,
    /// Why it decided so; empty when it did not say.
    pub reason: Arc<str>,
    /// Its metadata.
    pub metadata: Struct,
}

/// What the dry-run policies of one side would have decided.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// `deny` or `allow`: the action of the policies.
    pub side: &'static str,
    /// What they would have decided.
    pub outcome: Outcome,
    /// The rule that holds, as `namespace/name#rule`.
    pub rule: Option<Arc<str>>,
}

impl Decision {
    /// Whether it is logged in any case and before others: a denial, an audit mark, a dry-run denial.
    fn is_urgent(&self) -> bool {
        let tried = self.dry_run.iter().any(|tried| tried.outcome == Outcome::Deny);
        self.outcome == Outcome::Deny || !self.audit.is_empty() || tried
    }
}

impl Weigh for Decision {
    fn weight(&self) -> usize {
        let said = |said: &Said| {
            let metadata = said.metadata.iter().map(|(name, value)| name.len() + value.bytes());
            size_of::<Said>() + said.reason.len() + metadata.sum::<usize>()
        };
        let said: usize = self.adapters.iter().map(said).sum();
        size_of::<Self>() + self.bag.size() + said + self.message.as_ref().map_or(0, |message| message.len())
    }
}

/// How the decision log is kept.
#[derive(Clone, Debug)]
pub struct DecisionLogOptions {
    /// Where the lines go. With [`Target::Off`] only the recent denials are kept.
    pub target: Target,
    /// The part of allowed requests that is logged, from 0 to 1; by the decision's number, so it is the same everywhere.
    pub allow_ratio: f64,
    /// Most decisions that wait.
    pub queue: usize,
    /// Most bytes that wait.
    pub queue_bytes: usize,
    /// Hashes what is sensitive.
    pub redactor: Arc<Redactor>,
}

impl DecisionLogOptions {
    /// Everything is logged there, with the usual limits.
    #[must_use]
    pub fn new(target: Target, redactor: Arc<Redactor>) -> Self {
        Self { target, allow_ratio: 1.0, queue: DECISIONS_MAX, queue_bytes: DECISIONS_BYTES_MAX, redactor }
    }
}

/// The running decision log. Dropping it writes what it has, for at most a second.
#[derive(Debug)]
pub struct DecisionLog {
    writer: Writer<Decision>,
    recent: Arc<Mutex<Recent>>,
    off: bool,
    /// Allowed decisions whose number's low half is above this are sampled out.
    allow_below: u64,
    sampled_out: Count,
}

impl DecisionLog {
    /// Opens the target and starts the thread that writes.
    ///
    /// # Errors
    /// When the file cannot be opened or the thread not started.
    pub fn start(options: DecisionLogOptions) -> Result<Self, Error> {
        let recent = Arc::new(Mutex::new(Recent::default()));
        let off = options.target == Target::Off;
        let reasons = &[Loss::QueueFull, Loss::WriteFailed];
        let ledger = Ledger::new("weir_decision_log", "Decisions", reasons);
        let renderer = line::Lines::new(options.redactor, Arc::clone(&recent), off);
        let room = Room { records: options.queue, bytes: options.queue_bytes };
        let writer = Writer::start("decision-log", room, options.target, ledger, renderer)?;
        // A cast of a float saturates: 1.0 becomes the highest number.
        let allow_below = (options.allow_ratio.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
        Ok(Self { writer, recent, off, allow_below, sampled_out: Count::default() })
    }

    /// Hands a decision over; never blocks. Without room it is counted as lost.
    pub fn record(&self, decision: Decision) {
        let urgent = decision.is_urgent();
        if self.wants(decision.id, urgent) {
            self.writer.push(decision, urgent);
        }
    }

    /// Whether a decision is logged at all; one that is not is counted here as sampled out. Ask before a costly record is
    /// made. `urgent`: a denial or an audited request, which are never sampled out.
    #[must_use]
    pub fn wants(&self, id: DecisionId, urgent: bool) -> bool {
        let wanted = urgent || !self.off && self.samples(id);
        if !wanted {
            self.sampled_out.add(1);
        }
        wanted
    }

    /// Whether an allowed request of that number is logged: ask first to spare making a [`Decision`].
    #[must_use]
    pub fn samples(&self, id: DecisionId) -> bool {
        self.allow_below == u64::MAX || (id.0 as u64) < self.allow_below
    }

    /// Waits until everything that was recorded before is written or lost; false when the deadline passed first.
    pub fn flush(&self, deadline: Duration) -> bool {
        self.writer.flush(deadline)
    }

    /// Opens the file again by its name before the next line, as after a rotation.
    pub fn reopen(&self) {
        self.writer.reopen();
    }

    /// The last denials, up to [`RECENT_MAX`], the newest first, redacted as in the log.
    #[must_use]
    pub fn recent(&self) -> Vec<serde_json::Value> {
        let lines = self.recent.lock().unwrap_or_else(PoisonError::into_inner).newest_first();
        lines.iter().filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// The account of all decisions that were not sampled out.
    #[must_use]
    pub fn account(&self) -> Account {
        self.writer.ledger().account()
    }

    /// Why the last write failed; none after one that succeeded.
    #[must_use]
    pub fn last_error(&self) -> Option<String> {
        self.writer.last_error()
    }
}

impl Source for DecisionLog {
    fn gather(&self, into: &mut Vec<Gathered>) {
        self.writer.ledger().gather(into);
        let help = "Allowed requests that were not logged because of sampling.";
        let sampled = self.sampled_out.get() as f64;
        into.push(Gathered::new("weir_decision_log_sampled_out_total", help, Kind::Counter).with(&[], sampled));
    }
}
