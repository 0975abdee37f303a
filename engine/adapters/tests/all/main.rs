//! The host against the plugins that ship, against one that misbehaves, and against what is no plugin at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bindings;
mod breaker;
mod cache;
mod check;
mod containment;
mod contract;
mod enrich;
mod fetch;
mod guests;
mod outside;
mod refusal;
mod report;
mod stress;
mod swap;
