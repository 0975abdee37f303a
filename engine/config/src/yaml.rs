//! YAML as text: where its documents begin, what is wrong with its syntax, and where a field stands.
//!
//! serde-saphyr reads the documents; the event parser beneath it splits a file and finds positions again when there is
//! something to say about a field.

use std::ops::Range;

use serde_saphyr::granit_parser::{self, Event, Parser, Span};

mod align;
mod complaint;
mod field;
mod node;
mod split;
#[cfg(test)]
mod tests;

pub(crate) use complaint::Complaint;
pub(crate) use field::Fields;
pub use node::{Node, Yaml, documents};
pub(crate) use split::{Part, split};

use crate::limits::{MAX_ALIASES, MAX_EVENTS, MAX_FILE_BYTES, MAX_NESTING, MAX_REPEATED_EVENTS};

/// Reads one document, which is the bytes `range` of `text`, as a `T`.
pub(crate) fn read<'t, T: serde::Deserialize<'t>>(text: &'t str, range: Range<usize>) -> Result<T, Box<Complaint>> {
    let part = text.get(range.clone()).unwrap_or_default();
    serde_saphyr::from_str_with_options(part, options()).map_err(|error| {
        let mut complaint = Complaint::of_reader(part, &error);
        complaint.range = complaint.range.start + range.start..complaint.range.end + range.start;
        Box::new(complaint)
    })
}

fn events(text: &str) -> impl Iterator<Item = Result<(Event<'_>, Span), granit_parser::ScanError>> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_NESTING,
        block_nesting_limit: MAX_NESTING,
    };
    Parser::new_from_str_with_options(text, options)
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_depth: MAX_NESTING,
            max_events: MAX_EVENTS,
            max_nodes: MAX_EVENTS,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_recorded_anchor_events: MAX_REPEATED_EVENTS,
            max_total_scalar_bytes: usize::try_from(MAX_FILE_BYTES).unwrap_or(usize::MAX),
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_REPEATED_EVENTS,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        // The Kubernetes API knows neither merge keys nor `yes` for true, and a number is no string: a file means the same here and there.
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        strict_booleans: true,
        no_schema: true,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
    }
}

fn bytes(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}
