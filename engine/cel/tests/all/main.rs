//! What the language does, what it refuses, and that nothing hostile gets through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod absence;
mod allocations;
mod bombs;
mod cexl;
mod choice;
mod cost;
mod differential;
mod errors;
mod explain;
mod functions;
mod hostile;
mod index;
mod language;
mod lazies;
mod libraries;
mod literals;
mod messages;
mod partial;
mod residual;
mod seeds;
mod semantics;
mod soundness;
mod structs;
mod texts;
mod tracked;
mod types;
mod vocabulary;
mod worlds;
