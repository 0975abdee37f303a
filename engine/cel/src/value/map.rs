//! Maps: built ones, and those of the request, which are read in place.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use weir_attributes::{Headers, Struct};

use super::{Held, Text, Value, json};
use crate::{error::EvalErrorKind, run::Budget};

/// A map of values. Those of the request are behind a pointer, so that a value stays small; one key of them is read
/// without making a value of the whole map.
#[derive(Clone, Debug)]
pub enum Map<'a> {
    /// Keys and values.
    Entries(Held<'a, Entries<'a>>),
    /// A string-to-string attribute; header names are looked up in lower case.
    Attribute(Arc<weir_attributes::Map<'a>>),
    /// Header names to their lines.
    Lines(Arc<Headers<'a>>),
    /// Claims or metadata, as JSON has them.
    Struct(&'a Struct),
}

/// The bytes that an entry of a map takes beside what its key and value hold: both of them, and its part of the index.
pub(crate) const ENTRY_BYTES: usize = 160;

/// The bytes of a map of the request as a value.
pub(crate) const ATTRIBUTE_BYTES: usize = 64;

/// Above this many entries a map has an index.
const INDEX_FROM: usize = 8;

/// The keys and values of a map, in the order of their insertion.
#[derive(Clone, Debug, Default)]
pub struct Entries<'a> {
    pairs: Vec<(Value<'a>, Value<'a>)>,
    index: HashMap<Key<'a>, u32>,
}

/// A key in its one spelling: 1, 1u and 1.0 are one key.
#[derive(Clone, Debug)]
enum Key<'a> {
    Bool(bool),
    Number(i128),
    Text(Text<'a>),
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => **a == **b,
            _ => false,
        }
    }
}

impl Eq for Key<'_> {}

impl std::hash::Hash for Key<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match self {
            Self::Bool(value) => value.hash(state),
            Self::Number(value) => value.hash(state),
            Self::Text(text) => (**text).hash(state),
        }
    }
}

impl<'a> Key<'a> {
    fn of(value: &Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Number(i128::from(*value)),
            Value::Uint(value) => Self::Number(i128::from(*value)),
            Value::Double(value) if value.fract() == 0.0 => Self::Number(*value as i128),
            Value::String(text) => Self::Text(text.clone()),
            _ => return None,
        })
    }
}

impl<'a> Entries<'a> {
    /// Adds an entry.
    ///
    /// # Errors
    /// A key of a type that keys may not have, and one that is there already.
    pub fn push(&mut self, key: Value<'a>, value: Value<'a>) -> Result<(), EvalErrorKind> {
        if matches!(key, Value::Double(_)) {
            return Err(EvalErrorKind::BadKey);
        }
        let spelled = Key::of(&key).ok_or(EvalErrorKind::BadKey)?;
        if self.find(&spelled).is_some() {
            return Err(EvalErrorKind::RepeatedKey);
        }
        self.pairs.push((key, value));
        if self.pairs.len() > INDEX_FROM {
            if self.index.is_empty() {
                let keys = self.pairs.iter().enumerate();
                self.index = keys.filter_map(|(at, (key, _))| Some((Key::of(key)?, at as u32))).collect();
            } else {
                self.index.insert(spelled, self.pairs.len() as u32 - 1);
            }
        }
        Ok(())
    }

    /// As [`Entries::push`], within a budget.
    pub(crate) fn insert(
        &mut self,
        key: Value<'a>,
        value: Value<'a>,
        budget: &mut Budget,
    ) -> Result<(), EvalErrorKind> {
        budget.grow(ENTRY_BYTES)?;
        budget.read(key.as_str().map_or(0, str::len))?;
        self.push(key, value)
    }

    fn find(&self, key: &Key<'_>) -> Option<&Value<'a>> {
        if self.index.is_empty() {
            return self.pairs.iter().find(|(other, _)| Key::of(other).as_ref() == Some(key)).map(|(_, value)| value);
        }
        let at = *self.index.get(key)?;
        self.pairs.get(at as usize).map(|(_, value)| value)
    }

    /// The entries.
    #[must_use]
    pub fn pairs(&self) -> &[(Value<'a>, Value<'a>)] {
        &self.pairs
    }
}

impl<'a> Map<'a> {
    /// A map of its own.
    #[must_use]
    pub fn new(entries: Entries<'a>) -> Self {
        Self::Entries(Held::Shared(entries.into()))
    }

