//! Values that own everything.

use std::{collections::HashMap, sync::Arc};

use super::{Bytes, Entries, Held, List, Map, Text, Value};
use crate::{limits::COPY_PARTS_MAX, run::Budget};

impl Value<'_> {
    /// The same, owning everything: texts and lists that were borrowed are copied. What several parts share stays
    /// shared, so that the copy is not larger than what it is made of.
    #[must_use]
    pub fn into_static(self) -> Value<'static> {
        Copies::default().value(&self)
    }

    /// Whether a copy of it may tell less: headers look names up in lower case and know what their proxy left open, a
    /// copy of them does not. After [`COPY_PARTS_MAX`] parts it may, because one list may hold another many times.
    pub(crate) fn has_headers(&self) -> bool {
        search(self, &mut COPY_PARTS_MAX.clone())
    }
}

fn search(value: &Value<'_>, parts: &mut usize) -> bool {
    let Some(left) = parts.checked_sub(1) else { return true };
    *parts = left;
    match value {
        Value::Map(Map::Attribute(map)) => matches!(**map, weir_attributes::Map::Headers(_)),
        Value::Map(Map::Lines(_)) => true,
        Value::Map(Map::Entries(entries)) => entries.pairs().iter().any(|(_, value)| search(value, parts)),
        Value::List(list) => list.iter().any(|element| search(element, parts)),
        Value::Optional(Some(inner)) => search(inner, parts),
        _ => false,
    }
}

/// The copies of what is shared, by its address: everything lives until the last copy is made.
#[derive(Default)]
struct Copies(HashMap<usize, Value<'static>>);

impl Copies {
    fn value(&mut self, value: &Value<'_>) -> Value<'static> {
        match value {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(*value),
            Value::Int(value) => Value::Int(*value),
            Value::Uint(value) => Value::Uint(*value),
            Value::Double(value) => Value::Double(*value),
            Value::String(Text::Borrowed(text)) => Value::shared(*text),
            Value::String(Text::Shared(text)) => Value::shared(text.clone()),
            Value::Bytes(Bytes::Borrowed(bytes)) => Value::Bytes(Bytes::Shared((*bytes).into())),
            Value::Bytes(Bytes::Shared(bytes)) => Value::Bytes(Bytes::Shared(bytes.clone())),
            Value::Timestamp(value) => Value::Timestamp(*value),
            Value::Duration(value) => Value::Duration(*value),
            Value::List(List::Borrowed(list)) => self.list(list),
            Value::List(List::Shared(list)) => self.once(list, |copies| copies.list(list)),
            Value::Map(Map::Entries(Held::Borrowed(entries))) => self.entries(entries),
            Value::Map(Map::Entries(Held::Shared(entries))) => self.once(entries, |copies| copies.entries(entries)),
            Value::Map(map @ Map::Attribute(shared)) => self.once(shared, |copies| copies.attribute(map)),
            Value::Map(map @ Map::Struct(_)) => self.attribute(map),
            Value::Map(map @ Map::Lines(shared)) => self.once(shared, |copies| copies.attribute(map)),
            Value::Type(name) => Value::Type(*name),
            Value::Optional(None) => Value::Optional(None),
            Value::Optional(Some(inner)) => self.once(inner, |copies| Value::some(copies.value(inner))),
            Value::Ip(value) => Value::Ip(*value),
            Value::Cidr(value) => Value::Cidr(*value),
            Value::Url(value) => Value::Url(value.clone()),
            Value::Semver(value) => Value::Semver(value.clone()),
        }
    }

    /// The copy of something that may be met again.
    fn once<T: ?Sized>(&mut self, shared: &Arc<T>, copy: impl FnOnce(&mut Self) -> Value<'static>) -> Value<'static> {
        if Arc::strong_count(shared) == 1 {
            return copy(self);
        }
        let address = Arc::as_ptr(shared).cast::<()>() as usize;
        if let Some(known) = self.0.get(&address) {
            return known.clone();
        }
        let made = copy(self);
        self.0.insert(address, made.clone());
        made
    }

    fn list(&mut self, list: &[Value<'_>]) -> Value<'static> {
        Value::shared_list(list.iter().map(|element| self.value(element)).collect())
    }

    fn entries(&mut self, entries: &Entries<'_>) -> Value<'static> {
        self.map(entries.pairs().iter().map(|(key, value)| (key.clone(), value.clone())))
    }

    fn attribute(&mut self, map: &Map<'_>) -> Value<'static> {
        let mut free = Budget::unlimited();
        let keys = map.keys(&mut free).unwrap_or_default();
        self.map(keys.into_iter().filter_map(|key| {
            let value = map.get(&key, &mut free).ok().flatten()?;
            Some((key, value))
        }))
    }

    fn map<'v>(&mut self, pairs: impl Iterator<Item = (Value<'v>, Value<'v>)>) -> Value<'static> {
        let mut copy = Entries::default();
        for (key, value) in pairs {
            // The keys of a map are good keys and differ.
            let _ = copy.push(self.value(&key), self.value(&value));
        }
        Value::Map(Map::new(copy))
    }
}
