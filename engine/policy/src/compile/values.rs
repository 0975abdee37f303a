//! The values of one field: checked, then made into a matcher.

use weir_attributes::{Slot, slot};

use super::limits::{SERVICE_ACCOUNT_LENGTH_MAX, SERVICE_ACCOUNTS_MAX, VALUE_LENGTH_MAX, VALUES_MAX};
use crate::{
    condition::Subject,
    facts::Address,
    matcher::{
        Metadata, Namespaces, Networks, Paths, Patterns, Presence, Principals, RequestPrincipals, ServiceAccounts,
        Template, TemplateError, TrustDomains, parse_block, with_aliases,
    },
    mesh::Mesh,
    problem::Problems,
};

/// What the values of a field are compared with.
#[derive(Clone, Debug)]
pub(super) enum Field {
    Principal,
    Namespace,
    ServiceAccount,
    TrustDomain,
    Address(Address),
    Host,
    Port,
    Method,
    Path,
    Sni,
    Header(String),
    Pseudo(Slot),
    RequestPrincipal,
    Claim(Box<[Box<str>]>),
    /// What a filter of the proxy says under a key.
    Metadata(Box<str>, Box<str>),
}

impl Field {
    /// What to do about an empty value.
    fn instead_of_empty(&self) -> &'static str {
        match self {
            Field::Address(_) => {
                "remove the entry; for any IPv4 address write \"0.0.0.0/0\", for any IPv6 address \"::/0\""
            }
            Field::ServiceAccount => "remove the entry; for any service account write principals: [\"*\"]",
            Field::Port => "remove the entry; for any port remove the list",
            _ => "remove the entry; for any value that is there write \"*\"",
        }
    }
}

/// Where values stand and what they may refer to.
pub(super) struct Values<'a> {
    /// The path of the list, as `spec.rules[0].from[0].source.principals`.
    pub(super) path: &'a str,
    /// What messages call the field.
    pub(super) name: &'a str,
    pub(super) values: &'a [String],
    pub(super) namespace: &'a str,
    pub(super) mesh: &'a Mesh,
}

impl Values<'_> {
    /// The matcher, when every value is good.
    pub(super) fn subject(&self, field: &Field, problems: &mut Problems<'_>) -> Option<Subject> {
        let before = problems.count();
        self.check_sizes(problems);
        for (index, value) in self.values.iter().enumerate() {
            let path = format!("{}[{index}]", self.path);
            if value.is_empty() {
                problems.error(
                    &path,
                    format!("empty value not allowed, found in {}", self.name),
                    field.instead_of_empty(),
                );
            } else if let Err((message, help)) = check(field, value, self.name) {
                problems.error(&path, message, help);
            }
        }
        if problems.count() > before {
            return None;
        }
        self.warn(field, problems);
        self.make(field)
    }

    fn check_sizes(&self, problems: &mut Problems<'_>) {
        let (limit, longest) = match self.name {
            "serviceAccounts" | "notServiceAccounts" | "source.serviceAccount" => {
                (SERVICE_ACCOUNTS_MAX, SERVICE_ACCOUNT_LENGTH_MAX)
            }
            _ => (VALUES_MAX, VALUE_LENGTH_MAX),
        };
        if self.values.len() > limit {
            let count = self.values.len();
            problems.error(
                self.path,
                format!("{count} values in {}, at most {limit} are allowed", self.name),
                "use wildcards, or spread them over several rules",
            );
        }
        for (index, value) in self.values.iter().enumerate().filter(|(_, value)| value.len() > longest) {
            problems.error(
                &format!("{}[{index}]", self.path),
                format!("the value has {} bytes, at most {longest} are allowed", value.len()),
                "shorten it, or end it with a wildcard",
            );
        }
    }

    /// What is accepted but surely not meant.
    fn warn(&self, field: &Field, problems: &mut Problems<'_>) {
        for (index, value) in self.values.iter().enumerate() {
            let path = format!("{}[{index}]", self.path);
            match field {
                Field::Principal if value.starts_with("spiffe://") => problems.warn(
                    &path,
                    "a principal is compared without its spiffe://, so this value never matches",
                    format!("write {:?}", value.trim_start_matches("spiffe://")),
                ),
                Field::Sni if value.bytes().any(|byte| byte.is_ascii_uppercase()) => problems.warn(
                    &path,
                    "server names arrive in lower case, so this value never matches",
                    format!("write {:?}", value.to_ascii_lowercase()),
                ),
                Field::Method if !value.contains('*') && value.bytes().any(|byte| byte.is_ascii_lowercase()) => {
                    problems.warn(
                        &path,
                        "methods are compared with case, so this value never matches",
                        format!("write {:?}", value.to_ascii_uppercase()),
                    )
                }
                Field::Path if !Template::is_meant(value) && !value.starts_with(['/', '*']) => problems.warn(
                    &path,
                    "a path begins with a slash, so this value never matches",
                    format!("write \"/{value}\""),
                ),
                _ => {}
            }
        }
    }

    fn make(&self, field: &Field) -> Option<Subject> {
        let patterns = |presence| Patterns::new(self.values.iter().map(String::as_str), presence);
        Some(match field {
            Field::Principal => {
                let domains = self.mesh.trust_domains();
                let all: Vec<String> = self.values.iter().flat_map(|value| with_aliases(value, domains)).collect();
                Subject::Principal(Principals::new(all.iter().map(String::as_str)))
            }
            Field::Namespace => Subject::Namespace(Namespaces::new(self.values)),
            Field::ServiceAccount => Subject::ServiceAccount(ServiceAccounts::new(self.values, self.namespace)),
            Field::TrustDomain => Subject::TrustDomain(TrustDomains::new(self.values, self.mesh.trust_domains())),
            Field::Address(address) => {
                Subject::Address(*address, Networks::new(self.values.iter().filter_map(|value| parse_block(value))))
            }
            Field::Host => {
                let lower: Vec<String> = self.values.iter().map(|value| value.to_ascii_lowercase()).collect();
                Subject::Host(Patterns::new(lower.iter().map(String::as_str), Presence::Any))
            }
            Field::Port => {
                let mut ports: Vec<u16> = self.values.iter().filter_map(|value| value.parse().ok()).collect();
                ports.sort_unstable();
                Subject::Port(ports.into())
            }
            Field::Method => Subject::Text(slot::REQUEST_METHOD, patterns(Presence::Any)),
            Field::Path => Subject::Path(Paths::new(self.values).ok()?),
            Field::Sni => Subject::Text(slot::CONNECTION_REQUESTED_SERVER_NAME, patterns(Presence::NonEmpty)),
            Field::Header(name) => Subject::Header(name.as_str().into(), patterns(Presence::Any)),
            Field::RequestPrincipal => Subject::RequestPrincipal(RequestPrincipals::new(self.values)),
            Field::Claim(path) => Subject::Claim(path.clone(), patterns(Presence::NonEmpty)),
            Field::Metadata(filter, key) => Subject::Metadata(filter.clone(), key.clone(), Metadata::new(self.values)),
            Field::Pseudo(slot) => Subject::Text(*slot, patterns(Presence::Any)),
        })
    }
}

