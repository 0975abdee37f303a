//! What the language does, what it refuses, and that nothing hostile gets through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod absence;
mod differential;
mod errors;
mod hostile;
mod index;
mod language;
mod lazies;
mod literals;
mod messages;
mod semantics;
mod texts;
mod types;
mod vocabulary;
