//! Gets a component: from a file, a URL, an OCI registry or an image layout; and believes it only by digest and signature.
//!
//! The pull of images is written here, over the HTTP client that the adapters have anyway: a client library would bring
//! a second HTTP stack, credentials helpers and pushing, for three GETs.

mod image;
mod layout;
mod push;
mod registry;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use sha2::{Digest, Sha256};

use crate::client::{Answer, HttpClient};
use crate::signature::{self, Trust};
use crate::{COMPONENT_BYTES_MAX, FETCH_TIME, Host, REDIRECTS_MAX, SIGNATURE_BYTES_MAX};

/// Where a component comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A file of this machine.
    File(PathBuf),
    /// A URL.
    Http(String),
    /// An image: `REGISTRY/REPOSITORY:TAG` or `...@sha256:HEX`; with `http://` before it, without TLS.
    Oci(String),
    /// An OCI image layout in a folder.
    Layout {
        /// The folder.
        path: PathBuf,
        /// `org.opencontainers.image.ref.name`; none when there is only one image.
        reference: Option<String>,
    },
}

/// A component, and what it must prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it comes from.
    pub origin: Origin,
    /// The SHA-256 that it must have, as hexadecimal digits.
    pub sha256: Option<String>,
    /// Who must have signed it.
    pub trust: Option<Trust>,
}

/// Why there is no component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It cannot be read from this machine.
    #[error("{0}; give a component that this process may read")]
    Read(String),
    /// Whoever has it does not give it.
    #[error("{from}: {message}")]
    Fetch {
        /// Whom it was asked of.
        from: String,
        /// What became of it.
        message: String,
    },
    /// It did not come in time.
    #[error("{from}: not here within {limit:?}")]
    Late {
        /// Whom it was asked of.
        from: String,
        /// How long it may take.
        limit: Duration,
    },
    /// It is another one.
    #[error("the SHA-256 of the component is {found}, wanted is {wanted}")]
    Digest {
        /// What it is.
        found: String,
        /// What it must be.
        wanted: String,
    },
    /// Nobody who is trusted has signed it.
    #[error("signature: {0}")]
    Signature(String),
}

/// What was found: the component, and the signature that lay with it.
pub(crate) struct Found {
    pub(crate) component: Bytes,
    pub(crate) signature: Option<String>,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::File(path) | Origin::Layout { path, .. } => write!(f, "{}", path.display()),
            Origin::Http(url) => f.write_str(url),
            Origin::Oci(reference) => f.write_str(reference),
        }
    }
}

impl Host {
    /// Gets a component and checks its digest and its signature, in this order. Takes at most [`FETCH_TIME`]. What is pinned by a digest
    /// and was fetched before comes from the cache folder.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(&self, wanted: &Wanted) -> Result<Bytes, FetchError> {
        let from = wanted.origin.to_string();
        let fetching = tokio::time::timeout(FETCH_TIME, self.find(wanted)).await;
        let found = fetching.map_err(|_| FetchError::Late { from, limit: FETCH_TIME })??;
        let digest = hex(&Sha256::digest(&found.component));
        if let Some(sha256) = &wanted.sha256
            && !sha256.eq_ignore_ascii_case(&digest)
        {
            return Err(FetchError::Digest { found: digest, wanted: sha256.to_ascii_lowercase() });
        }
        if let Some(trust) = &wanted.trust {
            let given = trust.value.as_ref().or(found.signature.as_ref());
            let given =
                given.ok_or_else(|| FetchError::Signature("there is none; sign it with `weir plugin sign`".into()))?;
            signature::verify(&digest, given, &trust.keys).map_err(FetchError::Signature)?;
        }
        if !matches!(wanted.origin, Origin::File(_)) {
            self.keep(&digest, &found);
        }
        Ok(found.component)
    }

    async fn find(&self, wanted: &Wanted) -> Result<Found, FetchError> {
        let signed = wanted.trust.as_ref().is_some_and(|trust| trust.value.is_none());
        if let (Some(sha256), false) = (&wanted.sha256, matches!(wanted.origin, Origin::File(_)))
            && let Some(found) = self.kept(&sha256.to_ascii_lowercase())
            && (found.signature.is_some() || !signed)
        {
            return Ok(found);
        }
        match &wanted.origin {
            Origin::File(path) => {
                let path = path.clone();
                let read = move || Ok(Found { component: read(&path)?, signature: signature_beside(&path) });
                blocking(read).await
            }
            Origin::Http(url) => {
                let component = get(self.client(), url, COMPONENT_BYTES_MAX).await?;
                let signature = match signed {
                    true => {
                        let signature = get(self.client(), &format!("{url}.sig"), SIGNATURE_BYTES_MAX).await?;
                        Some(String::from_utf8_lossy(&signature).into_owned())
                    }
                    false => None,
                };
                Ok(Found { component, signature })
            }
            Origin::Oci(reference) => registry::pull(self.client(), reference).await,
            Origin::Layout { path, reference } => {
                let (path, reference) = (path.clone(), reference.clone());
                blocking(move || layout::read(&path, reference.as_deref())).await
            }
        }
    }
}

