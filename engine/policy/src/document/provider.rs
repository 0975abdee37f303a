//! `extensionProviders` of the mesh's settings, in Istio's shape: who answers for policies with the action CUSTOM.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::null_as_default;

/// One external authorizer: its name and exactly one way to ask it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ExtensionProvider {
    /// What policies call it: a DNS-1123 label.
    pub name: String,
    /// It speaks `envoy.service.auth.v3.Authorization`.
    pub envoy_ext_authz_grpc: Option<EnvoyExtAuthzGrpc>,
    /// It answers HTTP requests: 200 allows.
    pub envoy_ext_authz_http: Option<EnvoyExtAuthzHttp>,
    /// It is a check adapter.
    pub adapter: Option<AdapterProvider>,
}

/// An authorizer that speaks gRPC.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EnvoyExtAuthzGrpc {
    /// `HOST` or `NAMESPACE/HOST`; only the host counts.
    pub service: String,
    /// Its port, 1 to 65535.
    pub port: u32,
    /// How long an answer may take, as `0.25s`; never longer than the check itself may.
    pub timeout: Option<String>,
    /// Lets requests pass for which there is no answer.
    #[serde(deserialize_with = "null_as_default")]
    pub fail_open: bool,
    /// A setting of the proxy's own filter; it says nothing here.
    #[serde(deserialize_with = "null_as_default")]
    pub clear_route_cache: bool,
    /// The HTTP status of a denial for want of an answer; 403 when none is given.
    #[serde(deserialize_with = "null_as_default")]
    pub status_on_error: String,
    /// Sends the request's body, as far as the proxy told it.
    pub include_request_body_in_check: Option<RequestBody>,
}

/// An authorizer that speaks HTTP.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EnvoyExtAuthzHttp {
    /// `HOST` or `NAMESPACE/HOST`; only the host counts.
    pub service: String,
    /// Its port, 1 to 65535.
    pub port: u32,
    /// How long an answer may take, as `0.25s`; never longer than the check itself may.
    pub timeout: Option<String>,
    /// What is written before the request's path.
    #[serde(deserialize_with = "null_as_default")]
    pub path_prefix: String,
    /// Lets requests pass for which there is no answer.
    #[serde(deserialize_with = "null_as_default")]
    pub fail_open: bool,
    /// A setting of the proxy's own filter; it says nothing here.
    #[serde(deserialize_with = "null_as_default")]
    pub clear_route_cache: bool,
    /// The HTTP status of a denial for want of an answer; 403 when none is given.
    #[serde(deserialize_with = "null_as_default")]
    pub status_on_error: String,
    /// The old name of `includeRequestHeadersInCheck`.
    #[serde(deserialize_with = "null_as_default")]
    pub include_headers_in_check: Vec<String>,
    /// Request headers that it is sent besides the host, `authorization` and what says how long the body is.
    #[serde(deserialize_with = "null_as_default")]
    pub include_request_headers_in_check: Vec<String>,
    /// Headers that it is sent with every request, in place of the request's own.
    #[serde(deserialize_with = "null_as_default")]
    pub include_additional_headers_in_check: BTreeMap<String, String>,
    /// Sends the request's body, as far as the proxy told it.
    pub include_request_body_in_check: Option<RequestBody>,
    /// Headers of an allowing answer that the workload gets, in place of the request's own.
    #[serde(deserialize_with = "null_as_default")]
    pub headers_to_upstream_on_allow: Vec<String>,
    /// Headers of a denying answer that the client gets; none named means all.
    #[serde(deserialize_with = "null_as_default")]
    pub headers_to_downstream_on_deny: Vec<String>,
    /// Headers of an allowing answer that the client gets with the workload's response.
    #[serde(deserialize_with = "null_as_default")]
    pub headers_to_downstream_on_allow: Vec<String>,
}

/// A check adapter as an authorizer: then it is asked where CUSTOM policies say so, and nowhere else.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AdapterProvider {
    /// `NAMESPACE/NAME` of the Adapter.
    pub name: String,
}

/// How much of a request's body is sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestBody {
    /// At most so many bytes.
    pub max_request_bytes: u32,
    /// Sends the beginning of a longer body; otherwise a longer one is denied with 413.
    #[serde(deserialize_with = "null_as_default")]
    pub allow_partial_message: bool,
    /// Sends bytes instead of UTF-8 text; only gRPC tells the two apart.
    #[serde(deserialize_with = "null_as_default")]
    pub pack_as_bytes: bool,
}
