//! `weir plugin sign`: a signature beside the component.

use std::path::PathBuf;

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use sha2::{Digest, Sha256};
use weir_adapters::{inspect, signed_text};

use super::build::{finding, hex};
use super::origin::{Place, read};
use crate::failure::Failure;
use crate::terminal::say;

/// Signs a component with a key of `weir plugin keygen`, and writes FILE.sig, which engines look for beside it.
#[derive(Debug, Args)]
pub(super) struct Sign {
    #[command(flatten)]
    place: Place,
    /// The private key.
    #[arg(long, value_name = "FILE", default_value = "weir-plugin.key")]
    key: PathBuf,
}

impl Sign {
    pub(super) fn run(self) -> Result<(), Failure> {
        let file = self.place.file()?;
        let wasm = read(&file)?;
        inspect(&wasm, &file.display().to_string()).map_err(finding)?;
        let key = std::fs::read_to_string(&self.key);
        let shown = self.key.display();
        let key = key.map_err(|e| Failure::Usage(format!("{shown}: {e}; make a key: weir plugin keygen")))?;
        let secret = STANDARD.decode(key.trim()).ok();
        let pair = secret.and_then(|secret| Ed25519KeyPair::from_pkcs8(&secret).ok());
        let pair = pair.ok_or_else(|| Failure::Usage(format!("{shown}: no key of weir plugin keygen")))?;
        let digest = hex(&Sha256::digest(&wasm));
        let signature = STANDARD.encode(pair.sign(signed_text(&digest).as_bytes()).as_ref());
        let mut beside = file.into_os_string();
        beside.push(".sig");
        std::fs::write(&beside, format!("{signature}\n")).map_err(Failure::unreachable)?;
        say(&format!("{}: sha256 {digest}\n", beside.display()));
        Ok(())
    }
}
