//! What the YAML parser and the reader complain about, in our words and with a fix.

use std::ops::Range;

use serde_saphyr::granit_parser::ScanError;
use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use crate::excerpt;
use crate::limits::{MAX_ALIASES, MAX_NESTING, MAX_REPEATED_EVENTS};
use crate::suggestion;

/// One complaint: where, what, and how to fix it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Complaint {
    pub(crate) fn too_large(range: Range<usize>, message: String) -> Self {
        Complaint { range, message, help: Some("split it into smaller ones".to_owned()) }
    }

    /// The syntax of `text` is broken.
    pub(super) fn of_parser(text: &str, error: &ScanError) -> Self {
        let at = match error.marker().byte_offset() {
            Some(offset) => offset,
            None => excerpt::offset(text, error.marker().line(), error.marker().col() + 1),
        };
        Self::of_syntax(text, at, &error.info())
    }

    /// The document `text` parses but does not say what it must.
    pub(super) fn of_reader(text: &str, error: &Error) -> Self {
        let error = innermost(error);
        let range = range(text, error);
        let (message, help) = match error {
            Error::SerdeUnknownField { field, expected, .. } => {
                (format!("unknown field `{field}`"), suggestion::help(field, expected))
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                (format!("unknown value `{variant}`"), suggestion::help(variant, expected))
            }
            Error::SerdeMissingField { field, .. } => {
                (format!("missing field `{field}`"), Some(format!("add `{field}: ...` here")))
            }
            Error::DuplicateMappingKey { key, .. } => (
                match key {
                    Some(key) => format!("the key `{key}` appears twice in one mapping"),
                    None => "a key appears twice in one mapping".to_owned(),
                },
                Some("remove one of the two, or merge their values".to_owned()),
            ),
            Error::SerdeInvalidType { unexpected, expected, .. } => type_error(unexpected, expected),
            Error::SerdeInvalidValue { unexpected, expected, .. } => {
                (format!("expected {expected}, found {unexpected}"), None)
            }
            Error::QuotingRequired { value, .. } => {
                (format!("expected a string, found `{value}`"), Some(format!("write it in quotes: \"{value}\"")))
            }
            Error::NullIntoString { .. } => {
                ("expected a string, found nothing".to_owned(), Some("write a value, or remove the key".to_owned()))
            }
            Error::InvalidBooleanStrict { .. } => {
                ("expected true or false".to_owned(), Some("write `true` or `false`".to_owned()))
            }
            Error::InvalidScalar { ty, .. } => (format!("expected {}", plain_type(ty)), None),
            Error::Unexpected { expected, .. } => unexpected(text, &range, expected),
            Error::MergeKeyNotAllowed { .. } => {
                ("merge keys (`<<`) are not supported".to_owned(), Some("write the fields out".to_owned()))
            }
            Error::UnsupportedTag { tag, .. } => {
                (format!("the tag `{tag}` is not supported"), Some("remove the tag".to_owned()))
            }
            Error::Budget { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayCounterOverflow { .. } => (
                "the document is too large once its aliases are written out".to_owned(),
                Some(format!(
                    "use fewer aliases: at most {MAX_ALIASES}, repeating at most {MAX_REPEATED_EVENTS} values, {MAX_NESTING} levels deep"
                )),
            ),
            other => return Self::of_syntax(text, range.start, &UserMessageFormatter.format_message(other)),
        };
        Complaint { range, message, help }
    }

    fn of_syntax(text: &str, at: usize, info: &str) -> Self {
        let at = excerpt::floor(text, at);
        // The end of the file is where a quote was missed, not where to look.
        let end = text
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(at, |c| at + if c == '\n' { 0 } else { c.len_utf8() });
        Complaint {
            range: at..end,
            message: syntax_message(info),
            help: syntax_help(text, at, info).map(str::to_owned),
        }
    }
}

/// The error itself, without the parser's wrapping.
fn innermost(mut error: &Error) -> &Error {
    while let Error::WithSnippet { error: inner, .. } | Error::AliasError { error: inner, .. } = error {
        error = inner;
    }
    error
}

fn range(text: &str, error: &Error) -> Range<usize> {
    let Some(location) = error.location() else {
        return 0..0;
    };
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    let span = location.span();
    let start = match span.byte_offset() {
        Some(offset) => number(offset),
        None => excerpt::offset(text, number(location.line()), number(location.column())),
    };
    let start = excerpt::floor(text, start);
    let end = excerpt::floor(text, start.saturating_add(span.byte_len().map_or(0, number)));
    // Block scalars and collections reach over their line end; their first line says enough.
    let shown = text.get(start..end).unwrap_or_default();
    let shown = shown.lines().next().unwrap_or_default().trim_end();
    start..start + shown.len().max(text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8))
}