/// Whether one value is good; otherwise what is wrong and what to do.
fn check(field: &Field, value: &str, name: &str) -> Result<(), (String, String)> {
    let refuse = |message: String, help: &str| Err((message, help.to_owned()));
    match field {
        Field::Address(_) if parse_block(value).is_none() => {
            let kind = if value.contains('/') { "CIDR range" } else { "IP address" };
            refuse(format!("bad {kind} ({value})"), "write an address as 10.1.2.3, or a block as 10.1.0.0/16")
        }
        Field::Port if !value.bytes().all(|byte| byte.is_ascii_digit()) || value.parse::<u16>().is_err() => {
            refuse(format!("bad port ({value})"), "write a number from 0 to 65535 in quotes")
        }
        Field::ServiceAccount => check_service_account(value, name),
        Field::TrustDomain => check_trust_domain(value, name),
        Field::Path if Template::is_meant(value) => match Template::parse(value) {
            Ok(_) => Ok(()),
            Err(error) => {
                let help = match error {
                    TemplateError::NotLast => "keep one `{**}` and put no `{*}` behind it",
                    TemplateError::Braces => {
                        "an operator is `{*}` (one segment) or `{**}` (any text), and fills its whole segment"
                    }
                    TemplateError::Literal(_) => {
                        "in a template write `{*}` instead of `*`, and percent-encode the rest"
                    }
                };
                refuse(format!("invalid or unsupported path {value}, found in {name}: {error}"), help)
            }
        },
        _ => Ok(()),
    }
}

fn check_service_account(value: &str, name: &str) -> Result<(), (String, String)> {
    let parts: Vec<&str> = value.split('/').collect();
    let problem = if value.contains('*') {
        "a wildcard in"
    } else if parts.len() > 2 {
        "more than one slash in"
    } else if parts.contains(&"") {
        "an empty part in"
    } else {
        return Ok(());
    };
    Err((
        format!("expected format 'serviceAccount' or 'namespace/serviceAccount', found {problem} '{value}' in {name}"),
        "write SERVICE_ACCOUNT (of the policy's namespace) or NAMESPACE/SERVICE_ACCOUNT; use principals for patterns"
            .to_owned(),
    ))
}

fn check_trust_domain(value: &str, name: &str) -> Result<(), (String, String)> {
    let stars = value.matches('*').count();
    let message = if value.contains('/') {
        format!("trust domain must not contain '/', found in {name}: '{value}'")
    } else if stars > 1 {
        format!("at most one wildcard is allowed, found in {name}: '{value}'")
    } else if stars == 1 && !value.starts_with('*') && !value.ends_with('*') {
        format!("wildcard is only allowed at the start or end, found in {name}: '{value}'")
    } else {
        return Ok(());
    };
    Err((message, "write a name as cluster.local, with at most one `*` at its start or end".to_owned()))
}
