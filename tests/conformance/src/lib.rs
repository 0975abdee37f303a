//! Conformance: rows that say what the best references do, asked of the crates that ship.
//!
//! A [`Suite`] turns the rows of a file into [`Case`]s; [`run`] asks each of them on a small stack, where a panic is one
//! failure and not the end, and counts into a [`Report`]. A suite drives public API only, and is one file here.
#![forbid(unsafe_code)]

mod cel;
mod cexl;
mod rows;
mod suite;
mod typed;

pub use suite::{Case, Malformed, Report, STACK_BYTES, Suite, Task, Verdict, run};

/// Every suite there is.
pub const SUITES: [&dyn Suite; 2] = [&cel::Cel, &cexl::Cexl];

/// The suite of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Suite> {
    SUITES.into_iter().find(|suite| suite.name() == name)
}
