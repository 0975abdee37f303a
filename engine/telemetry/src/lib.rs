//! Reports and decisions on their way to the sinks, with every loss counted.
//!
//! Nothing here is on the path of a check but three things, each without a lock: counting in [`SelfMetrics`], handing a
//! [`Decision`] to the [`DecisionLog`], and giving reported requests to [`Reports`]. Threads and tasks of this crate do
//! the rest. [`sinks`] says where records end; [`redact`] stands before every one of them.
#![forbid(unsafe_code)]

mod decision_log;
mod error;
mod json;
mod ledger;
mod metrics;
mod output;
mod queue;
pub mod record;
pub mod redact;
pub mod sinks;
mod writer;

pub use decision_log::{
    DECISIONS_BYTES_MAX, DECISIONS_MAX, Decision, DecisionId, DecisionLog, DecisionLogOptions, DryRun,
    HEADER_LINES_MAX, Outcome, RECENT_MAX, Reads, SCHEMA, Said, TEXT_BYTES_MAX,
};
pub use error::Error;
pub use ledger::{Account, Ledger, Loss};
pub use metrics::{
    AdapterMetrics, AdapterOutcome, CHECK_SECONDS, Cell, CheckOutcome, Count, Declaration, Distribution, Families,
    Gathered, Gauge, Grid, Histogram, Kind, LABEL_BYTES_MAX, OVERFLOW, OWN_SERIES_MAX, Reading, SERIES_MAX, SHARDS,
    Sample, SelfMetrics, SelfMetricsOptions, Series, Source,
};
pub use output::Target;
pub use queue::{BATCH_MAX, BATCH_WAIT, Batch, Full, REPORTS_BYTES_MAX, REPORTS_MAX, ReportOptions, Reports};
pub use redact::Redactor;
pub use sinks::Sinks;
pub use writer::{Render, Room, Weigh, Writer};
