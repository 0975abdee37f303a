//! The keys of `when`: which attribute is meant, and why not.

use weir_attributes::slot;

use super::values::Field;
use crate::{facts::Address, problem::similar};

/// The keys that are supported, for suggestions.
const KEYS: &[&str] = &[
    "request.headers[NAME]",
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "source.trustDomain",
    "destination.ip",
    "destination.port",
    "connection.sni",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "request.auth.claims[NAME]",
    "experimental.envoy.filters.FILTER[KEY]",
];

/// What the keys of dynamic metadata begin with.
const METADATA: &str = "experimental.envoy.filters.";

/// The attribute that a key means; otherwise what is wrong and what to do.
pub(super) fn field(key: &str) -> Result<Field, (String, String)> {
    Ok(match key {
        "source.ip" => Field::Address(Address::Source),
        "remote.ip" => Field::Address(Address::Remote),
        "destination.ip" => Field::Address(Address::Destination),
        "destination.port" => Field::Port,
        "source.namespace" => Field::Namespace,
        "source.principal" => Field::Principal,
        "source.serviceAccount" => Field::ServiceAccount,
        "source.trustDomain" => Field::TrustDomain,
        "connection.sni" => Field::Sni,
        "request.auth.principal" => Field::RequestPrincipal,
        "request.auth.audiences" => Field::Claim(["aud".into()].into()),
        "request.auth.presenter" => Field::Claim(["azp".into()].into()),
        _ if key.starts_with("request.auth.claims") => claim(key)?,
        _ if key.starts_with(METADATA) => metadata(key)?,
        "" => return Err(("`key` must not be empty".to_owned(), format!("write one of {}", KEYS.join(", ")))),
        _ => match bracketed(key, "request.headers") {
            Some("") => return Err(bad_form(key, "request.headers[x-user]")),
            Some(name) => header(name),
            None => return Err(refusal(key)),
        },
    })
}

/// The claim of `request.auth.claims[a][b]`: each pair of brackets is one key, dots included.
fn claim(key: &str) -> Result<Field, (String, String)> {
    const EXAMPLE: &str = "request.auth.claims[realm][role]";
    let bad = || bad_form(key, EXAMPLE);
    let inner = bracketed(key, "request.auth.claims").ok_or_else(bad)?;
    let path: Box<[Box<str>]> = inner.split("][").map(Into::into).collect();
    let whole = path.iter().all(|name| !name.is_empty() && !name.contains(['[', ']']));
    if whole { Ok(Field::Claim(path)) } else { Err(bad()) }
}

/// The metadata of `experimental.FILTER[KEY]`. The key is everything between the first and the last bracket, as Istio cuts
/// it: `[a][b]` is the one key `a][b`.
fn metadata(key: &str) -> Result<Field, (String, String)> {
    let parts = key.strip_prefix("experimental.").and_then(|rest| rest.strip_suffix(']')?.split_once('['));
    match parts.filter(|(filter, name)| filter.len() > "envoy.filters.".len() && !name.is_empty()) {
        Some((filter, name)) => Ok(Field::Metadata(filter.into(), name.into())),
        None => Err(bad_form(key, "experimental.envoy.filters.http.my_filter[key]")),
    }
}

/// The field of a header; pseudo headers are attributes of their own.
fn header(name: &str) -> Field {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        ":path" => Field::Pseudo(slot::REQUEST_PATH),
        ":method" => Field::Pseudo(slot::REQUEST_METHOD),
        ":authority" | "host" => Field::Pseudo(slot::REQUEST_HOST),
        ":scheme" => Field::Pseudo(slot::REQUEST_SCHEME),
        _ => Field::Header(name),
    }
}

/// What stands in the brackets of `BASE[...]`.
fn bracketed<'k>(key: &'k str, base: &str) -> Option<&'k str> {
    key.strip_prefix(base)?.strip_prefix('[')?.strip_suffix(']')
}

fn bad_form(key: &str, example: &str) -> (String, String) {
    (format!("bad key ({key}): should have format a[b]"), format!("write it as {example}"))
}

fn refusal(key: &str) -> (String, String) {
    let (base, _) = key.split_once('[').unwrap_or((key, ""));
    let says = |message: &str, help: &str| (message.to_owned(), help.to_owned());
    match base {
        "request.headers" => bad_form(key, "request.headers[x-user]"),
        "destination.labels" => says(
            &format!("attribute {key} is replaced by the workload selector"),
            "write the labels into spec.selector.matchLabels",
        ),
        "destination.namespace" => says(
            "attribute destination.namespace is replaced by the metadata.namespace",
            "put the policy into that namespace",
        ),
        "destination.name" | "destination.user" => says(
            &format!("deprecated attribute {base}: only supported in v1alpha1"),
            "select the workload with spec.selector.matchLabels",
        ),
        "source.user" => says("unknown attribute: source.user", "write source.principal"),
        _ => (format!("unknown attribute: {key}"), suggestion(base)),
    }
}

fn suggestion(base: &str) -> String {
    let base_of = |key: &'static str| key.split('[').next().unwrap_or(key);
    let like = similar(base, KEYS.iter().map(|key| base_of(key)));
    match like.and_then(|like| KEYS.iter().find(|key| base_of(key) == like)) {
        Some(like) => format!("did you mean {like}?"),
        None => format!("write one of {}", KEYS.join(", ")),
    }
}
