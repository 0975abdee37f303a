//! The line of a file that a diagnostic shows: cropped, and with secrets masked.

use std::ops::Range;

use serde::{Serialize, Serializer};

use crate::diagnostic::is_unprintable;
use crate::limits::MAX_EXCERPT;

mod secret;
#[cfg(test)]
mod tests;

/// One line of a file and the part of it that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    text: String,
    marked: Range<usize>,
}

impl Excerpt {
    /// The line of `text` in which `range` begins, with what of `range` is on that line marked.
    pub(crate) fn cut(text: &str, range: Range<usize>) -> Self {
        Self::cut_masked(text, range, false)
    }

    /// As [`Excerpt::cut`]; with `secret`, all values on the line are masked whatever its key says.
    pub(crate) fn cut_masked(text: &str, range: Range<usize>, secret: bool) -> Self {
        let start = floor(text, range.start);
        let line = line_around(text, start);
        let shown = text.get(line.clone()).unwrap_or_default();
        let marked = start - line.start..floor(text, range.end).clamp(start, line.end.max(start)) - line.start;
        let mask = secret::mask_from(text, line.clone(), secret);
        let (shown, marked) = match mask {
            Some(from) => masked(shown, marked, from),
            None => (shown.to_owned(), marked),
        };
        crop(&shown, marked)
    }

    /// The line as it is shown. Tabs and other control characters are replaced by one space each.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of [`Excerpt::text`] that are meant; may be empty at the end of the line.
    pub fn marked(&self) -> Range<usize> {
        self.marked.clone()
    }
}

/// As `{"text": ..., "from": ..., "to": ...}` with offsets in characters.
impl Serialize for Excerpt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let chars = |end: usize| self.text.get(..end).map_or(0, |t| t.chars().count());
        let mut out = serializer.serialize_struct("Excerpt", 3)?;
        out.serialize_field("text", &self.text)?;
        out.serialize_field("from", &chars(self.marked.start))?;
        out.serialize_field("to", &chars(self.marked.end))?;
        out.end()
    }
}

/// Line and column, both from 1, of byte `offset` of `text`; columns count characters.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..floor(text, offset)).unwrap_or_default();
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before.get(start..).unwrap_or_default().chars().count() + 1)
}

/// The byte offset of `line` and `column` (from 1, in characters), or the nearest one that exists.
pub(crate) fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text.get(start..).and_then(|rest| rest.find('\n')) {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    let line = line_around(text, start);
    let shown = text.get(line.clone()).unwrap_or_default();
    line.start + shown.char_indices().nth(column.saturating_sub(1)).map_or(shown.len(), |(at, _)| at)
}

/// The last character boundary at or before `offset`.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset.min(text.len()))
}

fn line_around(text: &str, offset: usize) -> Range<usize> {
    let start = text.get(..offset).and_then(|t| t.rfind('\n')).map_or(0, |at| at + 1);
    let end = text.get(offset..).and_then(|t| t.find('\n')).map_or(text.len(), |at| offset + at);
    let end = if text.get(start..end).is_some_and(|line| line.ends_with('\r')) { end - 1 } else { end };
    start..end.max(start)
}

fn masked(line: &str, marked: Range<usize>, from: usize) -> (String, Range<usize>) {
    const MASK: &str = "***";
    let from = floor(line, from);
    let text = format!("{}{MASK}", line.get(..from).unwrap_or_default());
    // What was hidden is marked as a whole: its length is nobody's business.
    let start = marked.start.min(from);
    let end = if marked.end > from { text.len() } else { marked.end };
    (text, start..end.max(start))
}

/// At most [`MAX_EXCERPT`] characters around the start of what is marked.
fn crop(line: &str, marked: Range<usize>) -> Excerpt {
    const GAP: &str = "...";
    let before = line.get(..marked.start).unwrap_or_default().chars().count();
    let skip = if before > MAX_EXCERPT / 2 { before - MAX_EXCERPT / 3 } else { 0 };
    let mut text = if skip > 0 { GAP.to_owned() } else { String::new() };
    let (mut from, mut to) = (None, None);
    let mut rest = line.char_indices().skip(skip);
    for (at, c) in rest.by_ref().take(MAX_EXCERPT) {
        if at >= marked.start {
            from.get_or_insert(text.len());
        }
        if at >= marked.end {
            to.get_or_insert(text.len());
        }
        text.push(if is_unprintable(c) { ' ' } else { c });
    }
    let from = from.unwrap_or(text.len());
    let to = to.unwrap_or(text.len());
    if rest.next().is_some() {
        text.push_str(GAP);
    }
    Excerpt { text, marked: from..to.max(from) }
}
