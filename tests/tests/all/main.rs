//! The stories: each module is one promise of the house, told with real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod check;
mod envoy_api;
mod failure;
mod reload;
mod story;
mod tidy;
