//! `RequestAuthentication` (security.istio.io v1 and v1beta1).

use serde::Deserialize;

use super::{Selector, TargetRef, null_as_default};

/// The spec of a RequestAuthentication.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestAuthentication {
    /// Which workloads; none means all in scope.
    pub selector: Option<Selector>,
    /// As one of `target_refs`.
    pub target_ref: Option<TargetRef>,
    /// The gateways that it is attached to; sidecars then never see it.
    #[serde(deserialize_with = "null_as_default")]
    pub target_refs: Vec<TargetRef>,
    /// Whose tokens are taken. None: every token is ignored.
    #[serde(deserialize_with = "null_as_default")]
    pub jwt_rules: Vec<JwtRule>,
}

/// Whose tokens are taken, where they are, and what becomes of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct JwtRule {
    /// The claim `iss`; none only with `jwks_uri`, and then any.
    pub issuer: Option<String>,
    /// One of these must be in the claim `aud`; none means no check.
    #[serde(deserialize_with = "null_as_default")]
    pub audiences: Vec<String>,
    /// Where the keys are: http or https.
    pub jwks_uri: Option<String>,
    /// The keys themselves, as a JSON Web Key Set (RFC 7517).
    pub jwks: Option<String>,
    /// Headers that carry a token. Any location given replaces the default ones: `Authorization: Bearer `, then the query
    /// parameter `access_token`.
    #[serde(deserialize_with = "null_as_default")]
    pub from_headers: Vec<JwtHeader>,
    /// Query parameters that carry one.
    #[serde(deserialize_with = "null_as_default")]
    pub from_params: Vec<String>,
    /// Cookies that carry one.
    #[serde(deserialize_with = "null_as_default")]
    pub from_cookies: Vec<String>,
    /// The header that gets the token's payload as base64url.
    pub output_payload_to_header: Option<String>,
    /// Headers that get one claim each; what the client sent in them is removed in any case.
    #[serde(deserialize_with = "null_as_default")]
    pub output_claim_to_headers: Vec<ClaimToHeader>,
    /// Whether the workload sees the token; false by default.
    #[serde(deserialize_with = "null_as_default")]
    pub forward_original_token: bool,
    /// How long a fetch of the keys may take, as `5s`; 5 seconds by default.
    pub timeout: Option<String>,
    /// Claims, besides `scope` and `permission`, whose text is a list of words.
    #[serde(deserialize_with = "null_as_default")]
    pub space_delimited_claims: Vec<String>,
}

/// A header that carries a token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct JwtHeader {
    /// Its name.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// What stands before the token, case and space included; without it there is no token.
    #[serde(deserialize_with = "null_as_default")]
    pub prefix: String,
}

/// A header that gets a claim.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClaimToHeader {
    /// The header's name.
    #[serde(deserialize_with = "null_as_default")]
    pub header: String,
    /// The claim; a dot goes into a map.
    #[serde(deserialize_with = "null_as_default")]
    pub claim: String,
}
