//! `RequestAuthentication`: everything that Istio's validator and schema refuse is refused.

use std::{sync::Arc, time::Duration};

use super::{authorization::DRY_RUN, scope::scope, targets};
use crate::{
    authentication::{ClaimHeader, Jwks, JwtRule, KeyPlace, KeySource, Locations, Policy, bare_audience},
    document::{self, Document, RequestAuthentication},
    head::is_header_name,
    mesh::Mesh,
    problem::{Problem, Problems},
};

/// Rules of one document, as Istio's schema has it.
const RULES_MAX: usize = 4096;
/// Space-delimited claims of one rule, as Istio's schema has it.
const WORDS_MAX: usize = 64;
/// Places, audiences and outputs of one rule.
const ENTRIES_MAX: usize = 256;
/// What stands behind the issuer where it publishes its configuration (OpenID Connect Discovery 1.0 §4.1).
const DISCOVERY: &str = "/.well-known/openid-configuration";
/// How long a fetch of keys may take unless a rule says otherwise: Istio's default.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn policies(
    documents: &[Document<RequestAuthentication>],
    mesh: &Mesh,
    problems: &mut Vec<Problem>,
) -> Vec<Arc<Policy>> {
    let mut policies: Vec<Arc<Policy>> = documents
        .iter()
        .map(|document| Arc::new(policy(document, mesh, &mut Problems::of(document.id, problems))))
        .collect();
    policies.sort_by(|a, b| a.id.cmp(&b.id));
    policies
}

fn policy(document: &Document<RequestAuthentication>, mesh: &Mesh, problems: &mut Problems<'_>) -> Policy {
    let spec = &document.spec;
    let mut scope = scope(&document.namespace, spec.selector.as_ref(), mesh, problems);
    let attachment = targets::Attachment {
        namespace: &document.namespace,
        target_ref: spec.target_ref.as_ref(),
        target_refs: &spec.target_refs,
        selects: spec.selector.is_some(),
    };
    scope.targets = targets::targets(&attachment, mesh, problems);
    if document.annotations.contains_key(DRY_RUN) {
        problems.error(
            &format!("metadata.annotations[\"{DRY_RUN}\"]"),
            "the annotation dry-run is only supported on an AuthorizationPolicy",
            "remove the annotation",
        );
    }
    if spec.jwt_rules.len() > RULES_MAX {
        let message = format!("{} rules, at most {RULES_MAX} are allowed", spec.jwt_rules.len());
        problems.error("spec.jwtRules", message, "spread them over several documents");
    }
    let mut rules = Vec::new();
    for (index, rule) in spec.jwt_rules.iter().enumerate().take(RULES_MAX) {
        let mut lowering = Lowering { path: format!("spec.jwtRules[{index}]"), problems };
        rules.push(Arc::new(lowering.rule(rule)));
    }
    Policy { id: format!("{}/{}", document.namespace, document.name).into(), scope, rules }
}

/// Makes one rule.
struct Lowering<'a, 'p> {
    path: String,
    problems: &'a mut Problems<'p>,
}

impl Lowering<'_, '_> {
    fn error(&mut self, field: &str, message: impl Into<String>, help: &str) {
        self.problems.error(&format!("{}.{field}", self.path), message, help);
    }

    fn rule(&mut self, rule: &document::JwtRule) -> JwtRule {
        self.issuer(rule);
        let keys = self.keys(rule);
        self.texts("audiences", &rule.audiences, "audience must be non-empty string");
        if rule.space_delimited_claims.len() > WORDS_MAX {
            self.error("spaceDelimitedClaims", format!("more than {WORDS_MAX} claims"), "keep those that you compare");
        }
        self.texts("spaceDelimitedClaims", &rule.space_delimited_claims, "claim must be non-empty string");
        JwtRule {
            issuer: rule.issuer.as_deref().filter(|issuer| !issuer.is_empty()).map(Into::into),
            audiences: rule.audiences.iter().map(|audience| bare_audience(audience).into()).collect(),
            keys,
            locations: self.locations(rule),
            forward: rule.forward_original_token,
            payload_header: self.payload_header(rule),
            claim_headers: self.claim_headers(rule),
            words: rule.space_delimited_claims.clone(),
        }
    }

    fn issuer(&mut self, rule: &document::JwtRule) {
        let given = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        if !given(&rule.issuer) && !given(&rule.jwks_uri) {
            let message = "issuer or jwksUri must be non-empty string";
            self.error("issuer", message, "write the `iss` of the tokens, as issuer: https://accounts.example.com");
        } else if rule.issuer.as_deref() == Some("") {
            self.error("issuer", "issuer must be non-empty string", "remove the field: then any issuer is taken");
        }
    }

    fn keys(&mut self, rule: &document::JwtRule) -> KeySource {
        let timeout = self.timeout(rule);
        match (&rule.jwks, &rule.jwks_uri) {
            (Some(_), Some(_)) => {
                self.error("jwks", "only one of jwks or jwksUri can be set", "remove one of them");
                KeySource::Nowhere
            }
            (Some(text), None) => match Jwks::parse(text.as_bytes()) {
                Ok(jwks) => {
                    if jwks.has_private() {
                        self.problems.warn(
                            &format!("{}.jwks", self.path),
                            "a private key is among the keys: whoever can read this document can sign tokens",
                            "write the public keys alone, and replace the one that was published",
                        );
                    }
                    KeySource::Inline(Arc::new(jwks))
                }
                Err(error) => {
                    let help = "write {\"keys\": [...]} with the issuer's public keys (RFC 7517)";
                    self.error("jwks", format!("jwks is no JSON Web Key Set: {error}"), help);
                    KeySource::Nowhere
                }
            },
            (None, Some(place)) => match check_place(place) {
                Ok(()) => KeySource::Remote(KeyPlace::Jwks(place.as_str().into()), timeout),
                Err(message) => {
                    self.error("jwksUri", message, "write it as https://HOST/PATH");
                    KeySource::Nowhere
                }
            },
            (None, None) => {
                let issuer = rule.issuer.as_deref().unwrap_or_default();
                if check_place(issuer).is_ok() {
                    let asked = format!("{}{DISCOVERY}", issuer.strip_suffix('/').unwrap_or(issuer));
                    return KeySource::Remote(KeyPlace::Discovery(asked.into()), timeout);
                }
                self.problems.warn(
                    &self.path,
                    "the rule has neither jwks nor jwksUri, and its issuer is no URL that could be asked where its keys \
                     are: every token of this issuer is refused",
                    "write jwksUri: where the issuer publishes its keys",
                );
                KeySource::Nowhere
            }
        }
    }

