//! The doors over real sockets, with a real runtime behind them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_debug_implementations
)]

mod access_log;
mod drain;
mod engine;
mod ext_authz;
mod native;
mod peer;
mod raw;
mod side;
mod tls;
