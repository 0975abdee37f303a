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

    pub(crate) fn get(&self, key: &Value<'_>, budget: &mut Budget) -> Result<Option<Value<'a>>, EvalErrorKind> {
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
        let lines = match self {
            Self::Entries(_) | Self::Struct(_) => return 0,
            Self::Attribute(map) => match **map {
                weir_attributes::Map::Headers(headers) => headers.iter().count(),
                weir_attributes::Map::Labels(labels) => return labels.len(),
            },
            Self::Lines(headers) => headers.iter().count(),
        };
        lines * lines / 16
    }

    /// The keys, in order.
    pub(crate) fn keys(&self, budget: &mut Budget) -> Result<Vec<Value<'a>>, EvalErrorKind> {
        let keys: Vec<Value<'a>> = match self {
            Self::Entries(entries) => entries.pairs.iter().map(|(key, _)| key.clone()).collect(),
            Self::Attribute(map) => {
                budget.spend(self.counting())?;
                map.keys().map(Value::text).collect()
            }
            Self::Lines(headers) => {
                budget.spend(self.counting())?;
                headers.names().map(Value::text).collect()
            }
            Self::Struct(map) => {
                budget.spend(map.len())?;
                map.iter().map(|(key, _)| Value::text(key)).collect()
            }
        };
        budget.grow(keys.len() * size_of::<Value<'_>>())?;
        Ok(keys)
    }

    pub(crate) fn into_static(self) -> Map<'static> {
        let mut copy = Entries::default();
        let mut free = Budget::unlimited();
        let pairs = match &self {
            Map::Entries(entries) => entries.pairs.clone(),
            _ => {
                let keys = self.keys(&mut free).unwrap_or_default();
                keys.into_iter()
                    .filter_map(|key| {
                        let value = self.get(&key, &mut free).ok().flatten()?;
                        Some((key, value))
                    })
                    .collect()
            }
        };
        for (key, value) in pairs {
            // The keys of a map are good keys and differ.
            let _ = copy.push(key.into_static(), value.into_static());
        }
        Map::new(copy)
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
    let lines: Vec<Value<'a>> = headers.lines(name).map(Value::text).collect();
    budget.grow(lines.len() * size_of::<Value<'_>>())?;
    Ok(Some(Value::shared_list(lines)))
}

fn lower<'k>(map: weir_attributes::Map<'_>, key: &'k str) -> Cow<'k, str> {
    match map {
        weir_attributes::Map::Headers(_) => lower_case(key),
        weir_attributes::Map::Labels(_) => Cow::Borrowed(key),
    }
}

fn lower_case(key: &str) -> Cow<'_, str> {
    if key.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(key.to_ascii_lowercase())
    } else {
        Cow::Borrowed(key)
    }
}
