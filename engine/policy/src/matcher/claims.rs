//! What a validated token says: its issuer and subject, and any of its claims.

use weir_attributes::{Json, Struct};
use weir_cel::Atom;

use super::{Patterns, Presence};

/// `requestPrincipals`: patterns of `ISS/SUB`, split at the last slash; each half has its own pattern.
#[derive(Clone, Debug)]
pub(crate) struct RequestPrincipals {
    /// Issuer and subject.
    pairs: Box<[(Patterns, Patterns)]>,
    /// Each value as it is written when all are exact and have a slash.
    exact: Option<Box<[Box<str>]>>,
}

impl RequestPrincipals {
    pub(crate) fn new(values: &[String]) -> Self {
        let plain = |value: &String| !value.starts_with('*') && !value.ends_with('*') && value.contains('/');
        let exact = values.iter().all(plain).then(|| values.iter().map(|value| Box::from(value.as_str())).collect());
        Self { pairs: values.iter().map(|value| halves(value)).collect(), exact }
    }

    /// What `request.auth.principal` is, when that can be told.
    pub(crate) fn atoms(&self) -> Option<Box<[Atom]>> {
        Some(self.exact.as_ref()?.iter().cloned().map(Atom::Exact).collect())
    }

    pub(crate) fn matches(&self, claims: &Struct) -> bool {
        let is = |name: &str, pattern: &Patterns| claims.str(name).is_some_and(|value| pattern.matches(value));
        self.pairs.iter().any(|(issuer, subject)| is("iss", issuer) && is("sub", subject))
    }
}

/// The patterns of issuer and subject in one value. A leading star is the issuer's, and wins over one at the end.
fn halves(value: &str) -> (Patterns, Patterns) {
    let any = || pattern("*");
    let (issuer, subject) = value.rsplit_once('/').map_or((value, None), |(issuer, subject)| (issuer, Some(subject)));
    match subject {
        _ if value == "*" => (any(), any()),
        Some(subject) if value.starts_with('*') => (pattern(issuer), exact(subject)),
        None if value.starts_with('*') => (any(), pattern(issuer)),
        Some(subject) if value.ends_with('*') => (exact(issuer), pattern(subject)),
        None if value.ends_with('*') => (pattern(issuer), any()),
        Some(subject) => (exact(issuer), exact(subject)),
        None => (exact(issuer), exact("")),
    }
}

fn pattern(value: &str) -> Patterns {
    Patterns::new([value], Presence::NonEmpty)
}

/// A text in which no star has a meaning.
fn exact(value: &str) -> Patterns {
    Patterns::exact(value)
}

/// The claim at that path, through maps only.
pub(crate) fn claim<'c>(claims: &'c Struct, path: &[Box<str>]) -> Option<&'c Json> {
    let (last, way) = path.split_last()?;
    way.iter().try_fold(claims, |map, key| map.get(key)?.as_map())?.get(last)
}

/// The texts that a claim is: itself, or those in its list. Anything else never matches.
pub(crate) fn claim_texts(claim: &Json) -> impl Iterator<Item = &str> {
    let items = match claim {
        Json::List(list) => list.items(),
        other => std::slice::from_ref(other),
    };
    items.iter().filter_map(Json::as_str)
}
