//! Filters written by hand: what SDKs would never do, and what old ones did.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub
)]

mod abi;
mod calls;
mod hostile;
mod module;
