//! External authorizers: what the mesh's settings say of them, checked.

use std::{sync::Arc, time::Duration};

/// An external authorizer that CUSTOM policies name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name.
    pub name: Arc<str>,
    /// How it is asked.
    pub transport: Transport,
    /// Requests pass for which it has no answer. An adapter's own failure policy says so for adapters.
    pub fail_open: bool,
    /// The HTTP status of a denial for want of an answer.
    pub status_on_error: u16,
}

/// How an authorizer is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By `envoy.service.auth.v3.Authorization/Check`.
    Grpc(Endpoint),
    /// By an HTTP request like the one that it judges.
    Http(Endpoint, HttpExchange),
    /// By a call of the check adapter `NAMESPACE/NAME`.
    Adapter(Arc<str>),
}

/// Where an authorizer listens, in plaintext, and what every question to it has in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A DNS name or an address.
    pub host: Box<str>,
    /// The port.
    pub port: u16,
    /// How long an answer may take; none means as long as the check itself.
    pub timeout: Option<Duration>,
    /// How much of the request's body is sent; none means nothing.
    pub body: Option<BodyLimit>,
}

/// How much of a request's body an authorizer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit {
    /// In bytes.
    pub max: usize,
    /// Sends the beginning of a longer one.
    pub partial: bool,
    /// Sends bytes instead of text.
    pub as_bytes: bool,
}

/// What an HTTP authorizer is sent, and what of its answer counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpExchange {
    /// Written before the request's path; empty or beginning with a slash.
    pub path_prefix: Box<str>,
    /// Request headers that are sent besides the usual.
    pub sent: HeaderNames,
    /// Headers that are always sent, in place of the request's own; names in lower case.
    pub added: Box<[(Box<str>, Box<str>)]>,
    /// Headers of an allow for the workload.
    pub upstream_on_allow: HeaderNames,
    /// Headers of an allow for the client.
    pub downstream_on_allow: HeaderNames,
    /// Headers of a deny for the client; none named means all.
    pub downstream_on_deny: HeaderNames,
}

/// A list of header names: exact, `prefix*` or `*suffix`, without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderNames(Box<[NamePattern]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum NamePattern {
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
}

impl HeaderNames {
    /// A list of patterns.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Self {
        let pattern = |text: &str| {
            let text = text.to_ascii_lowercase();
            if let Some(suffix) = text.strip_prefix('*') {
                NamePattern::Suffix(suffix.into())
            } else if let Some(prefix) = text.strip_suffix('*') {
                NamePattern::Prefix(prefix.into())
            } else {
                NamePattern::Exact(text.into())
            }
        };
        Self(patterns.into_iter().map(pattern).collect())
    }

    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a name in lower case is listed.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| match pattern {
            NamePattern::Exact(exact) => **exact == *name,
            NamePattern::Prefix(prefix) => name.starts_with(&**prefix),
            NamePattern::Suffix(suffix) => name.ends_with(&**suffix),
        })
    }
}
