//! Where a plugin comes from, and who has vouched for it.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Fault, capabilities::is_url};

/// Where a plugin comes from: exactly one of `file`, `http`, `oci` and `layout`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PluginSource {
    /// The component's file: absolute, or relative to the folder of the YAML file, else to the plugin folder.
    pub file: Option<String>,
    /// An `http://` or `https://` URL of the component.
    pub http: Option<String>,
    /// `REGISTRY/REPOSITORY:TAG` or `...@sha256:HEX`. `http://` before it speaks without TLS.
    pub oci: Option<String>,
    /// An OCI image layout on this machine.
    pub layout: Option<Layout>,
    /// The SHA-256 that the component must have, as 64 hex digits. Anything but a file needs it.
    pub sha256: Option<String>,
    /// Who must have signed it.
    pub signature: Option<Signature>,
    /// The file or folder that `file` or `layout` was found to mean.
    #[serde(skip)]
    pub path: PathBuf,
}

/// An OCI image layout.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Layout {
    /// The folder, found like a file.
    pub path: String,
    /// `org.opencontainers.image.ref.name` of the image; not needed when there is only one.
    #[serde(default)]
    pub reference: Option<String>,
}

/// A detached ed25519 signature.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Signature {
    /// Public keys in base64, 32 bytes each; one of them must have signed.
    pub trusted_keys: Vec<String>,
    /// The signature in base64, 64 bytes. Without it: the file or URL with `.sig` appended, or the image's annotation
    /// `dev.weir.signature`.
    #[serde(default)]
    pub value: Option<String>,
}

impl PluginSource {
    /// Whether it is read from this machine's disk as it stands.
    pub fn is_file(&self) -> bool {
        self.file.is_some()
    }

    pub(super) fn resolve(&mut self, folder: &Path, plugin_dir: Option<&Path>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let given = [self.file.is_some(), self.http.is_some(), self.oci.is_some(), self.layout.is_some()];
        if given.iter().filter(|given| **given).count() != 1 {
            faults.push((
                "spec.source",
                "exactly one of `file`, `http`, `oci` and `layout` says where the plugin is".to_owned(),
                "give the path of its component, a `.wasm` file, as `file`".to_owned(),
            ));
            return faults;
        }
        self.resolve_path(folder, plugin_dir, &mut faults);
        if self.http.as_deref().is_some_and(|url| !is_url(url)) {
            let help = "write `https://HOST/PATH`".to_owned();
            faults.push(("spec.source.http", "expected an http or https URL".to_owned(), help));
        }
        match &self.sha256 {
            Some(sha256) if !(sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit())) => faults.push((
                "spec.source.sha256",
                "expected the 64 hex digits of a SHA-256".to_owned(),
                "print it with `sha256sum FILE`".to_owned(),
            )),
            None if !self.is_file() => faults.push((
                "spec.source",
                "a plugin that is not a local file needs its `sha256`: whoever serves it could change it".to_owned(),
                "print it with `sha256sum FILE`, and add `sha256: ...`".to_owned(),
            )),
            _ => {}
        }
        if let Some(signature) = self.signature.as_ref().filter(|signature| signature.trusted_keys.is_empty()) {
            let message = if signature.value.is_some() { "nobody is trusted" } else { "neither keys nor a signature" };
            let help = "add the public key of who signs: `trustedKeys: [BASE64]`".to_owned();
            faults.push(("spec.source.signature", message.to_owned(), help));
        }
        faults
    }

    fn resolve_path(&mut self, folder: &Path, plugin_dir: Option<&Path>, faults: &mut Vec<Fault>) {
        let (field, what, wanted) = match (&self.file, &self.layout) {
            (Some(file), _) => ("spec.source.file", "plugin file", file),
            (None, Some(layout)) => ("spec.source.layout", "image layout", &layout.path),
            (None, None) => return,
        };
        if wanted.is_empty() {
            let help = "give the path of its component, a `.wasm` file".to_owned();
            faults.push((field, "the plugin has no file".to_owned(), help));
            return;
        }
        let tried: Vec<PathBuf> = std::iter::once(folder).chain(plugin_dir).map(|folder| folder.join(wanted)).collect();
        let there = |path: &&PathBuf| if self.file.is_some() { path.is_file() } else { path.is_dir() };
        match tried.iter().find(there) {
            Some(found) => found.clone_into(&mut self.path),
            None => faults.push((field, format!("there is no {what} `{wanted}`"), looked_in(&tried))),
        }
    }
}

fn looked_in(tried: &[PathBuf]) -> String {
    let tried: Vec<String> = tried.iter().map(|path| format!("`{}`", path.display())).collect();
    format!("looked for {}; build it, or name another plugin folder", tried.join(" and "))
}
