//! `weir plugin keygen`: a pair of keys to sign with.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use crate::failure::Failure;
use crate::terminal::say;

/// Makes a pair of keys (ed25519): FILE, readable for its owner only, and FILE.pub; prints the public one.
#[derive(Debug, Args)]
pub(super) struct Keygen {
    /// Where to write the private key.
    #[arg(value_name = "FILE", default_value = "weir-plugin.key")]
    file: PathBuf,
}

impl Keygen {
    pub(super) fn run(self) -> Result<(), Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::Unreachable(format!("{}: {e}", self.file.display()));
        let secret = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|e| failed(&e))?;
        let pair = Ed25519KeyPair::from_pkcs8(secret.as_ref()).map_err(|e| failed(&e))?;
        let public = STANDARD.encode(pair.public_key().as_ref());
        // A key that is there is somebody's: it is never overwritten.
        let mut file = OpenOptions::new();
        let mut file = file.write(true).create_new(true).mode(0o600).open(&self.file).map_err(|e| failed(&e))?;
        writeln!(file, "{}", STANDARD.encode(secret.as_ref())).map_err(|e| failed(&e))?;
        let mut beside = self.file.clone().into_os_string();
        beside.push(".pub");
        std::fs::write(beside, format!("{public}\n")).map_err(|e| failed(&e))?;
        say(&format!("{public}\n"));
        Ok(())
    }
}
