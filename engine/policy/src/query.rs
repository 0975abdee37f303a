//! Query parameters taken out of a request: the others stay as they are, in their order.
//!
//! Envoy's own filters sort the parameters that stay, and its `jwt_authn` even decodes them, which makes another query of
//! `a=1%262`. That is not repeated here.

use weir_attributes::{Bag, slot};

use crate::prepare;

/// The parameters of a path with its query, as they stand there: each with its name alone, without `=` and value.
pub(crate) fn parameters(target: &str) -> impl Iterator<Item = (&str, &str)> {
    let (target, _) = apart(target);
    let query = target.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The path without those query parameters, compared by their names as they stand there; none when it has none of them.
/// Without any parameter left, the question mark goes too.
#[must_use]
pub fn without_parameters<N: AsRef<str>>(target: &str, names: &[N]) -> Option<String> {
    let is_named = |name: &str| names.iter().any(|named| named.as_ref() == name);
    if !parameters(target).any(|(name, _)| is_named(name)) {
        return None;
    }
    let (target, fragment) = apart(target);
    let (path, query) = target.split_once('?')?;
    let stays = |pair: &&str| !is_named(pair.split_once('=').map_or(*pair, |(name, _)| name));
    let kept = query.split('&').filter(stays).collect::<Vec<_>>().join("&");
    let mark = if kept.trim_matches('&').is_empty() { "" } else { "?" };
    Some(format!("{path}{mark}{}{fragment}", if mark.is_empty() { "" } else { &kept }))
}

/// The fragment is no part of the query.
fn apart(target: &str) -> (&str, &str) {
    target.split_at(target.find('#').unwrap_or(target.len()))
}

/// Takes those parameters out of every reading of the path.
pub(crate) fn remove(bag: &mut Bag, names: &[String]) {
    bag.edit_targets(|target| without_parameters(target, names));
    bag.clear(slot::REQUEST_QUERY);
    prepare::query(bag);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_taken_out_wherever_it_stands_and_nothing_else_changes() {
        for (target, expected) in [
            ("/p?t=1", Some("/p")),
            ("/p?t", Some("/p")),
            ("/p?z=1&t=x&a=2%26b%3D3&flag&a=", Some("/p?z=1&a=2%26b%3D3&flag&a=")),
            ("/p?t=1&x=2&t=3&t", Some("/p?x=2")),
            ("/p?t=1&", Some("/p")),
            ("/p?&t=1&&x", Some("/p?&&x")),
            ("/p?x=a?t=1&t=2", Some("/p?x=a?t=1")),
            ("/p?t=1#t=2", Some("/p#t=2")),
            ("/p?%74=1&T=2", None),
            ("/p#?t=1", None),
            ("/t=1", None),
        ] {
            assert_eq!(without_parameters(target, &["t"]).as_deref(), expected, "{target}");
        }
    }
}
