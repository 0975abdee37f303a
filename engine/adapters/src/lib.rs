//! Runs adapters: sandboxed Wasm components with limits and a failure policy.
//!
//! A [`Host`] loads a component and its configuration into an [`Adapter`]: a few warm instances behind one cheap handle.
//! [`Adapter::check`] asks it about one request, [`Adapter::report`] tells it about many. Whatever the plugin does, the
//! call ends within its [`Limits`], with an answer or a [`Failure`]; the caller's [`FailurePolicy`] decides what a failure
//! means. Inside there is no file, no environment and no socket.

mod adapter;
mod batch;
mod breaker;
mod cache;
mod calls;
mod capabilities;
mod client;
mod compile;
mod config;
#[allow(missing_docs, missing_debug_implementations, unreachable_pub)]
#[allow(clippy::all, clippy::pedantic, clippy::indexing_slicing, clippy::unwrap_used)]
mod contract;
mod emission;
mod error;
mod failure;
mod fetch;
mod grants;
mod guest;
mod host;
mod inputs;
mod inspect;
mod limits;
mod manifest;
mod mask;
mod metrics;
mod plan;
mod pool;
mod registry;
mod services;
mod signature;
mod sink;
mod stats;
mod symbols;
mod tls;
mod value;
mod verdict;
mod voice;
mod wasi;
mod within;

pub use self::adapter::{Adapter, AdapterStatus, Emitted};
pub use self::capabilities::{Row, Table};
pub use self::emission::{Emission, LogRecord, Severity, SpanKind, SpanRecord, SpanStatus};
pub use self::error::Error;
pub use self::failure::{Call, Cause, Failure, FailurePolicy};
pub use self::fetch::{FetchError, Origin, Wanted};
pub use self::grants::{Grants, SinkTarget, StoreSize, Upstream};
pub use self::host::{AdapterSpec, Generation, Host, HostOptions, Outlet, Sound};
pub use self::inspect::{Inspection, inspect};
pub use self::limits::*;
pub use self::manifest::{Input, Manifest, Source};
pub use self::metrics::{FamilyKind, MetricFamily};
pub use self::plan::Binding;
pub use self::signature::{Trust, signed_text};
pub use self::sink::SinkStats;
pub use self::stats::Stats;
pub use self::tls::system_tls;
pub use self::value::{Field, Value};
pub use self::verdict::{AdapterDecision, AdapterVerdict, HeaderOp};
pub use weir_cel::Reference as Read;
pub use weir_manifest::{Capabilities, Needs, Type, World};
pub use weir_wasm::LOG_LINE_BYTES_MAX;
