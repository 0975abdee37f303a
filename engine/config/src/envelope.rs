//! What every resource has around its spec, as Kubernetes writes it.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::limits::{MAX_NAME, MAX_NAMESPACE};

/// The namespace of a resource that names none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// One document. `apiVersion` and `kind` were looked at before it is read: they say what `T` is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Envelope<T> {
    #[serde(rename = "apiVersion")]
    _api_version: IgnoredAny,
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    #[serde(default, deserialize_with = "null_as_default")]
    pub(crate) metadata: Metadata,
    pub(crate) spec: Option<T>,
    #[serde(default, rename = "status")]
    _status: IgnoredAny,
}

/// The metadata that means something here, and what a Kubernetes API server adds, which does not.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Metadata {
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_as_default")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(rename = "uid")]
    _uid: IgnoredAny,
    #[serde(rename = "resourceVersion")]
    _resource_version: IgnoredAny,
    #[serde(rename = "generation")]
    _generation: IgnoredAny,
    pub(crate) creation_timestamp: Option<String>,
    #[serde(rename = "deletionTimestamp")]
    _deletion_timestamp: IgnoredAny,
    #[serde(rename = "deletionGracePeriodSeconds")]
    _deletion_grace_period_seconds: IgnoredAny,
    #[serde(rename = "selfLink")]
    _self_link: IgnoredAny,
    #[serde(rename = "generateName")]
    _generate_name: IgnoredAny,
    #[serde(rename = "managedFields")]
    _managed_fields: IgnoredAny,
    #[serde(rename = "ownerReferences")]
    _owner_references: IgnoredAny,
    #[serde(rename = "finalizers")]
    _finalizers: IgnoredAny,
}

/// A field of the metadata that is not as it must be: its path, what is wrong, and the fix.
pub(crate) type Fault = (&'static str, String, String);

impl Metadata {
    /// The namespace and name, else every fault of them.
    pub(crate) fn identity(&self) -> Result<(String, String), Vec<Fault>> {
        let mut faults = Vec::new();
        let name = match self.name.as_deref() {
            None | Some("") => {
                faults.push((
                    "metadata.name",
                    "missing `metadata.name`".to_owned(),
                    "give the resource a name: `metadata: {name: ...}`".to_owned(),
                ));
                ""
            }
            Some(name) => {
                if !is_subdomain(name) {
                    faults.push(("metadata.name", format!("`{name}` is not a name"), rule("dots, ", MAX_NAME)));
                }
                name
            }
        };
        let namespace = match self.namespace.as_deref() {
            None | Some("") => DEFAULT_NAMESPACE,
            Some(namespace) => {
                if !is_label(namespace) {
                    faults.push((
                        "metadata.namespace",
                        format!("`{namespace}` is not a namespace"),
                        rule("", MAX_NAMESPACE),
                    ));
                }
                namespace
            }
        };
        if faults.is_empty() { Ok((namespace.to_owned(), name.to_owned())) } else { Err(faults) }
    }
}

fn rule(dots: &str, length: usize) -> String {
    format!("use lower-case letters, digits, {dots}and dashes inside it, at most {length} characters")
}

/// A DNS-1123 label: lower-case letters and digits, dashes inside.
fn is_label(text: &str) -> bool {
    text.len() <= MAX_NAMESPACE && is_part(text)
}

/// A DNS-1123 subdomain: labels joined by dots.
fn is_subdomain(text: &str) -> bool {
    text.len() <= MAX_NAME && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    edge(text.chars().next())
        && edge(text.chars().next_back())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Reads `null` as the default, as the Kubernetes API does.
pub(crate) fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dns_1123() {
        let long = "a".repeat(63);
        for (text, label, subdomain) in [
            ("a", true, true),
            ("shop-1", true, true),
            ("shop.example", false, true),
            (long.as_str(), true, true),
            ("", false, false),
            ("-a", false, false),
            ("a-", false, false),
            ("a..b", false, false),
            ("Shop", false, false),
            ("a_b", false, false),
            ("é", false, false),
            ("a/b", false, false),
        ] {
            assert_eq!((is_label(text), is_subdomain(text)), (label, subdomain), "{text}");
        }
        assert!(!is_label(&"a".repeat(64)) && !is_subdomain(&"a".repeat(254)));
    }
}
