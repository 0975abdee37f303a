//! A value as a reader of a bag sees it.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::{Headers, Struct};

/// Labels of a workload: shared between all requests to it.
pub type Labels = Arc<BTreeMap<String, String>>;

/// The value of one attribute, borrowed from its bag.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// UTF-8 text.
    String(&'a str),
    /// 64-bit signed integer.
    Int(i64),
    /// True or false.
    Bool(bool),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Nanoseconds.
    Duration(i64),
    /// String to string.
    Map(Map<'a>),
    /// String to list of strings: the header lines.
    ListMap(Headers<'a>),
    /// String to any value of JSON.
    Struct(&'a Struct),
}

/// A string-to-string map inside a bag.
#[derive(Clone, Copy, Debug)]
pub enum Map<'a> {
    /// Header lines, seen with all lines of one name joined by a comma.
    Headers(Headers<'a>),
    /// Labels of a workload.
    Labels(&'a Labels),
}

impl<'a> Map<'a> {
    /// The value at that key; header names are compared in lower case as given.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Cow<'a, str>> {
        match self {
            Map::Headers(headers) => headers.joined(key),
            Map::Labels(labels) => labels.get(key).map(|value| Cow::Borrowed(value.as_str())),
        }
    }

    /// Whether that key is there, an empty value included.
    #[must_use]
    pub fn contains_key(self, key: &str) -> bool {
        match self {
            Map::Headers(headers) => headers.contains(key),
            Map::Labels(labels) => labels.contains_key(key),
        }
    }

    /// How many different keys there are.
    #[must_use]
    pub fn len(self) -> usize {
        match self {
            Map::Headers(headers) => headers.names().count(),
            Map::Labels(labels) => labels.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        match self {
            Map::Headers(headers) => headers.names().next().is_none(),
            Map::Labels(labels) => labels.is_empty(),
        }
    }

    /// The different keys.
    pub fn keys(self) -> impl Iterator<Item = &'a str> {
        let (headers, labels) = match self {
            Map::Headers(headers) => (Some(headers.names()), None),
            Map::Labels(labels) => (None, Some(labels.keys().map(String::as_str))),
        };
        headers.into_iter().flatten().chain(labels.into_iter().flatten())
    }
}
