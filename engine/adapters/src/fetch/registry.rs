//! An image in an OCI registry: three GETs, and one more for a token where the registry wants one.

use bytes::Bytes;
use serde::Deserialize;

use super::image::{Document, MANIFESTS, verify};
use super::{FetchError, Found, follow};
use crate::client::{Answer, HttpClient};
use crate::{COMPONENT_BYTES_MAX, TOKEN_BYTES_MAX};

/// `REGISTRY/REPOSITORY:TAG` in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) base: String,
    repository: String,
    /// A tag or a digest.
    pub(super) version: String,
}

impl Reference {
    pub(super) fn parse(text: &str) -> Option<Reference> {
        let (scheme, rest) = match (text.strip_prefix("http://"), text.strip_prefix("oci://")) {
            (Some(rest), _) => ("http", rest),
            (_, Some(rest)) => ("https", rest),
            _ => ("https", text),
        };
        let (registry, path) = rest.split_once('/')?;
        let (path, digest) = match path.split_once('@') {
            Some((path, digest)) => (path, Some(digest)),
            None => (path, None),
        };
        let (repository, tag) = path.split_once(':').unwrap_or((path, "latest"));
        let legal = |text: &str, more: &[u8]| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b) || more.contains(&b))
        };
        let version = digest.unwrap_or(tag);
        let whole = legal(registry, b":[]") && legal(repository, b"/") && legal(version, b":");
        (whole && !repository.contains("..")).then(|| Reference {
            base: format!("{scheme}://{registry}/v2/{repository}"),
            repository: repository.to_owned(),
            version: version.to_owned(),
        })
    }
}

/// The component of that image; what is named by a digest is checked by it.
pub(super) async fn pull(client: &HttpClient, reference: &str) -> Result<Found, FetchError> {
    let failed = |message: &str| FetchError::Fetch { from: reference.to_owned(), message: message.to_owned() };
    let parsed = Reference::parse(reference);
    let parsed = parsed.ok_or_else(|| failed("that is no image; write REGISTRY/REPOSITORY:TAG"))?;
    let mut asking = Asking { client, reference, parsed: &parsed, token: None };
    let mut manifest = asking.manifest(&parsed.version).await?;
    if let (true, Some(first)) = (manifest.layers.is_empty(), manifest.manifests.first()) {
        let digest = first.digest.clone();
        manifest = asking.manifest(&digest).await?;
    }
    let layer = manifest.component(reference)?;
    let component = asking.get(&format!("blobs/{}", layer.digest), "*/*").await?;
    verify(&component, &layer.digest, reference)?;
    Ok(Found { component, signature: manifest.signature() })
}

struct Asking<'a> {
    client: &'a HttpClient,
    reference: &'a str,
    parsed: &'a Reference,
    token: Option<String>,
}

impl Asking<'_> {
    async fn manifest(&mut self, version: &str) -> Result<Document, FetchError> {
        let bytes = self.get(&format!("manifests/{version}"), MANIFESTS).await?;
        if version.starts_with("sha256:") {
            verify(&bytes, version, self.reference)?;
        }
        Document::parse(&bytes, self.reference)
    }

    async fn get(&mut self, what: &str, accept: &str) -> Result<Bytes, FetchError> {
        let url = format!("{}/{what}", self.parsed.base);
        let mut answer = self.ask(&url, accept).await?;
        if answer.status() == http::StatusCode::UNAUTHORIZED && self.token.is_none() {
            self.token = Some(token(self.client, self.reference, self.parsed, &answer, "pull").await?);
            answer = self.ask(&url, accept).await?;
        }
        match answer.status() {
            http::StatusCode::OK => Ok(answer.into_body()),
            other => Err(FetchError::Fetch { from: url, message: format!("the answer was {other}") }),
        }
    }

    async fn ask(&self, url: &str, accept: &str) -> Result<Answer, FetchError> {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let bearer = bearer.as_deref().map(|bearer| ("authorization", bearer));
        let headers: Vec<_> = [("accept", accept)].into_iter().chain(bearer).collect();
        follow(self.client, url, &headers, COMPONENT_BYTES_MAX).await
    }
}

/// The token that anybody gets who asks where the registry says.
pub(super) async fn token(
    client: &HttpClient,
    reference: &str,
    parsed: &Reference,
    refused: &Answer,
    to: &str,
) -> Result<String, FetchError> {
    #[derive(Deserialize)]
    struct Given {
        #[serde(alias = "access_token")]
        token: String,
    }
    let failed = |message: &str| FetchError::Fetch { from: reference.to_owned(), message: message.to_owned() };
    let challenge = refused.headers().get(http::header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    let field = |name: &str| {
        let (_, rest) = challenge?.strip_prefix("Bearer ")?.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value)
    };
    let realm = field("realm").ok_or_else(|| failed("the registry wants credentials, which are not supported"))?;
    let service = field("service").unwrap_or_default();
    let url = format!("{realm}?service={service}&scope=repository:{}:{to}", parsed.repository);
    let answer = follow(client, &url, &[], TOKEN_BYTES_MAX).await?;
    let given: Result<Given, _> = serde_json::from_slice(answer.body());
    given.map(|given| given.token).map_err(|_| failed("the registry gives no token to who has no credentials"))
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn a_reference_has_a_registry_a_repository_and_a_tag_or_digest() {
        let parts = |text: &str| Reference::parse(text).map(|r| format!("{} {}", r.base, r.version));
        assert_eq!(parts("ghcr.io/acme/geo:1.2").as_deref(), Some("https://ghcr.io/v2/acme/geo 1.2"));
        assert_eq!(parts("oci://ghcr.io/geo").as_deref(), Some("https://ghcr.io/v2/geo latest"));
        let pinned = "http://127.0.0.1:5000/a/b:1@sha256:00";
        assert_eq!(parts(pinned).as_deref(), Some("http://127.0.0.1:5000/v2/a/b sha256:00"));
        for wrong in ["geo", "ghcr.io/", "ghcr.io/a b", "ghcr.io/a/../b", "ghcr.io/a?x=1:2", "user@host/a"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
