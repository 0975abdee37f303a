//! The peer's identity: principals, namespaces, service accounts and trust domains.
//!
//! Istio matches these with regular expressions over the whole SPIFFE identity. The same languages are told here by
//! looking for literal pieces, so no pattern can be slow. A principal comes without its `spiffe://`.

use weir_cel::Atom;

use super::{Patterns, Presence};

/// `principals`: patterns of the identity behind `spiffe://`. `*` is any identity, of whatever scheme.
#[derive(Clone, Debug)]
pub(crate) struct Principals(Patterns);

impl Principals {
    pub(crate) fn new<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        Self(Patterns::new(values, Presence::NonEmpty))
    }

    /// What an identity that matches is, starts or ends with; none when any identity matches.
    pub(crate) fn atoms(&self) -> Option<Box<[Atom]>> {
        self.0.atoms()
    }

    pub(crate) fn patterns(&self) -> &Patterns {
        &self.0
    }

    /// `spiffe`: whether the identity's scheme is SPIFFE's.
    pub(crate) fn matches(&self, principal: &str, spiffe: bool) -> bool {
        if spiffe { self.0.matches(principal) } else { self.0.wants_presence() && !principal.is_empty() }
    }
}

/// The values of `principals` with the mesh's trust domains filled in: a value of exactly five parts whose first one
/// means this mesh (it matches one of its trust domains, or is `cluster.local`) stands for all of them.
pub(crate) fn with_aliases(value: &str, trust_domains: &[String]) -> Vec<String> {
    let parts = value.split('/').count();
    let Some((domain, rest)) = value.split_once('/').filter(|(domain, _)| parts == 5 && *domain != "*") else {
        return vec![value.to_owned()];
    };
    if domain != "cluster.local" && !trust_domains.iter().any(|own| is_like(domain, own)) {
        return vec![value.to_owned()];
    }
    let mut all = Vec::new();
    for own in trust_domains {
        let covered = domain.strip_prefix('*').is_some_and(|suffix| own.ends_with(suffix));
        let filled = if covered { value.to_owned() } else { format!("{own}/{rest}") };
        if !all.contains(&filled) {
            all.push(filled);
        }
    }
    all
}

/// Whether two trust domains are equal, or one is a pattern that matches the other.
fn is_like(a: &str, b: &str) -> bool {
    let covers = |pattern: &str, text: &str| {
        pattern.strip_suffix('*').is_some_and(|prefix| text.starts_with(prefix))
            || pattern.strip_prefix('*').is_some_and(|suffix| text.ends_with(suffix))
    };
    a == b || covers(a, b) || covers(b, a)
}

/// `namespaces`: `/ns/VALUE/` anywhere in the identity; every `*` of a value is any text, also across slashes.
#[derive(Clone, Debug)]
pub(crate) struct Namespaces {
    /// Sorted; without star and slash.
    exact: Box<[Box<str>]>,
    /// The literal pieces between the stars of `/ns/VALUE/`.
    globs: Box<[Box<[Box<str>]>]>,
}

impl Namespaces {
    pub(crate) fn new(values: &[String]) -> Self {
        let (globs, exact): (Vec<_>, Vec<_>) = values.iter().partition(|value| value.contains(['*', '/']));
        let mut exact: Vec<Box<str>> = exact.into_iter().map(|value| value.as_str().into()).collect();
        exact.sort_unstable();
        let globs = globs.into_iter().map(|value| format!("/ns/{value}/").split('*').map(Into::into).collect());
        Self { exact: exact.into(), globs: globs.collect() }
    }

    /// The values, when none has a star or slash.
    pub(crate) fn exact(&self) -> Option<&[Box<str>]> {
        self.globs.is_empty().then_some(&self.exact)
    }

    pub(crate) fn matches(&self, principal: &str) -> bool {
        let mut names = namespaces_of(principal);
        let exact = !self.exact.is_empty()
            && names.any(|name| self.exact.binary_search_by(|exact| (**exact).cmp(name)).is_ok());
        exact || self.globs.iter().any(|pieces| has_pieces(principal, pieces))
    }
}

/// The names of all namespaces in an identity.
pub(crate) fn namespaces_of(principal: &str) -> impl Iterator<Item = &str> {
    namespaces(principal).filter_map(|(_, rest)| rest.split_once('/')).map(|(name, _)| name)
}

