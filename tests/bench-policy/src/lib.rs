//! The rules that benchmarks measure, in process here, through the engine's door in `weir-bench`; and how they time and print.
#![allow(clippy::indexing_slicing)] // a benchmark that cannot run must stop

pub mod rules;
pub mod table;
