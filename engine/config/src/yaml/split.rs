//! A file becomes its documents: where each stands, and which kind it says it is.

use std::ops::Range;

use serde_saphyr::granit_parser::{Event, ScalarStyle};

use super::{Complaint, bytes, events};
use crate::limits::{MAX_DOCUMENTS, MAX_EVENTS};

/// One document of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its bytes, from the start of its first line.
    pub(crate) range: Range<usize>,
    /// Where its content begins.
    pub(crate) start: usize,
    /// Whether it is a mapping; a resource must be one.
    pub(crate) is_mapping: bool,
    /// The value of its `apiVersion`, when it is a scalar.
    pub(crate) api_version: Option<Word>,
    /// The value of its `kind`, when it is a scalar.
    pub(crate) kind: Option<Word>,
}

/// A scalar and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) range: Range<usize>,
}

/// The documents of `text` that are not empty, and what stopped the reading when it does not parse to its end.
pub(crate) fn split(text: &str) -> (Vec<Part>, Option<Complaint>) {
    let mut splitter =
        Splitter { text, parts: Vec::new(), current: None, depth: 0, events: 0, key: None, at_key: true };
    for event in events(text) {
        let complaint = match event {
            Ok((event, span)) => splitter.event(&event, bytes(&span)).err(),
            Err(error) => Some(Complaint::of_parser(text, &error)),
        };
        if let Some(complaint) = complaint {
            return (splitter.parts, Some(complaint));
        }
    }
    (splitter.parts, None)
}

struct Splitter<'t> {
    text: &'t str,
    parts: Vec<Part>,
    current: Option<Part>,
    depth: usize,
    events: usize,
    /// The key of the outermost mapping whose value comes next.
    key: Option<String>,
    /// Whether the next node of the outermost mapping is a key.
    at_key: bool,
}

impl Splitter<'_> {
    fn event(&mut self, event: &Event<'_>, at: Range<usize>) -> Result<(), Complaint> {
        self.events += 1;
        if self.events > MAX_EVENTS {
            return Err(Complaint::too_large(at, format!("the document is too large: more than {MAX_EVENTS} values")));
        }
        match event {
            Event::DocumentStart(explicit, _) => return self.start(*explicit, at),
            Event::DocumentEnd => self.end(at),
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if self.depth == 0
                    && let Some(part) = &mut self.current
                {
                    part.start = at.start;
                    part.is_mapping = matches!(event, Event::MappingStart(..));
                }
                self.depth += 1;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.depth = self.depth.saturating_sub(1);
                self.after_value();
            }
            Event::Scalar(text, style, ..) => self.scalar(text, *style, at),
            Event::Alias(_) => self.after_value(),
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, explicit: bool, at: Range<usize>) -> Result<(), Complaint> {
        if self.parts.len() >= MAX_DOCUMENTS {
            return Err(Complaint::too_large(at, format!("too many documents: at most {MAX_DOCUMENTS}")));
        }
        // Columns count from the line's start, so the part must begin there.
        let line = self.text.get(..at.start).and_then(|before| before.rfind('\n')).map_or(0, |found| found + 1);
        let start = if explicit { at.end } else { at.start };
        self.current = Some(Part { range: line..line, start, ..Part::default() });
        (self.depth, self.events, self.key, self.at_key) = (0, 0, None, true);
        Ok(())
    }

    fn end(&mut self, at: Range<usize>) {
        if let Some(mut part) = self.current.take() {
            part.range.end = at.start;
            self.parts.push(part);
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, at: Range<usize>) {
        if self.depth == 0 {
            // Nothing between two `---`, or only comments, is no document.
            if style == ScalarStyle::Plain && matches!(text, "" | "~" | "null") {
                self.current = None;
            } else if let Some(part) = &mut self.current {
                part.start = at.start;
            }
            return;
        }
        if self.depth == 1 {
            if self.at_key {
                self.key = Some(text.to_owned());
            } else if let (Some(part), Some(key)) = (&mut self.current, self.key.as_deref()) {
                let word = Word { text: text.to_owned(), range: at };
                match key {
                    "apiVersion" => part.api_version = Some(word),
                    "kind" => part.kind = Some(word),
                    _ => {}
                }
            }
        }
        self.after_value();
    }

    /// A whole node has passed: in the outermost mapping, keys and values take turns.
    fn after_value(&mut self) {
        if self.depth == 1 {
            self.at_key = !self.at_key;
            if self.at_key {
                self.key = None;
            }
        }
    }
}
