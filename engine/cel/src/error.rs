//! What is wrong with an expression: at compile time with everything at once, at run time with one thing.

use std::{fmt, ops::Range, sync::Arc};

use weir_attributes::Slot;

/// One thing that is wrong with a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where, in bytes of the source.
    pub span: Range<usize>,
    /// What is wrong, in lower case.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Error {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that is wrong with one source, in the order of the source; never empty. It displays each error with its
/// line and column and the line underlined.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Errors {
    text: Arc<str>,
    errors: Vec<Error>,
}

impl Errors {
    pub(crate) fn new(text: Arc<str>, mut errors: Vec<Error>) -> Self {
        errors.sort_by_key(|error| (error.span.start, error.span.end));
        Self { text, errors }
    }

    /// The errors.
    #[must_use]
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }

    /// The source that they are about.
    #[must_use]
    pub fn source_text(&self) -> &str {
        &self.text
    }
}

impl IntoIterator for Errors {
    type Item = Error;
    type IntoIter = std::vec::IntoIter<Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.errors.into_iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let place = Place::find(&self.text, &error.span);
            writeln!(f, "{}:{}: {}", place.line, place.column, error.message)?;
            write!(f, "{place}")?;
            if let Some(help) = &error.help {
                write!(f, "\n  help: {help}")?;
            }
        }
        Ok(())
    }
}

/// How many characters of a long line an excerpt shows.
const EXCERPT_MAX: usize = 100;

/// A span as people look for it: line, column and the line itself with what is meant underlined.
#[derive(Debug)]
pub(crate) struct Place<'s> {
    pub(crate) line: usize,
    pub(crate) column: usize,
    text: &'s str,
    before: usize,
    width: usize,
    cut: (bool, bool),
}

impl<'s> Place<'s> {
    pub(crate) fn find(source: &'s str, span: &Range<usize>) -> Self {
        let start = floor(source, span.start);
        let head = source.get(..start).unwrap_or_default();
        let begin = head.rfind('\n').map_or(0, |newline| newline + 1);
        let end = source.get(start..).and_then(|rest| rest.find('\n')).map_or(source.len(), |newline| start + newline);
        let stop = floor(source, span.end.clamp(start, end));
        // A long line is cut around the span.
        let from = back(source, start, EXCERPT_MAX / 2).max(begin);
        let to = forward(source, from, EXCERPT_MAX).min(end);
        let count = |range: Range<usize>| source.get(range).unwrap_or_default().chars().count();
        Self {
            line: head.matches('\n').count() + 1,
            column: count(begin..start) + 1,
            text: source.get(from..to).unwrap_or_default().trim_end_matches('\r'),
            before: count(from..start),
            width: count(start..stop.min(to)).max(1),
            cut: (from > begin, to < end),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, right) = (if self.cut.0 { "…" } else { "" }, if self.cut.1 { "…" } else { "" });
        writeln!(f, "  | {left}{}{right}", self.text)?;
        let before = self.before + usize::from(self.cut.0);
        write!(f, "  | {:before$}{}", "", "^".repeat(self.width))
    }
}

fn floor(source: &str, mut at: usize) -> usize {
    at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn back(source: &str, from: usize, chars: usize) -> usize {
    source.get(..from).and_then(|head| head.char_indices().rev().nth(chars.saturating_sub(1))).map_or(0, |(at, _)| at)
}

fn forward(source: &str, from: usize, chars: usize) -> usize {
    source.get(from..).and_then(|tail| tail.char_indices().nth(chars)).map_or(source.len(), |(at, _)| from + at)
}

/// Why an evaluation gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EvalErrorKind {
    /// The request does not have that attribute.
    AbsentAttribute(Slot),
    /// A variable has no value.
    AbsentVariable,
    /// A map does not have that key.
    AbsentKey,
    /// A list does not have that place, or a text that position.
    OutOfRange,
    /// No form of the function or operator takes values of these types.
    NoOverload,
    /// A number, timestamp or duration left its range.
    Overflow,
    /// Division or remainder by zero.
    DivideByZero,
    /// A text cannot be read as the type that was asked for.
    Conversion,
    /// A map would hold one key twice.
    RepeatedKey,
    /// A value that cannot be the key of a map.
    BadKey,
    /// `value()` of an empty optional.
    EmptyOptional,
    /// A pattern that is not a regular expression, or too large a one.
    BadPattern,
    /// An unknown name, which only an environment that does not check lets through.
    Undeclared,
    /// A declared function that has no implementation.
    Unimplemented,
    /// The step or byte budget is spent: the evaluation was stopped.
    Budget,
    /// The proxy joined header lines, so that they cannot be told apart.
    Doubt,
    /// Something that it reads is not known: an outcome of its own, which only [`crate::Program::evaluate_partial`] and
    /// its like have inside.
    Unknown,
    /// Anything else that is not valid.
    Invalid,
}

/// An evaluation that gave no value. Its text has names and keys that stand in the source, never a value of the request.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// Why.
    pub kind: EvalErrorKind,
    /// Where, in bytes of the source: of [`EvalError::variable`]'s source when there is one, else of the expression's.
    pub span: Range<usize>,
    /// The lazily evaluated variable in whose expression it happened.
    pub variable: Option<Arc<str>>,
    pub(crate) message: String,
}

/// An [`EvalError`] on its way out: where in which tree, and why. Small, because every step returns one or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: EvalErrorKind,
    /// 0 for the expression itself, else one more than the lazily evaluated variable's index.
    pub(crate) lazy: u16,
    pub(crate) node: u32,
}

impl Fault {
    pub(crate) fn new(kind: EvalErrorKind, node: u32) -> Self {
        Self { kind, lazy: 0, node }
    }

    /// Whether `false &&` and `true ||` do not absorb it.
    pub(crate) fn is_fatal(self) -> bool {
        self.kind == EvalErrorKind::Budget
    }

    /// Whether it is no error: `node` is then the number of a set of what is not known.
    pub(crate) fn is_unknown(self) -> bool {
        self.kind == EvalErrorKind::Unknown
    }

    /// Whether more rounds of a macro may still decide: `errors` says whether errors let them.
    pub(crate) fn is_absorbed(self, errors: bool) -> bool {
        self.is_unknown() || (errors && !self.is_fatal())
    }
}