fn type_error(unexpected: &str, expected: &str) -> (String, Option<String>) {
    let expected = plain_type(expected);
    let help = match (expected.as_str(), unexpected) {
        ("a list", found) if !found.starts_with("map") => {
            Some("write each value on a line of its own after `- `, or in [ ]")
        }
        ("a mapping", "sequence") => Some("remove the `- `: this is one mapping, not a list"),
        _ => None,
    };
    (format!("expected {expected}, found {}", plain_type(unexpected)), help.map(str::to_owned))
}

/// What serde calls a type, in YAML's words.
fn plain_type(name: &str) -> String {
    match name {
        "a sequence" | "sequence" | "sequence start" => "a list".to_owned(),
        "a map" | "map" | "mapping" | "mapping start" => "a mapping".to_owned(),
        "unit value" | "null" | "unit" => "nothing".to_owned(),
        "string" | "string scalar" => "a string".to_owned(),
        name if name.starts_with("struct ") => "a mapping".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "unsigned integer" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" | "signed integer" | "integer" => "a whole number".to_owned(),
        other => other.to_owned(),
    }
}

fn unexpected(text: &str, range: &Range<usize>, expected: &str) -> (String, Option<String>) {
    let before = text.get(..range.start).unwrap_or_default();
    let is_item =
        before.get(before.rfind('\n').map_or(0, |at| at + 1)..).is_some_and(|line| line.trim_start().starts_with('-'));
    let line = text.get(range.start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let scalar = line.split(" #").next().unwrap_or_default().trim_end_matches([' ', ',', ']', '}']);
    let is_mapping = plain_type(expected) == "a mapping";
    if is_mapping && matches!(scalar, "" | "~" | "null" | "Null" | "NULL") {
        let help = "write its fields, or remove the entry";
        return ("expected a mapping, found nothing".to_owned(), Some(help.to_owned()));
    }
    let found = match line.chars().next() {
        Some('[') => "sequence",
        Some('{') => "map",
        _ if is_mapping && !scalar.contains(':') => {
            return (
                format!("expected a mapping, found `{scalar}`"),
                Some("write `field: value` pairs here".to_owned()),
            );
        }
        _ if is_item => "sequence",
        _ => return (format!("expected {}", plain_type(expected)), type_error("", expected).1),
    };
    type_error(found, expected)
}

fn syntax_message(info: &str) -> String {
    let message = match info {
        "tabs disallowed within this context (block indentation)" => "a tab in the indentation",
        "mapping values are not allowed in this context" => "a `key: value` pair cannot stand here",
        "while parsing a block mapping, did not find expected key" => "expected a key of the mapping above",
        "while parsing a block collection, did not find expected '-' indicator" => "expected `- ` of the list above",
        "while parsing node, found unknown anchor" => "the alias names an anchor that is not defined above it",
        "while scanning an anchor or alias, did not find expected alphabetic or numeric character" => {
            "a `*` or `&` must be followed by a name"
        }
        "illegal placement of ':' indicator" => "a `:` cannot stand here",
        "YAML directives are disallowed" => "YAML directives (lines that begin with `%`) are not supported",
        "recursion limit exceeded" => "too many mappings and lists inside each other",
        other => other,
    };
    message.to_owned()
}

fn syntax_help(text: &str, at: usize, info: &str) -> Option<&'static str> {
    let before = text.get(..at)?;
    let line = before.rfind('\n').map_or(0, |found| found + 1);
    let leading = text.get(line..)?.split(|c| c != ' ' && c != '\t').next().unwrap_or_default();
    let says = |word: &str| info.contains(word);
    match () {
        () if leading.contains('\t') || says("tab") => Some("indent with spaces: YAML does not allow tabs there"),
        () if says("mapping values are not allowed") => {
            Some("check the indentation of this line and the one above; quote a value that contains `: `")
        }
        () if says("block mapping") || says("block collection") || says("indent") => {
            Some("check the indentation: keys of one mapping and items of one list begin in the same column")
        }
        () if says("quote") => Some("close the quote, or write the text in a block after `|`"),
        () if says("anchor") => {
            Some("quote a value that begins with `*` or `&`; an alias is defined with `&name` above it")
        }
        () if says("flow") || says("bracket") || says("illegal placement of ':'") => {
            Some("close the `[` or `{` above, and put commas between its items")
        }
        () if says("unexpected character") || says("control character") => {
            Some("remove the character; in a text in double quotes it may be written as an escape")
        }
        () if says("directive") => Some("remove the line"),
        () if says("nest") || says("recursion") => Some("write it flatter"),
        () => None,
    }
}