    fn timeout(&mut self, rule: &document::JwtRule) -> Duration {
        let Some(text) = &rule.timeout else { return TIMEOUT };
        match duration(text) {
            Some(timeout) if timeout.as_millis() >= 1 && timeout.subsec_nanos() % 1_000_000 == 0 => timeout,
            _ => {
                let message = format!("timeout {text:?} must be a valid duration of whole milliseconds, at least 1ms");
                self.error("timeout", message, "write it as 5s or 500ms");
                TIMEOUT
            }
        }
    }

    fn texts(&mut self, field: &str, values: &[String], message: &str) {
        if values.len() > ENTRIES_MAX {
            self.error(field, format!("{} entries, at most {ENTRIES_MAX} are allowed", values.len()), "remove some");
        }
        for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_empty()) {
            self.error(&format!("{field}[{index}]"), message, "remove the entry");
        }
    }

    fn locations(&mut self, rule: &document::JwtRule) -> Locations {
        for (index, header) in rule.from_headers.iter().enumerate() {
            let field = format!("fromHeaders[{index}].name");
            if header.name.is_empty() {
                self.error(&field, "location header name must be non-empty string", "name the header");
            } else if !is_header_name(&header.name) {
                self.error(&field, format!("{:?} is no header name", header.name), "write letters, digits and dashes");
            }
        }
        if rule.from_headers.len() > ENTRIES_MAX {
            self.error("fromHeaders", format!("at most {ENTRIES_MAX} headers are allowed"), "remove some");
        }
        self.texts("fromParams", &rule.from_params, "location query must be non-empty string");
        self.texts("fromCookies", &rule.from_cookies, "cookie name must be non-empty string");
        if rule.from_headers.is_empty() && rule.from_params.is_empty() && rule.from_cookies.is_empty() {
            return Locations::default();
        }
        let texts = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
        let header =
            |header: &document::JwtHeader| (header.name.to_ascii_lowercase().into(), header.prefix.as_str().into());
        Locations {
            headers: rule.from_headers.iter().map(header).collect(),
            params: texts(&rule.from_params),
            cookies: texts(&rule.from_cookies),
        }
    }

    fn payload_header(&mut self, rule: &document::JwtRule) -> Option<Arc<str>> {
        let name = rule.output_payload_to_header.as_deref()?;
        if !is_header_name(name) {
            let message = format!("{name:?} is no header name");
            self.error("outputPayloadToHeader", message, "write letters, digits and dashes");
        }
        Some(name.to_ascii_lowercase().into())
    }

    fn claim_headers(&mut self, rule: &document::JwtRule) -> Box<[ClaimHeader]> {
        if rule.output_claim_to_headers.len() > ENTRIES_MAX {
            self.error("outputClaimToHeaders", format!("at most {ENTRIES_MAX} headers are allowed"), "remove some");
        }
        for (index, output) in rule.output_claim_to_headers.iter().enumerate() {
            let field = format!("outputClaimToHeaders[{index}]");
            if output.header.is_empty() || output.claim.is_empty() {
                let message = "outputClaimToHeaders header and claim value must be non-empty string";
                self.error(&field, message, "name both the header and the claim");
            } else if !is_claim_header_name(&output.header) {
                let message = format!("header {:?} must be of letters, digits, dashes and underscores", output.header);
                self.error(&format!("{field}.header"), message, "write it as x-jwt-claim-sub");
            }
        }
        let header = |output: &document::ClaimToHeader| ClaimHeader {
            header: output.header.to_ascii_lowercase().into(),
            path: output.claim.split('.').map(Into::into).collect(),
        };
        rule.output_claim_to_headers.iter().map(header).collect()
    }
}

/// Whether a claim may be told in a header of that name: narrower than what a header may be called, as Istio's validator
/// has it.
fn is_claim_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether keys can be fetched from there.
fn check_place(place: &str) -> Result<(), String> {
    let (scheme, rest) = place.split_once("://").unwrap_or(("", place));
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return Err(format!("URI scheme '{scheme}' is not supported"));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() || authority.contains(['@', '\\', ' ']) || place.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(format!("{place:?} is no URI with a host"));
    }
    match port {
        Some(port) if !port.parse::<u16>().is_ok_and(|port| port > 0) => Err(format!("bad port ({port})")),
        _ => Ok(()),
    }
}

/// A duration as Go writes it: `1m30s`, `500ms`, `1.5s`.
fn duration(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, Duration::ZERO);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, behind) = rest.split_at(digits);
        let end = behind.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(behind.len());
        let (unit, after) = behind.split_at(end);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?)?;
        rest = after;
    }
    // A day is longer than anybody waits.
    (total <= Duration::from_secs(86_400)).then_some(total)
}
