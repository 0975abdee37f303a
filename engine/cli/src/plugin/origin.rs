//! Where a component is, as the command line says it.

use std::path::{Path, PathBuf};

use clap::Args;
use weir_adapters::{Host, HostOptions, Origin};

use super::project::{MANIFEST, Project};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct Place {
    /// A component, or the folder of a plugin.
    #[arg(value_name = "FILE", default_value = ".")]
    file: PathBuf,
}

impl Place {
    /// The component's file; of a plugin's folder, what was built there.
    pub(super) fn file(&self) -> Result<PathBuf, Failure> {
        let file = match self.file.join(MANIFEST).is_file() {
            true => Project::open(&self.file)?.component(),
            false => self.file.clone(),
        };
        match file.is_file() {
            true => Ok(file),
            false => Err(Failure::Usage(format!("{}: no component there; run weir plugin build", file.display()))),
        }
    }
}

/// Its bytes.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|e| Failure::unreachable(format!("{}: {e}", file.display())))
}

/// The signature that lies beside it.
pub(super) fn signature(file: &Path) -> Option<String> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".sig");
    std::fs::read_to_string(beside).ok().map(|text| text.trim().to_owned())
}

/// A file, `http(s)://...`, `oci://REGISTRY/REPOSITORY:TAG` or `layout:FOLDER[:NAME]`.
pub(super) fn origin(text: &str) -> Origin {
    if let Some(reference) = text.strip_prefix("oci://").or_else(|| text.strip_prefix("oci+")) {
        return Origin::Oci(reference.to_owned());
    }
    if let Some(layout) = text.strip_prefix("layout:") {
        let (path, reference) = match layout.rsplit_once(':') {
            Some((path, name)) if !name.contains('/') => (path, Some(name.to_owned())),
            _ => (layout, None),
        };
        return Origin::Layout { path: path.into(), reference };
    }
    match text.starts_with("http://") || text.starts_with("https://") {
        true => Origin::Http(text.to_owned()),
        false => Origin::File(text.into()),
    }
}

/// An engine for plugins.
pub(super) fn host(options: HostOptions) -> Result<Host, Failure> {
    Host::new(options).map_err(Failure::unreachable)
}
