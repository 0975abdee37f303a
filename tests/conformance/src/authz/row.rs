//! One row of the suite: what is given and what is expected.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use weir_policy::document::Normalization;

use crate::suite::Verdict;

/// A row.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Row {
    /// Where it stands and what it calls itself.
    #[serde(skip)]
    pub(super) title: String,
    pub(super) policies: Vec<Json>,
    pub(super) workload: Workload,
    pub(super) request: Request,
    #[serde(default)]
    pub(super) request_authentication: Option<Vec<Json>>,
    #[serde(default)]
    pub(super) normalization: Option<String>,
    pub(super) expect: Expected,
    #[serde(default)]
    pub(super) expect_audit: Option<bool>,
    #[serde(default)]
    pub(super) oracle: Oracle,
}

/// The workload that is asked for, and the mesh that it is in.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Workload {
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) trust_domain: Option<String>,
    #[serde(default)]
    pub(super) trust_domain_aliases: Option<Vec<String>>,
    #[serde(default)]
    pub(super) root_namespace: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default)]
    pub(super) protocol: Protocol,
    #[serde(default)]
    pub(super) method: Option<String>,
    #[serde(default)]
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) host: Option<String>,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) port: Option<u16>,
    #[serde(default)]
    pub(super) source: Source,
    #[serde(default)]
    pub(super) remote_ip: Option<String>,
    #[serde(default)]
    pub(super) sni: Option<String>,
    #[serde(default)]
    tls: Option<Json>,
    #[serde(default)]
    pub(super) destination_ip: Option<String>,
    /// Claims that were validated already.
    #[serde(default)]
    pub(super) jwt: Option<Json>,
    #[serde(default)]
    pub(super) tokens: BTreeMap<String, Json>,
    #[serde(default)]
    pub(super) metadata: Option<Json>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Protocol {
    #[default]
    Http,
    Grpc,
    Tcp,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Source {
    #[serde(default)]
    pub(super) principal: Option<String>,
    #[serde(default)]
    pub(super) ip: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expected {
    Allow,
    /// 403, or the connection closed.
    Deny,
    #[serde(rename = "http_401")]
    Http401,
    #[serde(rename = "http_400")]
    Http400,
}

/// What a real Envoy answered besides.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Oracle {
    #[serde(default)]
    pub(super) verdict: Option<String>,
    /// The path that the workload got.
    #[serde(default)]
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) audit: Option<String>,
    #[serde(default)]
    pub(super) shadow_allow: Option<String>,
    #[serde(default)]
    pub(super) shadow_allow_id: Option<String>,
    #[serde(default)]
    pub(super) shadow_deny: Option<String>,
    #[serde(default)]
    pub(super) shadow_deny_id: Option<String>,
}

impl Expected {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Expected::Allow => "allow",
            Expected::Deny => "deny",
            Expected::Http401 => "http_401",
            Expected::Http400 => "http_400",
        }
    }
}

/// Labels as a proxy tells them: `k=v,k=v`.
pub(super) fn labels(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

impl Request {
    pub(super) fn is_http(&self) -> bool {
        self.protocol != Protocol::Tcp
    }

    /// Whether the connection is encrypted: it says so, has a server name, or a peer with a certificate.
    pub(super) fn is_encrypted(&self) -> bool {
        let told = self.tls.as_ref().is_some_and(|tls| !matches!(tls, Json::Null | Json::Bool(false)));
        told || self.sni.is_some() || self.source.principal.is_some()
    }
}

impl Row {
    /// Reads it; else its title and what is wrong with it.
    pub(super) fn read(place: &str, row: Json) -> Result<Self, (String, String)> {
        let name = row.get("name").and_then(Json::as_str).unwrap_or_default();
        let tier = row.get("tier").map(|tier| format!(" (tier {tier})")).unwrap_or_default();
        let title = format!("{place} {name}{tier}");
        match serde_json::from_value::<Self>(row) {
            Ok(row) => Ok(Self { title, ..row }),
            Err(error) => Err((title, error.to_string())),
        }
    }

    /// How paths are normalized.
    pub(super) fn mode(&self) -> Normalization {
        // What is no mode the loader of the mesh's settings refuses.
        let told = self.normalization.clone().map(|mode| serde_json::from_value(mode.into()).unwrap_or_default());
        told.unwrap_or_default()
    }

    pub(super) fn failed(&self, got: String, rule: impl Into<String>) -> Verdict {
        Verdict::Failed { expected: self.expect.as_str().to_owned(), got, rule: rule.into() }
    }
}
