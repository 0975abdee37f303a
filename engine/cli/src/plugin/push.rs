//! `weir plugin push`: a component to where engines fetch it from.

use clap::Args;
use sha2::{Digest, Sha256};
use weir_adapters::{HostOptions, Origin, inspect};

use super::build::{finding, hex};
use super::origin::{Place, host, origin, read, signature};
use super::wait;
use crate::failure::Failure;
use crate::terminal::say;

/// Pushes a component into an OCI registry or an image layout, with its signature if FILE.sig is there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir plugin push --to registry.example/acme/geo:1.0
  weir plugin push --to http://localhost:5000/acme/geo:1.0     without TLS
  weir plugin push --to layout:images:1.0 dist/geo.wasm        a folder")]
pub(super) struct Push {
    #[command(flatten)]
    place: Place,
    /// REGISTRY/REPOSITORY:TAG, or layout:FOLDER[:NAME].
    #[arg(long, value_name = "WHERE")]
    to: String,
}

impl Push {
    pub(super) fn run(self) -> Result<(), Failure> {
        let file = self.place.file()?;
        let wasm = read(&file)?;
        inspect(&wasm, &file.display().to_string()).map_err(finding)?;
        let to = match origin(&self.to) {
            layout @ Origin::Layout { .. } => layout,
            _ => Origin::Oci(self.to.trim_start_matches("oci://").to_owned()),
        };
        let (digest, signature) = (hex(&Sha256::digest(&wasm)), signature(&file));
        let image = wait(async {
            host(HostOptions::default())?
                .push(&to, wasm.into(), signature.as_deref())
                .await
                .map_err(Failure::unreachable)
        })?;
        say(&format!("{to}: image {image}{}\n", if signature.is_some() { ", signed" } else { "" }));
        let source = match &to {
            Origin::Layout { path, reference } => {
                let name = reference.as_ref().map_or_else(String::new, |name| format!(", reference: {name:?}"));
                format!("layout: {{path: {}{name}}}", path.display())
            }
            other => format!("oci: {other:?}", other = other.to_string()),
        };
        say(&format!("in the Adapter: source: {{{source}, sha256: {digest}}}\n"));
        Ok(())
    }
}
