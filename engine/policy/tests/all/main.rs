//! The tests of weir-policy through its public API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod absence;
mod cases;
mod doubt;
mod dry_run;
mod evaluation;
mod given;
mod peer;
mod properties;
mod validation;
mod workloads;
