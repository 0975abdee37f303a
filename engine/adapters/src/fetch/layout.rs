//! An OCI image layout in a folder.

use std::path::Path;

use bytes::Bytes;

use super::image::{Descriptor, Document, verify};
use super::{FetchError, Found};

/// The name of an image in an index.
pub(super) const NAME: &str = "org.opencontainers.image.ref.name";

/// The component of the image of that name, or of the only one; each piece is checked by its digest.
pub(super) fn read(folder: &Path, reference: Option<&str>) -> Result<Found, FetchError> {
    let from = folder.display().to_string();
    let index = Document::parse(&super::read(&folder.join("index.json"))?, &from)?;
    let named = |image: &&Descriptor| image.annotations.get(NAME).map(String::as_str) == reference;
    let image = match reference {
        None => index.manifests.first().filter(|_| index.manifests.len() == 1),
        Some(_) => index.manifests.iter().find(named),
    };
    let image = image.ok_or_else(|| FetchError::Fetch {
        from: from.clone(),
        message: match reference {
            Some(reference) => format!("there is no image {reference:?} in it"),
            None => format!("there are {} images in it; give the `reference` of one", index.manifests.len()),
        },
    })?;
    let manifest = Document::parse(&blob(folder, &image.digest)?, &from)?;
    let component = blob(folder, &manifest.component(&from)?.digest)?;
    Ok(Found { component, signature: manifest.signature() })
}

fn blob(folder: &Path, digest: &str) -> Result<Bytes, FetchError> {
    let from = folder.display().to_string();
    let hex = digest.strip_prefix("sha256:");
    let hex = hex.filter(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    let Some(hex) = hex else {
        return Err(FetchError::Fetch { from, message: format!("{digest:?} is no SHA-256 digest") });
    };
    let bytes = super::read(&folder.join("blobs/sha256").join(hex))?;
    verify(&bytes, digest, &from)?;
    Ok(bytes)
}
