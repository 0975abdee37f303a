//! Conformance: rows that say what the best references do, asked of the crates that ship.
//!
//! A [`Suite`] turns the rows of a file into [`Case`]s; [`run`] asks each of them on a small stack, where a panic is one
//! failure and not the end, and counts into a [`Report`]. A suite drives public API only, and is one file here.
#![forbid(unsafe_code)]

mod authz;
mod cel;
mod cexl;
mod documents;
mod normalization;
mod peerauth;
mod rows;
mod suite;
mod typed;

use std::path::PathBuf;

pub use suite::{Case, Malformed, Report, STACK_BYTES, Suite, Task, Verdict, run};

/// Every suite there is.
pub const SUITES: [&dyn Suite; 7] = [
    &authz::Authz,
    &documents::Invalid,
    &documents::Valid,
    &normalization::Normalization,
    &peerauth::PeerAuth,
    &cel::Cel,
    &cexl::Cexl,
];

/// The suite of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Suite> {
    SUITES.into_iter().find(|suite| suite.name() == name)
}

/// Asks the rows of the suite `authz` through the engine's door for Envoy, and counts those that it cannot carry by reason.
/// `progress` hears how many of how many were asked.
///
/// # Errors
/// A file that cannot be read, or an engine that does not start: then nothing is counted.
pub fn via_ext_authz(files: &[PathBuf], progress: impl Fn(usize, usize)) -> Result<Report, Malformed> {
    authz::door::run(files, progress)
}