    /// How many keys it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Entries(entries) => entries.pairs.len(),
            Self::Attribute(map) => map.len(),
            Self::Lines(headers) => headers.names().count(),
            Self::Struct(map) => map.len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Entries(entries) => entries.pairs.is_empty(),
            Self::Attribute(map) => map.is_empty(),
            Self::Lines(headers) => headers.names().next().is_none(),
            Self::Struct(map) => map.is_empty(),
        }
    }

    /// Takes the steps of looking for a key: the lines of headers are compared one after the other, and a name is put in
    /// lower case before.
    fn search(&self, key: &Value<'_>, budget: &mut Budget) -> Result<(), EvalErrorKind> {
        let Some(key) = key.as_str() else { return Ok(()) };
        budget.spend(self.lines() / 16 + key.len() / 64)?;
        let headers = match self {
            Self::Entries(_) | Self::Struct(_) => false,
            Self::Attribute(map) => matches!(**map, weir_attributes::Map::Headers(_)),
            Self::Lines(_) => true,
        };
        if headers && has_upper_case(key) { budget.grow(key.len()) } else { Ok(()) }
    }

    /// How many header lines it is made of.
    fn lines(&self) -> usize {
        match self {
            Self::Entries(_) | Self::Struct(_) => 0,
            Self::Attribute(map) => lines_of(**map),
            Self::Lines(headers) => headers.iter().size_hint().0,
        }
    }

    pub(crate) fn get(&self, key: &Value<'_>, budget: &mut Budget) -> Result<Option<Value<'a>>, EvalErrorKind> {
        self.search(key, budget)?;
        match self {
            Self::Entries(entries) => Ok(Key::of(key).and_then(|key| entries.find(&key)).cloned()),
            Self::Attribute(map) => match key.as_str() {
                Some(key) => attribute(**map, &lower(**map, key), budget),
                None => Ok(None),
            },
            Self::Lines(headers) => match key.as_str() {
                Some(key) => lines(**headers, &lower_case(key), budget),
                None => Ok(None),
            },
            Self::Struct(map) => key.as_str().and_then(|key| map.get(key)).map(|value| json(value, budget)).transpose(),
        }
    }

    /// Whether there is that key, within a budget.
    pub(crate) fn has(&self, key: &Value<'_>, budget: &mut Budget) -> Result<bool, EvalErrorKind> {
        self.search(key, budget)?;
        Ok(self.contains(key))
    }

    pub(crate) fn contains(&self, key: &Value<'_>) -> bool {
        match self {
            Self::Entries(entries) => Key::of(key).is_some_and(|key| entries.find(&key).is_some()),
            Self::Attribute(map) => key.as_str().is_some_and(|key| map.contains_key(&lower(**map, key))),
            Self::Lines(headers) => key.as_str().is_some_and(|key| headers.contains(&lower_case(key))),
            Self::Struct(map) => key.as_str().is_some_and(|key| map.get(key).is_some()),
        }
    }

    /// The steps of finding out which keys there are: each header line is compared with those before it.
    pub(crate) fn counting(&self) -> usize {
        let lines = self.lines();
        lines.saturating_mul(lines) / 16
    }

    /// The keys, in order.
    pub(crate) fn keys(&self, budget: &mut Budget) -> Result<Vec<Value<'a>>, EvalErrorKind> {
        budget.spend(self.counting())?;
        // There are at most as many names as lines.
        let most = match self {
            Self::Entries(entries) => entries.pairs.len(),
            Self::Attribute(map) => match **map {
                weir_attributes::Map::Headers(_) => self.lines(),
                weir_attributes::Map::Labels(labels) => labels.len(),
            },
            Self::Lines(_) => self.lines(),
            Self::Struct(map) => map.len(),
        };
        budget.grow(most.saturating_mul(size_of::<Value<'_>>()))?;
        let mut keys = Vec::with_capacity(most);
        match self {
            Self::Entries(entries) => keys.extend(entries.pairs.iter().map(|(key, _)| key.clone())),
            Self::Attribute(map) => keys.extend(map.keys().map(Value::text)),
            Self::Lines(headers) => keys.extend(headers.names().map(Value::text)),
            Self::Struct(map) => keys.extend(map.iter().map(|(key, _)| Value::text(key))),
        }
        Ok(keys)
    }
}

/// The value at a key of a string-to-string attribute.
pub(crate) fn attribute<'a>(
    map: weir_attributes::Map<'a>,
    key: &str,
    budget: &mut Budget,
) -> Result<Option<Value<'a>>, EvalErrorKind> {
    match map.get(key) {
        Some(Cow::Borrowed(text)) => Ok(Some(Value::text(text))),
        Some(Cow::Owned(text)) => {
            budget.grow(text.len())?;
            Ok(Some(Value::shared(text)))
        }
        None => Ok(None),
    }
}

/// The lines of a header as a list.
pub(crate) fn lines<'a>(
    headers: Headers<'a>,
    name: &str,
    budget: &mut Budget,
) -> Result<Option<Value<'a>>, EvalErrorKind> {
    if headers.is_doubtful(name) {
        return Err(EvalErrorKind::Doubt);
    }
    if !headers.contains(name) {
        return Ok(None);
    }
    budget.grow(headers.lines(name).count().saturating_mul(size_of::<Value<'_>>()))?;
    Ok(Some(Value::shared_list(headers.lines(name).map(Value::text).collect())))
}

fn lower<'k>(map: weir_attributes::Map<'_>, key: &'k str) -> Cow<'k, str> {
    match map {
        weir_attributes::Map::Headers(_) => lower_case(key),
        weir_attributes::Map::Labels(_) => Cow::Borrowed(key),
    }
}

fn lower_case(key: &str) -> Cow<'_, str> {
    if has_upper_case(key) { Cow::Owned(key.to_ascii_lowercase()) } else { Cow::Borrowed(key) }
}

fn has_upper_case(key: &str) -> bool {
    key.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// How many header lines a map of the request is made of.
pub(crate) fn lines_of(map: weir_attributes::Map<'_>) -> usize {
    match map {
        weir_attributes::Map::Headers(headers) => headers.iter().size_hint().0,
        weir_attributes::Map::Labels(_) => 0,
    }
}
