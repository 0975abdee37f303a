//! What is wrong with a document, and what to do about it.

use std::ops::Range;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration is accepted; the author probably meant something else.
    Warning,
}

/// One problem of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The `id` of the document.
    pub document: usize,
    /// The field, as `spec.rules[0].when[1].key`.
    pub path: String,
    /// Bytes inside that scalar's text, for expressions.
    pub span: Option<Range<usize>>,
    /// What is wrong, in lower case.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// Collects the problems of one document.
#[derive(Debug)]
pub(crate) struct Problems<'a> {
    list: &'a mut Vec<Problem>,
    document: usize,
    errors: usize,
}

impl<'a> Problems<'a> {
    pub(crate) fn of(document: usize, list: &'a mut Vec<Problem>) -> Self {
        Self { list, document, errors: 0 }
    }

    /// How many errors this document has had so far.
    pub(crate) fn count(&self) -> usize {
        self.errors
    }

    /// Whether this document has had no error so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors == 0
    }

    pub(crate) fn error(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.errors += 1;
        self.push(Severity::Error, path, None, message.into(), Some(help.into()));
    }

    pub(crate) fn error_at(
        &mut self,
        path: &str,
        span: Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.errors += 1;
        self.push(Severity::Error, path, Some(span), message.into(), help);
    }

    pub(crate) fn warn(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Warning, path, None, message.into(), Some(help.into()));
    }

    pub(crate) fn warn_at(&mut self, path: &str, span: Range<usize>, message: impl Into<String>, help: String) {
        self.push(Severity::Warning, path, Some(span), message.into(), Some(help));
    }

    fn push(
        &mut self,
        severity: Severity,
        path: &str,
        span: Option<Range<usize>>,
        message: String,
        help: Option<String>,
    ) {
        self.list.push(Problem { severity, document: self.document, path: path.to_owned(), span, message, help });
    }
}

/// The candidate that is most like `word`, when one is like enough to be what was meant.
pub(crate) fn similar<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many characters must be changed, added or removed (Levenshtein), on at most 64 characters of each.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, a) in from.chars().take(64).enumerate() {
        let mut next = vec![above + 1];
        for (column, b) in to.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&row, column) + usize::from(a != *b);
            next.push(changed.min(at(&row, column + 1) + 1).min(at(&next, column) + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
