//! A directory of YAML becomes validated resources, as one transaction.
//!
//! [`load`] reads a folder and gives its resources, or everything that is wrong with them with file, line, column, excerpt
//! and fix: [`Diagnostics`]. [`Loaded::compile`] adds what the policies mean. [`Watch`] says when the folder has changed, and
//! [`LastGood`] keeps what was accepted. A `List` is refused: each resource is a document of its own.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod adapter;
mod diagnostic;
mod envelope;
mod error;
mod excerpt;
mod kind;
mod last_good;
pub mod limits;
mod load;
mod loaded;
mod source;
mod suggestion;
mod watch;
mod yaml;

pub use adapter::{
    Adapter, AdapterLimits, Capabilities, FailurePolicy, HttpSink, Layout, Phase, PluginSource, Signature, Sink, Store,
    Upstream,
};
pub use diagnostic::{Diagnostic, Diagnostics, Place, Related, Severity};
pub use envelope::DEFAULT_NAMESPACE;
pub use error::Error;
pub use excerpt::Excerpt;
pub use kind::Kind;
pub use last_good::LastGood;
pub use load::{Options, load, load_sources};
pub use loaded::Loaded;
pub use source::{SourceFile, Sources, Version};
pub use suggestion::nearest;
pub use watch::{Change, Watch};
pub use yaml::{Node, Yaml, documents};
