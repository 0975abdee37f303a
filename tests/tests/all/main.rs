//! The stories: each module is one promise of the house, told with real processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub
)]

mod adapters;
mod author;
mod cel;
mod check;
mod custom;
mod envoy;
mod envoy_api;
mod failure;
mod filters;
mod hostile;
mod metrics;
mod otlp;
mod peers;
mod readme;
mod reload;
mod secrets;
mod shipped;
mod story;
mod tidy;
mod tls;
mod tokens;
