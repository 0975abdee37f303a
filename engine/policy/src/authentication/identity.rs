//! The claims of a validated token become attributes of the request.

use std::sync::Arc;

use weir_attributes::{Bag, Json, List, Struct, slot};

/// Claims whose text is a list of words, whatever a rule says.
const WORD_LISTS: [&str; 2] = ["scope", "permission"];

/// Says that a token with these claims was validated: policies and expressions read them as `request.auth.*`.
///
/// The texts of `scope`, `permission` and of the top-level claims in `words` become lists of their words.
pub fn authenticated(bag: &mut Bag, claims: Struct, words: &[String]) {
    let claims = match split(&claims, words) {
        Some(split) => split,
        None => claims,
    };
    if let (Some(issuer), Some(subject)) = (claims.str("iss"), claims.str("sub")) {
        bag.set_text(slot::REQUEST_AUTH_PRINCIPAL, &format!("{issuer}/{subject}"));
    }
    if let Some(presenter) = claims.str("azp") {
        bag.set_text(slot::REQUEST_AUTH_PRESENTER, presenter);
    }
    bag.set_struct(slot::REQUEST_AUTH_CLAIMS, Arc::new(claims));
}

/// The claims with lists of words in them; none when nothing changes or the limits of JSON leave no room.
fn split(claims: &Struct, words: &[String]) -> Option<Struct> {
    let is_list = |name: &str| WORD_LISTS.contains(&name) || words.iter().any(|word| word == name);
    let is_text = |(name, value): (&str, &Json)| is_list(name) && value.as_str().is_some();
    if !claims.iter().any(is_text) {
        return None;
    }
    let entries = claims.iter().map(|(name, value)| {
        let value = match value.as_str().filter(|_| is_list(name)) {
            Some(text) => {
                let words = text.split(' ').filter(|word| !word.is_empty()).map(Json::string);
                List::new(words.collect()).map_or_else(|_| value.clone(), Json::List)
            }
            None => value.clone(),
        };
        (name.into(), value)
    });
    Struct::new(entries.collect()).ok()
}
