//! What tokens and filters of the proxy say, against one value: authz.md §3, §3.1 and §3.2.

use serde_json::Value as Json;

use super::{Asked, Oracle};

/// The texts that a claim is: itself, or those in its list.
pub(super) fn texts(claim: &Json) -> Vec<&str> {
    match claim {
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

/// The claims with the words of `scope` as a list.
pub(super) fn with_words(mut claims: Json) -> Json {
    if let Some(words) = claims["scope"].as_str() {
        claims["scope"] = words.split(' ').filter(|word| !word.is_empty()).collect();
    }
    claims
}

impl Oracle {
    /// `ISS/SUB`, cut at the last slash; the row of §3.1's table that it is in says what each half is.
    pub(super) fn request_principal(&mut self, value: &str, asked: &Asked, bug: bool) -> bool {
        let Some(claims) = &asked.claims else { return false };
        let (Some(issuer), Some(subject)) = (claims["iss"].as_str(), claims["sub"].as_str()) else { return false };
        let quoted = |text: &str| regex::escape(text);
        let prefix = |text: &str| if text.is_empty() { ".+".to_owned() } else { format!("{}.*", quoted(text)) };
        let suffix = |text: &str| if text.is_empty() { ".+".to_owned() } else { format!(".*{}", quoted(text)) };
        let cut = if bug { value.split_once('/') } else { value.rsplit_once('/') };
        let (issuers, subjects) = match (cut, value.strip_prefix('*'), value.strip_suffix('*')) {
            _ if value == "*" => (".+".to_owned(), ".+".to_owned()),
            (Some((left, right)), Some(_), _) => (suffix(left.strip_prefix('*').unwrap()), quoted(right)),
            (None, Some(end), _) => (".+".to_owned(), suffix(end)),
            (Some((left, right)), None, Some(_)) => (quoted(left), prefix(right.strip_suffix('*').unwrap())),
            (None, None, Some(start)) => (prefix(start), ".+".to_owned()),
            (Some((left, right)), None, None) => (quoted(left), quoted(right)),
            (None, None, None) => (quoted(value), String::new()),
        };
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.full(&issuers, &issuer) && self.full(&subjects, &subject)
    }

    /// The claim at a path of keys.
    pub(super) fn claim(&mut self, keys: &[&str], value: &str, asked: &Asked, bug: bool) -> bool {
        let Some(claims) = &asked.claims else { return false };
        let claim = keys.iter().fold(claims, |claims, key| claims.get(key).unwrap_or(&Json::Null)).clone();
        let mut texts = texts(&claim);
        if bug {
            texts.truncate(1);
        }
        texts.into_iter().any(|text| self.text(value, Some(text), true, true))
    }

    /// `[v]` is about a list, `v` about a text.
    pub(super) fn said(&mut self, filter: &str, key: &str, value: &str, asked: &Asked, bug: bool) -> bool {
        let said = &asked.metadata[filter][key];
        match value.strip_prefix('[').and_then(|value| value.strip_suffix(']')) {
            Some(value) if said.is_array() => {
                texts(said).into_iter().any(|text| self.text(value, Some(text), true, true))
            }
            None if !said.is_array() || bug => {
                texts(said).into_iter().any(|text| self.text(value, Some(text), true, true))
            }
            _ => false,
        }
    }
}
