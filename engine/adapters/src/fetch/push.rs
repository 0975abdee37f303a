//! Puts a component where others can fetch it: into an OCI registry, or an image layout in a folder.

use std::path::Path;

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::Full;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::image::SIGNATURE;
use super::layout::NAME;
use super::registry::{Reference, token};
use super::{FetchError, Origin, blocking, hex};
use crate::client::{Answer, HttpClient};
use crate::{FETCH_TIME, Host};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.empty.v1+json";
const LAYER: &str = "application/wasm";

impl Host {
    /// Pushes a component, with a signature if there is one, and gives the digest of the image. What has that name there is
    /// replaced. Takes at most [`FETCH_TIME`].
    ///
    /// # Errors
    /// [`FetchError`]; a file or a URL is no place to push to.
    pub async fn push(&self, to: &Origin, component: Bytes, signature: Option<&str>) -> Result<String, FetchError> {
        let image = Image::of(component, signature);
        let digest = image.digest.clone();
        let pushing = async {
            match to {
                Origin::Oci(reference) => upload(self.client(), reference, &image).await,
                Origin::Layout { path, reference } => {
                    let (path, reference) = (path.clone(), reference.clone());
                    blocking(move || image.write(&path, reference.as_deref())).await
                }
                Origin::File(_) | Origin::Http(_) => Err(FetchError::Fetch {
                    from: to.to_string(),
                    message: "push to a registry, REGISTRY/REPOSITORY:TAG, or into a layout".into(),
                }),
            }
        };
        let late = |_| FetchError::Late { from: to.to_string(), limit: FETCH_TIME };
        tokio::time::timeout(FETCH_TIME, pushing).await.map_err(late)??;
        Ok(digest)
    }
}

/// An image: its manifest, an empty configuration and the component as its only layer.
struct Image {
    manifest: Bytes,
    digest: String,
    blobs: [(String, Bytes); 2],
}

impl Image {
    fn of(component: Bytes, signature: Option<&str>) -> Image {
        let config = Bytes::from_static(b"{}");
        let describe =
            |media: &str, bytes: &Bytes| json!({"mediaType": media, "digest": digest(bytes), "size": bytes.len()});
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": LAYER,
            "config": describe(CONFIG, &config),
            "layers": [describe(LAYER, &component)],
        });
        if let (Some(signature), Some(fields)) = (signature, manifest.as_object_mut()) {
            fields.insert("annotations".into(), json!({ SIGNATURE: signature.trim() }));
        }
        let manifest = Bytes::from(manifest.to_string());
        let blobs = [(digest(&config), config), (digest(&component), component)];
        Image { digest: digest(&manifest), manifest, blobs }
    }

    /// Writes the image into a layout, which may hold others.
    fn write(&self, folder: &Path, name: Option<&str>) -> Result<(), FetchError> {
        let failed = |e: std::io::Error| FetchError::Read(format!("{}: {e}", folder.display()));
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).map_err(failed)?;
        let manifest = (self.digest.clone(), self.manifest.clone());
        for (digest, bytes) in self.blobs.iter().chain([&manifest]) {
            std::fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).map_err(failed)?;
        }
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).map_err(failed)?;
        let index = folder.join("index.json");
        let there: Json =
            std::fs::read(&index).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let named = |image: &Json| image.get("annotations").and_then(|a| a.get(NAME)).and_then(Json::as_str) == name;
        let mut images: Vec<Json> = there.get("manifests").and_then(Json::as_array).cloned().unwrap_or_default();
        images.retain(|image| !named(image));
        let annotations = name.map_or_else(|| json!({}), |name| json!({ NAME: name }));
        images.push(json!({
            "mediaType": MANIFEST, "digest": self.digest, "size": self.manifest.len(), "annotations": annotations,
        }));
        let text = json!({"schemaVersion": 2, "manifests": images}).to_string();
        // Whole at once: somebody may read it.
        let half = folder.join(format!(".index.{}", std::process::id()));
        std::fs::write(&half, text).and_then(|()| std::fs::rename(&half, &index)).map_err(failed)
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Each blob that is not there, in one piece, then the manifest.
async fn upload(client: &HttpClient, reference: &str, image: &Image) -> Result<(), FetchError> {
    let failed = |message: String| FetchError::Fetch { from: reference.to_owned(), message };
    let to =
        Reference::parse(reference).ok_or_else(|| failed("that is no image; write REGISTRY/REPOSITORY:TAG".into()))?;
    let mut upload = Upload { client, reference, to, token: None };
    for (digest, bytes) in &image.blobs {
        let blob = format!("{}/blobs/{digest}", upload.to.base);
        if upload.ask(Method::HEAD, &blob, "", Bytes::new()).await?.status() == StatusCode::OK {
            continue;
        }
        let start = format!("{}/blobs/uploads/", upload.to.base);
        let answer = upload.expect(Method::POST, &start, "", Bytes::new()).await?;
        let place = answer.headers().get(http::header::LOCATION).and_then(|place| place.to_str().ok());
        let place = place.ok_or_else(|| failed("the registry does not say where to upload to".into()))?;
        let place = match place.starts_with('/') {
            true => format!("{}{place}", upload.to.base.split("/v2/").next().unwrap_or_default()),
            false => place.to_owned(),
        };
        let mark = if place.contains('?') { '&' } else { '?' };
        let place = format!("{place}{mark}digest={digest}");
        upload.expect(Method::PUT, &place, "application/octet-stream", bytes.clone()).await?;
    }
    let manifest = format!("{}/manifests/{}", upload.to.base, upload.to.version);
    upload.expect(Method::PUT, &manifest, MANIFEST, image.manifest.clone()).await?;
    Ok(())
}

struct Upload<'a> {
    client: &'a HttpClient,
    reference: &'a str,
    to: Reference,
    token: Option<String>,
}

impl Upload<'_> {
    async fn expect(&mut self, method: Method, url: &str, kind: &str, body: Bytes) -> Result<Answer, FetchError> {
        let answer = self.ask(method, url, kind, body).await?;
        match answer.status().is_success() {
            true => Ok(answer),
            false => Err(FetchError::Fetch {
                from: url.to_owned(),
                message: format!("the answer was {}; may you push there?", answer.status()),
            }),
        }
    }

    /// Asks, and once more with a token when the registry wants one.
    async fn ask(&mut self, method: Method, url: &str, kind: &str, body: Bytes) -> Result<Answer, FetchError> {
        loop {
            let failed = |message: String| FetchError::Fetch { from: url.to_owned(), message };
            let mut request = http::Request::builder().method(method.clone()).uri(url);
            if !kind.is_empty() {
                request = request.header(http::header::CONTENT_TYPE, kind);
            }
            if let Some(token) = &self.token {
                request = request.header(http::header::AUTHORIZATION, format!("Bearer {token}"));
            }
            let request = request.body(Full::new(body.clone())).map_err(|e| failed(e.to_string()))?;
            let answer = self.client.ask(request, 1 << 20).await.map_err(|e| failed(e.to_string()))?;
            if answer.status() != StatusCode::UNAUTHORIZED || self.token.is_some() {
                return Ok(answer);
            }
            self.token = Some(token(self.client, self.reference, &self.to, &answer, "pull,push").await?);
        }
    }
}
