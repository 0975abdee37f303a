//! The bag itself: one buffer of text, one cell an attribute, header lines in order.

mod builder;

use std::sync::Arc;

use crate::{Headers, Labels, Map, Slot, Struct, Type, Value, World, headers::trim, slot};

pub use builder::Builder;

/// A piece of the bag's text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

/// One header line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

#[derive(Clone, Debug, Default)]
enum Cell {
    #[default]
    Absent,
    Text(Span),
    Shared(Arc<str>),
    Static(&'static str),
    Int(i64),
    Bool(bool),
    Labels(Labels),
    Struct(Arc<Struct>),
}

/// The facts about one request: it owns them all, so it can cross an await, a thread and a queue.
///
/// Texts are copied once into one buffer and are read as slices of it. There is no interior mutability: readers share it.
#[derive(Clone, Debug)]
pub struct Bag {
    text: String,
    cells: Box<[Cell; slot::COUNT]>,
    lines: Vec<Line>,
    response: Vec<Line>,
    joined: bool,
    /// Other readings of the path, each as target with query and as path without.
    paths: Vec<(Span, Span)>,
    body: Option<Box<[u8]>>,
}

impl Default for Bag {
    fn default() -> Self {
        Self {
            text: String::new(),
            cells: Box::new([const { Cell::Absent }; slot::COUNT]),
            lines: Vec::new(),
            response: Vec::new(),
            joined: false,
            paths: Vec::new(),
            body: None,
        }
    }
}

impl Bag {
    /// An empty bag to fill.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// An empty bag with room for `text` bytes and `lines` header lines.
    #[must_use]
    pub fn with_capacity(text: usize, lines: usize) -> Self {
        Self { text: String::with_capacity(text), lines: Vec::with_capacity(lines), ..Self::default() }
    }

    pub(crate) fn text(&self, span: Span) -> &str {
        // INVARIANT: spans are made by `push` alone and the text never shrinks; the fallback is unreachable.
        self.text.get(span.start as usize..(span.start + span.len) as usize).unwrap_or_default()
    }

    fn push(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        // A frame is limited to megabytes by its door, far below 4 GiB.
        Span { start: start as u32, len: text.len() as u32 }
    }

    #[inline(always)]
    fn cell(&self, slot: Slot) -> &Cell {
        // INVARIANT: a slot's index is below COUNT.
        self.cells.get(slot.index()).unwrap_or(&Cell::Absent)
    }

    fn put(&mut self, slot: Slot, cell: Cell) {
        if let Some(place) = self.cells.get_mut(slot.index()) {
            *place = cell;
        }
    }

    /// The value of that attribute as the proxy told it; none when absent.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<Value<'_>> {
        match self.cell(slot) {
            Cell::Absent => match slot {
                slot::REQUEST_HEADERS => Some(Value::Map(Map::Headers(self.headers()))),
                slot::REQUEST_HEADERS_ALL => Some(Value::ListMap(self.headers())),
                slot::RESPONSE_HEADERS if !self.response.is_empty() => {
                    Some(Value::Map(Map::Headers(self.response_headers())))
                }
                _ => None,
            },
            Cell::Text(span) => Some(Value::String(self.text(*span))),
            Cell::Shared(text) => Some(Value::String(text)),
            Cell::Static(text) => Some(Value::String(text)),
            Cell::Bool(value) => Some(Value::Bool(*value)),
            Cell::Labels(labels) => Some(Value::Map(Map::Labels(labels))),
            Cell::Struct(map) => Some(Value::Struct(map)),
            Cell::Int(value) => Some(match slot.attribute().ty {
                Type::Timestamp => Value::Timestamp(*value),
                Type::Duration => Value::Duration(*value),
                _ => Value::Int(*value),
            }),
        }
    }

