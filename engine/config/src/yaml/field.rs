//! Where a field of a document stands: a path such as `spec.rules[0].when[1].key` becomes bytes of the file.

use std::ops::Range;

use super::align;
use super::node::{self, Content, Node};

/// A document read once more, with positions. Only built when there is something to say.
#[derive(Debug)]
pub(crate) struct Fields<'t> {
    text: &'t str,
    base: usize,
    root: Option<Node>,
}

impl<'t> Fields<'t> {
    /// Reads the document that is the bytes `range` of `text`. What does not parse is simply not found later.
    pub(crate) fn read(text: &'t str, range: Range<usize>) -> Self {
        let part = text.get(range.clone()).unwrap_or_default();
        Fields { text: part, base: range.start, root: node::first(part) }
    }

    /// The bytes of the file that `path` means: of a scalar its text, of anything else its key. When the document has no
    /// such field, the nearest one above it. With `span`, those bytes of the scalar's text.
    pub(crate) fn find(&self, path: &str, span: Option<Range<usize>>) -> Range<usize> {
        let Some(root) = &self.root else {
            return self.base..self.base;
        };
        let (mut node, mut rest) = (root, path);
        let mut key = None;
        while !rest.is_empty() {
            let Some((found_key, found, found_rest)) = step(node, rest) else {
                // The field is missing: its parent is where to write it.
                return self.shift(self.shown(key.unwrap_or_else(|| node.range.clone())));
            };
            (node, rest) = (found, found_rest);
            key = found_key.or(match node.content {
                Content::Scalar(..) | Content::Alias => None,
                _ => Some(node.range.clone()),
            });
        }
        let range = match (&node.content, span) {
            (Content::Scalar(decoded, style), Some(span)) => {
                align::source_range(self.text, node.range.clone(), *style, decoded, span)
            }
            (Content::Scalar(..) | Content::Alias, _) if !node.range.is_empty() => self.shown(node.range.clone()),
            _ => self.shown(key.unwrap_or_else(|| node.range.clone())),
        };
        self.shift(range)
    }

    /// The scalar at `path`, if there is one.
    pub(crate) fn scalar(&self, path: &str) -> Option<&str> {
        let (mut node, mut rest) = (self.root.as_ref()?, path);
        while !rest.is_empty() {
            (_, node, rest) = step(node, rest)?;
        }
        match &node.content {
            Content::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The first line of `range`, at least one character.
    fn shown(&self, range: Range<usize>) -> Range<usize> {
        let text = self.text.get(range.start..range.end.max(range.start)).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim_end().len();
        let rest = self.text.get(range.start..).unwrap_or_default();
        let first = rest.chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        range.start..range.start + line.max(first)
    }

    fn shift(&self, range: Range<usize>) -> Range<usize> {
        range.start + self.base..range.end + self.base
    }
}

/// One step down `path`: the key's place, the node, and the rest of the path. Keys may hold dots, so the longest that fits wins.
fn step<'n, 'p>(node: &'n Node, path: &'p str) -> Option<(Option<Range<usize>>, &'n Node, &'p str)> {
    let path = path.strip_prefix('.').unwrap_or(path);
    match &node.content {
        Content::Mapping(entries) => entries
            .iter()
            .filter_map(|(key, range, value)| Some((key.len(), after_key(path, key)?, range, value)))
            .max_by_key(|(length, ..)| *length)
            .map(|(_, rest, range, value)| (Some(range.clone()), value, rest)),
        Content::Sequence(items) => {
            let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
            Some((None, items.get(index.parse::<usize>().ok()?)?, rest))
        }
        Content::Scalar(..) | Content::Alias => None,
    }
}

/// What follows `key` in `path`, written plainly or as `["key"]`.
fn after_key<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    let quoted = |path: &'p str| path.strip_prefix("[\"")?.strip_prefix(key)?.strip_prefix("\"]");
    let plain = |path: &'p str| path.strip_prefix(key).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    quoted(path).or_else(|| plain(path))
}
