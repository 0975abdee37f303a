//! What a plugin author needs to write an adapter in Rust.
//!
//! A plugin is one function, a manifest and a schema for its configuration. A **check** plugin
//! decides about one request:
//!
//! ```
//! use weir::{Failure, Verdict};
//!
//! #[derive(serde::Deserialize)]
//! struct Config { agents: Vec<String> }
//!
//! // `Inputs` is written by the macro from the `[inputs]` of `weir-plugin.toml`:
//! //     "request.useragent" = "string?"
//! //     "request.method" = "string"
//! #[weir::check(manifest = "examples/check.toml")]
//! fn check(inputs: Inputs, config: &Config) -> Result<Verdict, Failure> {
//!     match inputs.request_useragent {
//!         Some(agent) if config.agents.contains(&agent) => Ok(Verdict::deny("agent is listed").status(403)),
//!         _ => Ok(Verdict::abstain()),
//!     }
//! }
//!
//! let inputs = Inputs { request_useragent: Some("evil/1.0".into()), ..Inputs::default() };
//! let verdict = check(inputs, &Config { agents: vec!["evil/1.0".into()] }).unwrap();
//! assert_eq!(verdict.status, Some(403));
//! ```
//!
//! A **report** plugin gets what happened, many requests at a time, and turns it into
//! [log records](LogRecord), [metrics](Family) and [spans](Span):
//!
//! ```
//! use weir::{Configure, Counter, Failure, Family, Label, Rows};
//!
//! struct State { requests: Counter }
//!
//! impl Configure for State {
//!     fn configure(_json: &str) -> Result<Self, Failure> {
//!         let requests = Family::new("requests_total", "Requests.").labels(&["code"]).counter()?;
//!         Ok(State { requests })
//!     }
//! }
//!
//! // "response.code" = "int?"
//! #[weir::report(manifest = "examples/report.toml")]
//! fn report(rows: Rows<'_, Inputs<'_>>, state: &State) -> Result<(), Failure> {
//!     for row in rows {
//!         state.requests.add(&[Label::or(row.response_code, "unknown")], 1)?;
//!     }
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! An **enrich** plugin finds out attributes before the policies are asked: `fn(Inputs) -> Result<Outputs,
//! Failure>`, with `[outputs]` in the manifest.
//!
//! What else a plugin may do, it asks for under `[capabilities]` and the operator grants: [`log`], [`kv`], [`http`],
//! [`lookup`], [`emit`] and, on [`check`] and [`enrich`], a look at other attributes through [`Bag`].
//!
//! The function runs inside a sandbox: no files, no environment, no sockets, a few milliseconds
//! and a few MiB. What it prints goes to the operator's log. A panic costs
//! the instance; a [`Failure`] costs only the call. Build with
//! `cargo build --release --target wasm32-wasip2` as `crate-type = ["cdylib"]`.

#[allow(missing_docs, missing_debug_implementations, unreachable_pub, unsafe_code)]
#[allow(clippy::all, clippy::indexing_slicing)]
mod bindings;
mod bound;
mod configure;
pub mod http;
pub mod kv;
mod label;
pub mod log;
mod metrics;
mod outside;
mod record;
mod rows;
mod span;
mod value;
mod verdict;

#[doc(hidden)]
#[path = "rt.rs"]
pub mod __rt;

pub use weir_sdk_macros::{check, enrich, report};

pub use self::bindings::check::exports::weir::plugin::check::{Decision, HeaderOp, Verdict};
pub use self::bindings::life::exports::weir::plugin::lifecycle::Binding;
pub use self::bindings::life::weir::plugin::attributes::Bag;
pub use self::bindings::life::weir::plugin::metrics::Label;
pub use self::bindings::life::weir::plugin::records::Severity;
pub use self::bindings::life::weir::plugin::spans::{SpanKind, Status as SpanStatus};
pub use self::bindings::life::weir::plugin::types::{Failure, Kind, Refusal, RefusalCode, Value};
pub use self::bound::{Bound, BoundCells, bindings};
pub use self::configure::{Configure, NoConfig};
pub use self::metrics::{Counter, Family, Histogram};
pub use self::outside::{Fields, emit, lookup};
pub use self::record::LogRecord;
pub use self::rows::{Cell, ListOf, PairsOf, Row, Rows, Text};
pub use self::span::Span;
pub use self::value::{Pairs, Timestamp};
