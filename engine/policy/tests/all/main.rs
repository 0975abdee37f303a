//! The tests of weir-policy through its public API.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod absence;
mod authentication;
mod change;
mod claims;
mod custom;
mod differential;
mod doubt;
mod drawn;
mod dry_run;
mod evaluation;
mod fetched_keys;
mod given;
mod hostile_tokens;
mod issuer;
mod metadata;
mod oracle;
mod peer;
mod properties;
mod remembered;
mod validation;
mod workloads;
