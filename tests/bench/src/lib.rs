//! Benchmarks that compare side by side in one run: Weir against a floor.
//!
//! Absolute times on a shared machine mean nothing. What is compared is the server's own CPU time for each request, read
//! from `/proc`, of two servers that take turns on one pinned core while the load runs on another; the result is a ratio.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a benchmark that cannot run must stop

pub mod authz;
pub mod process;
pub mod proxy;
pub mod table;
