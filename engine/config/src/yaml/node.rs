//! YAML as a tree with positions, for documents whose fields are not known to a type.

use std::collections::HashSet;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, ScalarStyle};

use super::{Complaint, bytes, events};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::limits::{MAX_DOCUMENTS, MAX_EVENTS};

/// A YAML value and where it stands.
#[derive(Debug)]
pub struct Node {
    pub(super) range: Range<usize>,
    pub(super) content: Content,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar(String, ScalarStyle),
    Mapping(Vec<(String, Range<usize>, Node)>),
    Sequence(Vec<Node>),
    Alias,
}

/// What a [`Node`] holds.
#[derive(Debug)]
pub enum Yaml<'n> {
    /// A text; `plain` says that it stands without quotes, so that it may be a number, `true`, `false` or `null`.
    Scalar {
        /// The text, quotes and escapes undone.
        text: &'n str,
        /// Whether it stands without quotes.
        plain: bool,
    },
    /// Keys, where each stands, and their values, in the order of the file.
    Mapping(&'n [(String, Range<usize>, Node)]),
    /// Elements.
    Sequence(&'n [Node]),
}

impl Node {
    /// Where it stands, in bytes of the text.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// What it holds. An alias is an empty text; [`documents`] lets none through.
    pub fn yaml(&self) -> Yaml<'_> {
        match &self.content {
            Content::Scalar(text, style) => Yaml::Scalar { text, plain: *style == ScalarStyle::Plain },
            Content::Mapping(entries) => Yaml::Mapping(entries),
            Content::Sequence(items) => Yaml::Sequence(items),
            Content::Alias => Yaml::Scalar { text: "", plain: true },
        }
    }
}

/// The documents of `text`, which is the content of `file`; empty ones are left out. Aliases, tags and keys that are
/// collections are refused: what a value is shall be seen where it stands.
///
/// # Errors
/// The first thing that is wrong, with its place and the fix; more than [`MAX_DOCUMENTS`] documents or, in one of them,
/// [`MAX_EVENTS`] values. The caller bounds the length of the text.
pub fn documents(file: &str, text: &str) -> Result<Vec<Node>, Diagnostics> {
    let (mut builder, mut found, mut count) = (Builder::default(), Vec::new(), 0);
    let refused = |range, message: &str, help: &str| {
        Err(Diagnostics::from(Diagnostic::at(file, text, range, message).help(Some(help.to_owned()))))
    };
    for event in events(text) {
        let (event, range) = match event {
            Ok((event, span)) => (event, bytes(&span)),
            Err(error) => {
                let complaint = Complaint::of_parser(text, &error);
                let diagnostic = Diagnostic::at(file, text, complaint.range, complaint.message);
                return Err(diagnostic.help(complaint.help).into());
            }
        };
        count += 1;
        match &event {
            Event::DocumentStart(..) => count = 0,
            Event::Alias(_) => return refused(range, "aliases are not read here", "write the value out"),
            _ if count > MAX_EVENTS => {
                let message = format!("the document is too large: more than {MAX_EVENTS} values");
                return refused(range, &message, "split it into smaller ones");
            }
            _ => {}
        }
        let Some(node) = builder.take(event, range) else { continue };
        if let Some(tag) = builder.tag.take() {
            return refused(tag, "tags are not read here", "remove the tag; the declared type says what it is");
        }
        if let Some(key) = builder.odd_key.take() {
            return refused(key, "a key must be a text", "write one word, or a text in quotes");
        }
        if let Some(key) = builder.repeated.take() {
            return refused(key, "a key appears twice in one mapping", "remove one of the two, or merge their values");
        }
        // Nothing between two `---`, or only comments, is no document.
        if matches!(node.yaml(), Yaml::Scalar { text: "" | "~" | "null", plain: true }) {
            continue;
        }
        if found.len() >= MAX_DOCUMENTS {
            return refused(node.range, &format!("too many documents: at most {MAX_DOCUMENTS}"), "split the file");
        }
        found.push(node);
    }
    Ok(found)
}

/// The first document of `text`; none when it does not parse.
pub(super) fn first(text: &str) -> Option<Node> {
    let mut builder = Builder::default();
    for event in events(text) {
        let (event, span) = event.ok()?;
        if let Some(node) = builder.take(event, bytes(&span)) {
            return Some(node);
        }
    }
    None
}

/// Makes nodes of events.
#[derive(Debug, Default)]
struct Builder {
    open: Vec<Open>,
    /// The first value with a tag.
    tag: Option<Range<usize>>,
    /// The first key that is a collection.
    odd_key: Option<Range<usize>>,
    /// The first key that stands twice in one mapping.
    repeated: Option<Range<usize>>,
}

/// A collection whose end has not come yet.
#[derive(Debug)]
struct Open {
    node: Node,
    key: Option<(String, Range<usize>)>,
}

impl Builder {
    /// The whole value of a document, when the event ends one.
    fn take(&mut self, event: Event<'_>, range: Range<usize>) -> Option<Node> {
        if let Event::Scalar(.., Some(_)) | Event::SequenceStart(.., Some(_)) | Event::MappingStart(.., Some(_)) = event
        {
            self.tag.get_or_insert(range.clone());
        }
        let node = match event {
            Event::MappingStart(..) => return self.open(range, Content::Mapping(Vec::new())),
            Event::SequenceStart(..) => return self.open(range, Content::Sequence(Vec::new())),
            Event::MappingEnd | Event::SequenceEnd => self.close(range.end)?,
            Event::Scalar(text, style, ..) => Node { range, content: Content::Scalar(text.into_owned(), style) },
            Event::Alias(_) => Node { range, content: Content::Alias },
            _ => return None,
        };
        let Some(parent) = self.open.last_mut() else { return Some(node) };
        match &mut parent.node.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping(entries) => match parent.key.take() {
                Some((key, range)) => entries.push((key, range, node)),
                None => {
                    let key = match node.content {
                        Content::Scalar(text, _) => text,
                        // A collection as a key: no path can name it.
                        _ => {
                            self.odd_key.get_or_insert(node.range.clone());
                            String::new()
                        }
                    };
                    parent.key = Some((key, node.range));
                }
            },
            Content::Scalar(..) | Content::Alias => {}
        }
        None
    }

    fn open(&mut self, range: Range<usize>, content: Content) -> Option<Node> {
        self.open.push(Open { node: Node { range, content }, key: None });
        None
    }

    fn close(&mut self, end: usize) -> Option<Node> {
        let mut node = self.open.pop()?.node;
        node.range.end = end.max(node.range.end);
        if let Content::Mapping(entries) = &node.content {
            let mut seen = HashSet::new();
            if let Some((_, again, _)) = entries.iter().find(|(key, ..)| !seen.insert(key)) {
                self.repeated.get_or_insert(again.clone());
            }
        }
        Some(node)
    }
}
