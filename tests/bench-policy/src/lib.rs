//! The rules that benchmarks measure: in process here, through the engine's door in `weir-bench`.

pub mod rules;
