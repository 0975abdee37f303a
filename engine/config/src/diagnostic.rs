//! What is wrong with a configuration, and where: file, line, column, excerpt and fix.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

use crate::excerpt::{Excerpt, position};
use crate::limits::{MAX_DIAGNOSTICS, MAX_PRINTED, MAX_TEXT};

mod render;
#[cfg(test)]
mod tests;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The whole candidate is refused.
    Error,
    /// The candidate is accepted, but its author should know.
    Warning,
}

/// A place in a file. `line` and `column` count from 1, columns in characters; both are 0 when the whole file or folder is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place {
    /// The file (or folder) as the operator would open it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Place {
    /// The whole of `file`.
    pub fn whole(file: impl Into<String>) -> Self {
        Place { file: file.into(), line: 0, column: 0 }
    }

    /// The place of byte `offset` of `text`.
    pub(crate) fn in_text(file: &str, text: &str, offset: usize) -> Self {
        let (line, column) = position(text, offset);
        Place { file: file.to_owned(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = printable(&self.file);
        match self.line {
            0 => write!(f, "{file}"),
            line => write!(f, "{file}:{line}:{}", self.column),
        }
    }
}

/// One thing that is wrong or doubtful in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether it refuses the candidate.
    pub severity: Severity,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What, in one sentence without a full stop.
    pub message: String,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The resource it is about, for example `AuthorizationPolicy shop/deny-all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The line that is meant, with secrets masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Excerpt>,
    /// Another place that explains this one, with what stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub related: Option<Related>,
}

/// The other end of a problem that has two, such as a duplicate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Related {
    /// What stands there.
    pub message: String,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
}

impl Diagnostic {
    /// An error about a whole file or folder.
    pub fn whole(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Place::whole(file), None, message.into())
    }

    /// An error about the bytes `range` of `text`, which is the content of `file`.
    pub fn at(file: &str, text: &str, range: Range<usize>, message: impl Into<String>) -> Self {
        let place = Place::in_text(file, text, range.start);
        Self::new(place, Some(Excerpt::cut(text, range)), message.into())
    }

    /// As [`Diagnostic::at`], where the line holds a secret: its values are masked.
    pub(crate) fn at_secret(file: &str, text: &str, range: Range<usize>, message: impl Into<String>) -> Self {
        let place = Place::in_text(file, text, range.start);
        Self::new(place, Some(Excerpt::cut_masked(text, range, true)), message.into())
    }

    fn new(place: Place, excerpt: Option<Excerpt>, message: String) -> Self {
        let message = bounded(message);
        Diagnostic { severity: Severity::Error, place, message, help: None, resource: None, excerpt, related: None }
    }

    /// With a sentence that says how to fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into().map(bounded);
        self
    }

    /// With the name of the resource.
    #[must_use]
    pub fn about(mut self, resource: impl Into<Option<String>>) -> Self {
        self.resource = resource.into().map(bounded);
        self
    }

    /// With another place that explains it.
    #[must_use]
    pub fn related(mut self, message: impl Into<String>, place: Place) -> Self {
        self.related = Some(Related { message: message.into(), place });
        self
    }

    /// As text for a person: the excerpt with the span underlined. `coloured` writes ANSI escapes.
    pub fn render(&self, coloured: bool) -> String {
        render::single(self, coloured)
    }

    /// As a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

/// One line, for a log or `/status`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, printable(&self.message))?;
        match &self.help {
            Some(help) => write!(f, " ({})", printable(help)),
            None => Ok(()),
        }
    }
}

/// All that is wrong with one candidate, sorted by file and line. At most [`MAX_DIAGNOSTICS`] are kept; all are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diagnostics {
    errors: usize,
    warnings: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Diagnostics {
    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many warnings there are.
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// Whether the candidate must be refused.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.errors + self.warnings == 0
    }

    /// Those kept, by file, line and column.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.diagnostics.iter()
    }

    /// The first error, else the first warning: what fits on one line.
    pub fn first(&self) -> Option<&Diagnostic> {
        self.iter().find(|d| d.severity == Severity::Error).or_else(|| self.diagnostics.first())
    }

    /// As text for a person: excerpts with the span underlined, at most `limit` of them. `coloured` writes ANSI escapes.
    pub fn render(&self, coloured: bool, limit: usize) -> String {
        render::render(self, coloured, limit)
    }

    fn count(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        for diagnostic in diagnostics {
            self.count(diagnostic.severity);
            // Errors push warnings out: a refusal must always say why.
            if self.diagnostics.len() < MAX_DIAGNOSTICS {
                self.diagnostics.push(diagnostic);
            } else if diagnostic.severity == Severity::Error
                && let Some(warning) = self.diagnostics.iter().position(|d| d.severity == Severity::Warning)
                && let Some(kept) = self.diagnostics.get_mut(warning)
            {
                *kept = diagnostic;
            }
        }
        self.diagnostics.sort_by(|a, b| (&a.place, a.severity).cmp(&(&b.place, b.severity)));
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(diagnostics: I) -> Self {
        let mut all = Diagnostics::default();
        all.extend(diagnostics);
        all
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.diagnostics.into_iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics::from_iter([diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, MAX_PRINTED))
    }
}

impl std::error::Error for Diagnostics {}

/// `text` with control characters escaped: what a config file says must not steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_unprintable(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether `c` could move a terminal's cursor, break a line or turn its direction.
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn bounded(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
