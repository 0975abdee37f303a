//! One check and one report from start to end, over one snapshot.
//!
//! Every door calls [`Runtime::check`] and [`Runtime::report`]; nothing else decides. [`validate`] is what
//! `weir check-config` calls: it ends where the engine would swap the snapshot in.
#![forbid(unsafe_code)]

mod apply;
mod build;
mod check;
mod conclude;
mod door;
mod enrich;
mod error;
mod keys;
mod limits;
mod plugins;
mod report;
mod runtime;
mod said;
mod setup;
mod snapshot;
mod status;
mod translate;
mod watch;

pub use build::{Summary, validate};
pub use check::{CHECK_TIME_MAX, Checked};
pub use door::Door;
pub use error::Error;
pub use limits::{Limit, limits};
pub use report::Accepted;
pub use runtime::Runtime;
pub use said::Said;
pub use setup::Setup;
pub use status::Status;
pub use watch::Watched;
pub use weir_config::Diagnostics;
pub use weir_telemetry::DecisionId;
