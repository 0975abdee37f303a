//! A directory of YAML becomes validated resources, as one transaction.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod diagnostic;
mod excerpt;
pub mod limits;
mod source;
mod suggestion;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Related, Severity};
pub use excerpt::Excerpt;
pub use source::{SourceFile, Sources, Version};
pub use suggestion::nearest;
