//! Runs proxy-wasm filters (ABI 0.1.0, 0.2.0 and 0.2.1): core modules with limits and a failure policy, as Envoy runs them.
//!
//! A [`Host`] loads a module and its configuration into a [`Filter`]; each worker of a proxy starts a [`Vm`] of it. A request
//! is a [`Transaction`] that all its filters share, and a [`Stream`] in each of them: its hooks say what becomes of the
//! request ([`Step`]). There is no I/O here: what a filter wants of the world comes out as an [`HttpCall`] for the proxy to
//! carry out. Where the specification leaves a choice, Envoy 1.40 is followed.
#![forbid(unsafe_code)]

mod abi;
mod calls;
mod context;
mod effect;
mod error;
mod exports;
mod filter;
mod guest;
mod headers;
mod host;
mod limits;
mod log;
mod memory;
mod metrics;
mod pairs;
mod property;
mod queues;
mod shared;
mod stats;
mod stream;
mod transaction;
mod vm;

pub use self::abi::AbiVersion;
pub use self::effect::{CallAnswer, CallResponse, HttpCall, LocalResponse};
pub use self::error::Error;
pub use self::filter::{FailurePolicy, Filter, FilterSpec, Surroundings};
pub use self::headers::Headers;
pub use self::host::Host;
pub use self::limits::*;
pub use self::metrics::{Metric, MetricKind};
pub use self::stats::Stats;
pub use self::stream::{Data, Step, Stream};
pub use self::transaction::{Direction, Scene, Transaction};
pub use self::vm::{Calls, Vm};
pub use weir_wasm::LOG_LINE_BYTES_MAX;
