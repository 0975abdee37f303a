//! `weir plugin verify`: fetches a component as an engine would.

use clap::Args;
use sha2::{Digest, Sha256};
use weir_adapters::{FetchError, HostOptions, Trust, Wanted, inspect};

use super::build::{finding, hex, size};
use super::origin::{host, origin};
use super::wait;
use crate::failure::Failure;
use crate::terminal::say;

/// Fetches a component as an engine would, and checks digest, signature and contents.
#[derive(Debug, Args)]
#[command(after_help = "Where a component may be:
  dist/geo.wasm                       a file
  https://example.org/geo.wasm        a URL, with the signature at URL.sig
  oci://registry.example/acme/geo:1   a registry; oci://http://localhost:5000/acme/geo:1 without TLS
  layout:FOLDER or layout:FOLDER:NAME an OCI image layout")]
pub(super) struct Verify {
    /// Where the component is.
    #[arg(value_name = "ORIGIN")]
    origin: String,
    /// The digest that it must have.
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    /// A public key that must have signed it, in base64. Repeatable: one of them suffices.
    #[arg(long, value_name = "BASE64")]
    key: Vec<String>,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Failure> {
        let trust = (!self.key.is_empty()).then(|| Trust { keys: self.key.clone(), value: None });
        let signed = trust.is_some();
        let wanted = Wanted { origin: origin(&self.origin), sha256: self.sha256, trust };
        let component = wait(async {
            let fetched = host(HostOptions::default())?.fetch(&wanted).await;
            fetched.map_err(|error| match error {
                FetchError::Digest { .. } | FetchError::Signature(_) => finding(error),
                other => Failure::unreachable(other),
            })
        })?;
        let found = inspect(&component, &self.origin).map_err(finding)?;
        let (name, version, world) = (&found.manifest.name, &found.manifest.version, found.manifest.world);
        say(&format!("{name} {version}, a {world} plugin of {}\n", size(component.len())));
        say(&format!("sha256    {}\n", hex(&Sha256::digest(&component))));
        say(&format!("signature {}\n", if signed { "of a trusted key" } else { "not asked for; give --key" }));
        Ok(())
    }
}
