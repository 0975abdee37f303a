//! Dynamic metadata: what a filter of the proxy found out. A value `[v]` asks for a list that holds a text like `v`, any other
//! value for a text: neither matches the other, and numbers, booleans and maps match nothing.

use weir_attributes::Json;
use weir_cel::Atom;

use super::{Patterns, Presence, claim_texts};

/// The values of a metadata key.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// Of a text.
    texts: Patterns,
    /// Of one text in a list.
    items: Patterns,
}

impl Metadata {
    pub(crate) fn new(values: &[String]) -> Self {
        let is_list = |value: &&String| value.starts_with('[') && value.ends_with(']');
        let (items, texts): (Vec<_>, Vec<_>) = values.iter().partition(is_list);
        let items = items.into_iter().map(|value| value.trim_matches(['[', ']']));
        Self {
            texts: Patterns::new(texts.into_iter().map(String::as_str), Presence::NonEmpty),
            items: Patterns::new(items, Presence::NonEmpty),
        }
    }

    /// What one of the texts is, starts or ends with; none when any text matches.
    pub(crate) fn atoms(&self) -> Option<Box<[Atom]>> {
        Some(self.texts.atoms()?.into_iter().chain(self.items.atoms()?).collect())
    }

    pub(crate) fn matches(&self, value: &Json) -> bool {
        let patterns = if matches!(value, Json::List(_)) { &self.items } else { &self.texts };
        claim_texts(value).any(|text| patterns.matches(text))
    }
}
