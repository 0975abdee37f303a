//! The bundled proxy: it checks every request with the engine, forwards it to one upstream, and reports it.
//!
//! One request: [`request`] reads the head through [`sanitize`] (what the policy sees is what the upstream gets), stamps
//! what a proxy owes ([`forwarded`]), fills a bag ([`facts`]), asks ([`check_hook`], [`cache`]), forwards ([`upstream`])
//! and, when the last byte has gone, writes it down ([`exchange`], [`report_hook`], [`access_log`]). With proxy-wasm filters
//! ([`filters`]) the way is the same, through them.
#![forbid(unsafe_code)]

mod access_log;
mod admin;
mod body;
mod cache;
mod check_hook;
mod connection;
mod engine;
mod error;
mod exchange;
mod facts;
mod filters;
mod forwarded;
mod guard;
mod health;
mod identity;
mod limits;
mod listener;
mod metrics;
mod options;
mod peers;
mod random;
mod refusal;
mod report_hook;
mod request;
mod sanitize;
mod serving;
mod trace;
mod upstream;
mod wire;
mod worker;

pub use error::Error;
pub use limits::{Limit, limits};
pub use options::{CheckMode, EngineTls, LogFormat, Options, Timeouts, Tls, UpstreamProtocol};
pub use serving::{Addresses, Serving, start};
pub use weir_policy::document::Normalization;
pub use weir_telemetry::Target;
