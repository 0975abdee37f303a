//! `config.core.v3.Metadata` and `google.protobuf.Struct`: what other filters of the proxy found out, copied out of the
//! frame within the limits of [`weir_attributes::Json`].

use weir_attributes::{JSON_BYTES_MAX, JSON_DEPTH_MAX, Json, JsonError, List, Struct};

use super::walk;
use crate::wire::{Fault, Message, Within};

/// Entries of a map as they come: a later one replaces an earlier one of its key.
type Entries = Vec<(Box<str>, Json)>;

/// The filters' maps, collected.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    entries: Entries,
    bytes: usize,
    error: Option<JsonError>,
}

impl Metadata {
    /// Adds the maps of a `Metadata` message.
    pub(super) fn read(&mut self, message: Message<'_>) -> Result<(), Fault> {
        let mut filters = std::mem::take(&mut self.entries);
        walk(message, |message, tag| match tag.number {
            1 => {
                let entry = message.message(tag).within("filter_metadata")?;
                let empty = Json::Map(Struct::default());
                self.entry(entry, &mut filters, empty, |this, message| this.map(message, 1)).within("filter_metadata")
            }
            _ => message.skip(tag),
        })?;
        latest(&mut filters);
        self.entries = filters;
        Ok(())
    }

    /// All of it as one map.
    pub(crate) fn finish(&self) -> Result<Struct, JsonError> {
        self.error.map_or_else(|| Struct::new(self.entries.clone()), Err)
    }

    fn fail(&mut self, error: JsonError) -> Json {
        self.error = self.error.or(Some(error));
        Json::Null
    }

    /// Whether there is room for so many bytes more.
    fn fits(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > JSON_BYTES_MAX {
            self.fail(JsonError::TooLarge);
        }
        self.error.is_none()
    }

    /// One entry of a map; a value that is empty may be left out on the wire.
    fn entry(
        &mut self,
        message: Message<'_>,
        into: &mut Entries,
        absent: Json,
        value: impl Fn(&mut Self, Message<'_>) -> Result<Json, Fault>,
    ) -> Result<(), Fault> {
        let (mut key, mut read) = ("", None);
        walk(message, |message, tag| match tag.number {
            1 => message.text(tag).map(|text| key = text).within("key"),
            2 => {
                let inner = message.message(tag).within("value")?;
                read = Some(value(self, inner).within("value")?);
                Ok(())
            }
            _ => message.skip(tag),
        })?;
        if self.fits(size_of::<(Box<str>, Json)>() + key.len()) {
            into.push((key.into(), read.unwrap_or(absent)));
        }
        Ok(())
    }

    /// A `Struct` that is inside of `depth` lists and maps.
    fn map(&mut self, message: Message<'_>, depth: usize) -> Result<Json, Fault> {
        if depth >= JSON_DEPTH_MAX {
            return Ok(self.fail(JsonError::TooDeep));
        }
        let mut fields = Entries::new();
        walk(message, |message, tag| match tag.number {
            1 => {
                let entry = message.message(tag).within("fields")?;
                self.entry(entry, &mut fields, Json::Null, |this, message| this.value(message, depth + 1))
                    .within("fields")
            }
            _ => message.skip(tag),
        })?;
        latest(&mut fields);
        Ok(Struct::new(fields).map_or_else(|error| self.fail(error), Json::Map))
    }

    fn list(&mut self, message: Message<'_>, depth: usize) -> Result<Json, Fault> {
        if depth >= JSON_DEPTH_MAX {
            return Ok(self.fail(JsonError::TooDeep));
        }
        let mut items = Vec::new();
        walk(message, |message, tag| match tag.number {
            1 => {
                let value = message.message(tag).within("values")?;
                let value = self.value(value, depth + 1).within("values")?;
                if self.fits(size_of::<Json>()) {
                    items.push(value);
                }
                Ok(())
            }
            _ => message.skip(tag),
        })?;
        Ok(List::new(items).map_or_else(|error| self.fail(error), Json::List))
    }

    fn value(&mut self, message: Message<'_>, depth: usize) -> Result<Json, Fault> {
        let mut value = Json::Null;
        walk(message, |message, tag| {
            value = match tag.number {
                1 => message.varint(tag).map(|_| Json::Null).within("null_value")?,
                2 => message.double(tag).map(Json::Double).within("number_value")?,
                3 => {
                    let text = message.text(tag).within("string_value")?;
                    if self.fits(text.len()) { Json::string(text) } else { Json::Null }
                }
                4 => message.varint(tag).map(|truth| Json::Bool(truth != 0)).within("bool_value")?,
                5 => message.message(tag).and_then(|map| self.map(map, depth)).within("struct_value")?,
                6 => message.message(tag).and_then(|list| self.list(list, depth)).within("list_value")?,
                _ => return message.skip(tag),
            };
            Ok(())
        })?;
        Ok(value)
    }
}

/// Keeps the last entry of each key.
fn latest(entries: &mut Entries) {
    entries.reverse();
    // The sort is stable: of equal keys the one that came last is first.
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    entries.dedup_by(|(later, _), (first, _)| later == first);
}

#[cfg(test)]
mod tests;
