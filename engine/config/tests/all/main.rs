//! Folders of YAML through the crate's public door.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod folder;
mod hostile;
mod locations;
mod mistakes;
mod transaction;