async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    let ended = tokio::task::spawn_blocking(job).await;
    ended.unwrap_or_else(|e| Err(FetchError::Read(e.to_string())))
}

/// A file of at most a component's size and one byte: the host then refuses it and says how large it may be.
fn read(path: &Path) -> Result<Bytes, FetchError> {
    let bytes = read_within(path, COMPONENT_BYTES_MAX + 1);
    bytes.map(Bytes::from).map_err(|e| FetchError::Read(format!("{}: {e}", path.display())))
}

/// The first `most` bytes of a file.
fn read_within(path: &Path, most: usize) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn signature_beside(path: &Path) -> Option<String> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".sig");
    signature_at(Path::new(&beside))
}

/// The signature in that file; one that is longer than a signature can be is cut, and so no signature.
pub(crate) fn signature_at(path: &Path) -> Option<String> {
    String::from_utf8(read_within(path, SIGNATURE_BYTES_MAX).ok()?).ok()
}

/// A GET of at most `most` bytes that follows a few redirects; never from https to http.
async fn get(client: &HttpClient, url: &str, most: usize) -> Result<Bytes, FetchError> {
    let answer = follow(client, url, &[], most).await?;
    let failed = |message: String| FetchError::Fetch { from: url.to_owned(), message };
    match answer.status() {
        http::StatusCode::OK => Ok(answer.into_body()),
        other => Err(failed(format!("the answer was {other}"))),
    }
}

/// The answer to a GET with those headers, which only the first place is shown.
async fn follow(client: &HttpClient, url: &str, headers: &[(&str, &str)], most: usize) -> Result<Answer, FetchError> {
    let failed = |message: String| FetchError::Fetch { from: url.to_owned(), message };
    let mut place: http::Uri = url.parse().map_err(|_| failed("that is no URL".into()))?;
    for step in 0..=REDIRECTS_MAX {
        let mut request = http::Request::get(&place);
        for (name, value) in headers.iter().filter(|_| step == 0) {
            request = request.header(*name, *value);
        }
        let request = request.header(http::header::USER_AGENT, concat!("weir/", env!("CARGO_PKG_VERSION")));
        let request = request.body(Full::default()).map_err(|e| failed(e.to_string()))?;
        let answer = client.ask(request, most).await.map_err(|e| failed(e.to_string()))?;
        if !answer.status().is_redirection() {
            return Ok(answer);
        }
        let to = answer.headers().get(http::header::LOCATION).and_then(|to| to.to_str().ok());
        let next: http::Uri = to
            .and_then(|to| if to.starts_with('/') { joined(&place, to) } else { to.parse().ok() })
            .ok_or_else(|| failed("the answer leads nowhere".into()))?;
        if place.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
            return Err(failed(format!("the answer leads to {next}, without TLS")));
        }
        place = next;
    }
    Err(failed(format!("more than {REDIRECTS_MAX} redirects")))
}

fn joined(base: &http::Uri, path: &str) -> Option<http::Uri> {
    http::Uri::builder()
        .scheme(base.scheme_str()?)
        .authority(base.authority()?.as_str())
        .path_and_query(path)
        .build()
        .ok()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
