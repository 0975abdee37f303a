//! What of an OCI image is the component.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{FetchError, hex};

/// Where a signature lies with an image.
pub(super) const SIGNATURE: &str = "dev.weir.signature";

/// Media types of manifests that are taken.
pub(super) const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) digest: String,
    #[serde(default)]
    pub(super) annotations: std::collections::HashMap<String, String>,
}

/// A manifest or an index: which, its fields say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    pub(super) layers: Vec<Descriptor>,
    pub(super) manifests: Vec<Descriptor>,
    pub(super) annotations: std::collections::HashMap<String, String>,
}

impl Document {
    pub(super) fn parse(bytes: &[u8], from: &str) -> Result<Document, FetchError> {
        serde_json::from_slice(bytes)
            .map_err(|e| FetchError::Fetch { from: from.to_owned(), message: format!("that is no image: {e}") })
    }

    /// The layer that is the component: the first that says so, else the only one.
    pub(super) fn component(&self, from: &str) -> Result<&Descriptor, FetchError> {
        let wasm = |layer: &&Descriptor| layer.media_type.contains("wasm");
        let only = || self.layers.first().filter(|_| self.layers.len() == 1);
        self.layers.iter().find(wasm).or_else(only).ok_or_else(|| FetchError::Fetch {
            from: from.to_owned(),
            message: "the image has no layer of type application/wasm; push it with `weir plugin push`".into(),
        })
    }

    /// The signature that lies with it.
    pub(super) fn signature(&self) -> Option<String> {
        let layer = self.layers.iter().find_map(|layer| layer.annotations.get(SIGNATURE));
        self.annotations.get(SIGNATURE).or(layer).cloned()
    }
}

/// Whether `bytes` are what the digest names.
pub(super) fn verify(bytes: &[u8], digest: &str, from: &str) -> Result<(), FetchError> {
    let found = format!("sha256:{}", hex(&Sha256::digest(bytes)));
    match found == digest {
        true => Ok(()),
        false => {
            let message = format!("what came has the digest {found}, asked for was {digest}");
            Err(FetchError::Fetch { from: from.to_owned(), message })
        }
    }
}