/// Every `NAMESPACE/sa/ACCOUNT` that ends an identity of the usual form; none when there may be others in it.
pub(crate) fn account_tails(principal: &str) -> Option<impl Iterator<Item = &str>> {
    let tails = || namespaces(principal).filter(|(domain, _)| !domain.is_empty()).map(|(_, rest)| rest);
    let usual = |tail: &str| {
        let mut parts = tail.split('/');
        parts.next().is_some() && parts.next() == Some("sa") && parts.next().is_some() && parts.next().is_none()
    };
    tails().all(usual).then(tails)
}

/// Every text behind a `/ns/` of `spiffe://PRINCIPAL`, with what stands before it in the principal.
fn namespaces(principal: &str) -> impl Iterator<Item = (&str, &str)> {
    let first = principal.strip_prefix("ns/").map(|rest| ("", rest));
    let others = principal.match_indices('/').filter_map(|(at, _)| {
        let (before, from) = principal.split_at(at);
        from.strip_prefix("/ns/").map(|rest| (before, rest))
    });
    first.into_iter().chain(others)
}

/// Whether the pieces stand in `spiffe://PRINCIPAL` one behind the other. Taking the first place of each is enough.
fn has_pieces(principal: &str, pieces: &[Box<str>]) -> bool {
    let mut pieces = pieces.iter();
    let Some(first) = pieces.next() else { return false };
    // The first piece begins with a slash, which may be the last one of the scheme.
    let head = first.strip_prefix('/').and_then(|first| principal.strip_prefix(first));
    let mut rest = match head.or_else(|| principal.split_once(&**first).map(|(_, rest)| rest)) {
        Some(rest) => rest,
        None => return false,
    };
    for piece in pieces {
        match rest.split_once(&**piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

/// `serviceAccounts`: `TD/ns/NAMESPACE/[...]sa/SERVICE_ACCOUNT[/...]` in any trust domain.
#[derive(Clone, Debug)]
pub(crate) struct ServiceAccounts(Box<[(Box<str>, Box<str>)]>);

impl ServiceAccounts {
    /// Values `SA` (of the policy's namespace) or `NAMESPACE/SA`.
    pub(crate) fn new(values: &[String], namespace: &str) -> Self {
        let pairs = values.iter().map(|value| value.split_once('/').unwrap_or((namespace, value)));
        Self(pairs.map(|(namespace, account)| (namespace.into(), account.into())).collect())
    }

    /// Each as `NAMESPACE/sa/ACCOUNT`.
    pub(crate) fn tails(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(namespace, account)| format!("{namespace}/sa/{account}"))
    }

    pub(crate) fn matches(&self, principal: &str, spiffe: bool) -> bool {
        spiffe
            && namespaces(principal).filter(|(domain, _)| !domain.is_empty()).any(|(_, rest)| {
                self.0.iter().any(|(namespace, account)| {
                    let inside = rest.strip_prefix(&**namespace).and_then(|rest| rest.strip_prefix('/'));
                    inside.is_some_and(|inside| has_account(inside, account))
                })
            })
    }
}

/// Whether `sa/ACCOUNT` stands at the start of the text or behind a non-empty text and a slash, up to the end or a
/// non-empty rest.
fn has_account(text: &str, account: &str) -> bool {
    let starts = std::iter::once(0).chain(text.match_indices('/').filter(|(at, _)| *at > 0).map(|(at, _)| at + 1));
    starts.filter_map(|at| text.get(at..)).any(|from| {
        let behind = from.strip_prefix("sa/").and_then(|from| from.strip_prefix(account));
        behind.is_some_and(|behind| behind.is_empty() || (behind.len() > 1 && behind.starts_with('/')))
    })
}

/// `trustDomains`: the first part of the identity, which must have another behind it.
#[derive(Clone, Debug)]
pub(crate) struct TrustDomains(Patterns);

impl TrustDomains {
    /// A value that is one of the mesh's trust domains, or `cluster.local`, stands for all of them.
    pub(crate) fn new(values: &[String], trust_domains: &[String]) -> Self {
        let mut all: Vec<&str> = Vec::new();
        for value in values {
            if value == "cluster.local" || trust_domains.contains(value) {
                all.extend(trust_domains.iter().map(String::as_str));
            } else {
                all.push(value);
            }
        }
        Self(Patterns::new(all, Presence::Any))
    }

    pub(crate) fn matches(&self, principal: &str, spiffe: bool) -> bool {
        let domain = principal.split_once('/').map(|(domain, _)| domain);
        spiffe && (self.0.wants_presence() || domain.is_some_and(|domain| self.0.matches(domain)))
    }
}