    /// The text of that attribute; none when absent or not a string.
    #[must_use]
    #[inline]
    pub fn str(&self, slot: Slot) -> Option<&str> {
        match self.cell(slot) {
            Cell::Text(span) => Some(self.text(*span)),
            Cell::Shared(text) => Some(text),
            Cell::Static(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes of that text, which is faster than [`Bag::str`]; none when absent or not a string.
    #[must_use]
    #[inline(always)]
    pub fn bytes(&self, slot: Slot) -> Option<&[u8]> {
        let cell = self.cell(slot);
        if let Cell::Text(span) = cell {
            return self.text.as_bytes().get(span.start as usize..)?.get(..span.len as usize);
        }
        match cell {
            Cell::Shared(text) => Some(text.as_bytes()),
            Cell::Static(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The number of that attribute (int, timestamp or duration); none when absent.
    #[must_use]
    #[inline]
    pub fn int(&self, slot: Slot) -> Option<i64> {
        match self.cell(slot) {
            Cell::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The truth value of that attribute; none when absent.
    #[must_use]
    pub fn bool(&self, slot: Slot) -> Option<bool> {
        match self.cell(slot) {
            Cell::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The map of that attribute; none when absent.
    #[must_use]
    pub fn struct_of(&self, slot: Slot) -> Option<&Arc<Struct>> {
        match self.cell(slot) {
            Cell::Struct(map) => Some(map),
            _ => None,
        }
    }

    /// The request's header lines as the proxy told them.
    #[must_use]
    pub fn headers(&self) -> Headers<'_> {
        Headers { bag: self, lines: &self.lines, joined: self.joined, splits: None }
    }

    /// The response's header lines.
    #[must_use]
    pub fn response_headers(&self) -> Headers<'_> {
        Headers { bag: self, lines: &self.response, joined: false, splits: None }
    }

    /// The bag as the proxy told it.
    #[must_use]
    pub fn as_told(&self) -> World<'_> {
        World::as_told(self)
    }

    /// How many readings of the path there are: 1 when there is no doubt.
    #[must_use]
    pub fn paths(&self) -> usize {
        self.paths.len() + 1
    }

    pub(crate) fn alternative(&self, index: usize, slot: Slot) -> Option<&str> {
        let (target, path) = self.paths.get(index)?;
        Some(self.text(if slot == slot::REQUEST_PATH { *target } else { *path }))
    }

    /// Sets a text. Setting it again replaces it.
    pub fn set_text(&mut self, slot: Slot, text: &str) {
        let span = self.push(text);
        self.put(slot, Cell::Text(span));
    }

    /// Sets a text that many bags share.
    pub fn set_shared(&mut self, slot: Slot, text: Arc<str>) {
        self.put(slot, Cell::Shared(text));
    }

    /// Sets a text that never changes.
    pub fn set_static(&mut self, slot: Slot, text: &'static str) {
        self.put(slot, Cell::Static(text));
    }

    /// Sets an attribute to what another of the same type is, absent included.
    pub fn copy(&mut self, slot: Slot, from: Slot) {
        let cell = self.cell(from).clone();
        self.put(slot, cell);
    }

    /// Sets an attribute to a part of another text attribute of this bag, without a copy. Nothing happens when `whole` is
    /// not a text of the bag's own or `range` is not inside it.
    pub fn set_part(&mut self, slot: Slot, whole: Slot, range: std::ops::Range<usize>) {
        let Cell::Text(span) = *self.cell(whole) else { return };
        if range.start <= range.end && range.end <= span.len as usize && self.text(span).get(range.clone()).is_some() {
            self.put(
                slot,
                Cell::Text(Span { start: span.start + range.start as u32, len: (range.end - range.start) as u32 }),
            );
        }
    }

    /// Sets an attribute to the value of the first line of that header, without a copy; nothing happens without one.
    pub fn set_from_header(&mut self, slot: Slot, name: &str) {
        if let Some(value) = self.lines.iter().find(|line| self.text(line.name) == name).map(|line| line.value) {
            self.put(slot, Cell::Text(value));
        }
    }

    /// Sets a number: an int, or nanoseconds for a timestamp or duration.
    pub fn set_int(&mut self, slot: Slot, value: i64) {
        self.put(slot, Cell::Int(value));
    }

    /// Sets a truth value.
    pub fn set_bool(&mut self, slot: Slot, value: bool) {
        self.put(slot, Cell::Bool(value));
    }

    /// Sets labels.
    pub fn set_labels(&mut self, slot: Slot, labels: Labels) {
        self.put(slot, Cell::Labels(labels));
    }

    /// Sets a map of JSON.
    pub fn set_struct(&mut self, slot: Slot, map: Arc<Struct>) {
        self.put(slot, Cell::Struct(map));
    }

    /// Makes an attribute absent.
    pub fn clear(&mut self, slot: Slot) {
        self.put(slot, Cell::Absent);
    }

    /// Appends a request header line; the name is lower-cased, the value trimmed.
    pub fn add_header(&mut self, name: &str, value: &str) {
        let line = self.line(name, value);
        self.lines.push(line);
    }

    /// Replaces all request header lines of that name by one.
    pub fn set_header(&mut self, name: &str, value: &str) {
        self.remove_header(name);
        self.add_header(name, value);
    }

    /// Removes all request header lines of that name, which is compared without case.
    pub fn remove_header(&mut self, name: &str) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.retain(|line| !self.text(line.name).eq_ignore_ascii_case(name));
        self.lines = lines;
    }

    /// Keeps the request's body, or as much of it as the proxy told.
    pub fn set_body(&mut self, body: &[u8]) {
        self.body = Some(body.into());
    }

    /// The request's body as far as the proxy told it; no policy reads it, external authorizers can be sent it.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// Appends a response header line; the name is lower-cased, the value trimmed.
    pub fn add_response_header(&mut self, name: &str, value: &str) {
        let line = self.line(name, value);
        self.response.push(line);
    }

    fn line(&mut self, name: &str, value: &str) -> Line {
        let span = self.push(name);
        if let Some(copy) = self.text.get_mut(span.start as usize..) {
            copy.make_ascii_lowercase();
        }
        Line { name: span, value: self.push(trim(value)) }
    }

    /// Says that the proxy joined the lines of each header name by commas before it told us.
    pub fn set_joined_by_proxy(&mut self, joined: bool) {
        self.joined = joined;
    }

    /// Adds another reading of the path, as target (with query) and as path (without).
    pub fn add_path(&mut self, target: &str, path: &str) {
        let reading = (self.push(target), self.push(path));
        self.paths.push(reading);
    }

    /// Changes the path with its query in every reading of it; none leaves a reading as it is. What stands before the query
    /// must stay.
    pub fn edit_targets(&mut self, edit: impl Fn(&str) -> Option<String>) {
        if let Some(edited) = self.str(slot::REQUEST_PATH).and_then(&edit) {
            self.set_text(slot::REQUEST_PATH, &edited);
        }
        for index in 0..self.paths.len() {
            let edited = self.alternative(index, slot::REQUEST_PATH).and_then(&edit);
            let Some(span) = edited.map(|edited| self.push(&edited)) else { continue };
            if let Some((target, _)) = self.paths.get_mut(index) {
                *target = span;
            }
        }
    }

    /// Whether anything is in doubt: header lines were joined, or the path has several readings.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.joined || !self.paths.is_empty()
    }

    /// About how many bytes it holds.
    #[must_use]
    pub fn size(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.cells)
            + self.text.capacity()
            + self.body.as_deref().map_or(0, <[u8]>::len)
            + (self.lines.capacity() + self.response.capacity()) * size_of::<Line>()
    }
}

#[cfg(test)]
mod tests;
