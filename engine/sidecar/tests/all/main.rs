//! The sidecar over real sockets, between an upstream and an engine of the tests' own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod check;
mod faults;
mod forward;
mod malformed;
mod peers;
mod ports;
mod reports;
mod smuggling;
mod support;
mod tls;
