//! Sensitive values reach report plugins only as keyed hashes: what a plugin writes is an output.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Header names whose values are credentials.
const CREDENTIALS: [&str; 6] =
    ["authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key", "x-forwarded-client-cert"];

/// Whether the header of that name holds a credential.
pub(crate) fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&name)
}

/// Turns a value into a keyed hash: equal values stay equal, nothing else is left.
#[derive(Clone)]
pub(crate) struct Mask(Hmac<Sha256>);

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask")
    }
}

impl Mask {
    pub(crate) fn new(key: &[u8; 32]) -> Option<Mask> {
        Hmac::new_from_slice(key).ok().map(Mask)
    }

    /// `hmac:` and 16 hexadecimal digits.
    pub(crate) fn hash(&self, value: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(value.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut text = String::with_capacity(21);
        text.push_str("hmac:");
        for byte in digest.iter().take(8) {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    /// The value of that header, hashed when the header is a credential.
    pub(crate) fn header<'a>(&self, name: &str, value: Cow<'a, str>) -> Cow<'a, str> {
        match is_credential(name) {
            true => Cow::Owned(self.hash(&value)),
            false => value,
        }
    }
}
