//! Where a part of a scalar's value stands in the file, whatever way the scalar is written.
//!
//! Folding, indentation and line breaks change only white space, so the n-th visible character of the value is the n-th
//! visible character of the source, once escapes are read as the one character that they mean.

use std::ops::Range;

use serde_saphyr::granit_parser::ScalarStyle;

/// The bytes of `text` that hold the bytes `span` of `decoded`; `range` is where the scalar stands.
pub(super) fn source_range(
    text: &str,
    range: Range<usize>,
    style: ScalarStyle,
    decoded: &str,
    span: Range<usize>,
) -> Range<usize> {
    let visible = |end: usize| {
        let end = decoded.floor_char_boundary(end.min(decoded.len()));
        decoded.get(..end).unwrap_or_default().chars().filter(|c| !c.is_whitespace()).count()
    };
    let (first, after) = (visible(span.start), visible(span.end));
    let source = text.get(range.clone()).unwrap_or_default();
    let mut units = Units { source, at: 0, style };
    if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
        units.at = 1;
    }
    let mut units = units.filter(|(_, c)| !c.is_whitespace()).map(|(at, _)| at);
    let Some(start) = units.nth(first) else {
        // The end of an expression is where something is missing.
        let end = range.start + source.trim_end().len();
        return end..end;
    };
    let end = match after.saturating_sub(first) {
        0 | 1 => start.end,
        more => units.nth(more - 2).map_or(source.len(), |last| last.end),
    };
    // An excerpt is one line; a span that goes on underlines its first line.
    let line = source.get(start.start..end).and_then(|part| part.lines().next()).unwrap_or_default().trim_end().len();
    range.start + start.start..range.start + start.start + line.max(start.end - start.start)
}

/// The characters that a scalar's source means, each with the bytes that write it.
struct Units<'s> {
    source: &'s str,
    at: usize,
    style: ScalarStyle,
}

impl Iterator for Units<'_> {
    type Item = (Range<usize>, char);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.source.get(self.at..)?;
        let c = rest.chars().next()?;
        let (length, meant) = match (self.style, c) {
            (ScalarStyle::SingleQuoted, '\'') if rest.starts_with("''") => (2, '\''),
            (ScalarStyle::SingleQuoted, '\'') | (ScalarStyle::DoubleQuoted, '"') => return None,
            (ScalarStyle::DoubleQuoted, '\\') => escape(rest),
            _ => (c.len_utf8(), c),
        };
        let start = self.at;
        self.at += length;
        Some((start..self.at, meant))
    }
}

/// The length of the escape that `rest` begins with, and what it means.
fn escape(rest: &str) -> (usize, char) {
    let hex = |digits: usize| {
        let value = rest.get(2..2 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        (2 + digits, value.and_then(char::from_u32).unwrap_or('\u{fffd}'))
    };
    match rest.chars().nth(1) {
        Some('x') => hex(2),
        Some('u') => hex(4),
        Some('U') => hex(8),
        Some('n') => (2, '\n'),
        Some('t' | '\t') => (2, '\t'),
        Some('r') => (2, '\r'),
        Some('v') => (2, '\u{b}'),
        Some('f') => (2, '\u{c}'),
        Some('N') => (2, '\u{85}'),
        Some('_') => (2, '\u{a0}'),
        Some('L') => (2, '\u{2028}'),
        Some('P') => (2, '\u{2029}'),
        Some('0') => (2, '\0'),
        Some('a') => (2, '\u{7}'),
        Some('b') => (2, '\u{8}'),
        Some('e') => (2, '\u{1b}'),
        // A quote, a slash, a space, or a line break that joins lines.
        Some(other) => (1 + other.len_utf8(), other),
        None => (1, '\\'),
    }
}
