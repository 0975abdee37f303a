//! Who vouches for a component: a detached ed25519 signature over its digest.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Who must have signed a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Public keys in base64, 32 bytes each.
    pub keys: Vec<String>,
    /// The signature in base64; none when it lies with the component.
    pub value: Option<String>,
}

/// What is signed of a component with that SHA-256, in lower-case hexadecimal digits: a text that is nothing else.
#[must_use]
pub fn signed_text(digest: &str) -> String {
    format!("weir:plugin@sha256:{digest}")
}

/// Whether one of the keys signed the component of that digest.
pub(crate) fn verify(digest: &str, signature: &str, keys: &[String]) -> Result<(), String> {
    let signature = decoded(signature).filter(|bytes| bytes.len() == 64);
    let signature = signature.ok_or("it is not 64 bytes of base64")?;
    let text = signed_text(digest);
    for key in keys {
        let key = decoded(key).filter(|bytes| bytes.len() == 32);
        let key = key.ok_or("a trusted key is not 32 bytes of base64")?;
        if UnparsedPublicKey::new(&ED25519, &key).verify(text.as_bytes(), &signature).is_ok() {
            return Ok(());
        }
    }
    Err("none of the trusted keys signed this component".into())
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    #[test]
    fn only_a_trusted_key_vouches_and_only_for_that_digest() {
        let (mine, other) = (Ed25519KeyPair::generate().unwrap(), Ed25519KeyPair::generate().unwrap());
        let public = |pair: &Ed25519KeyPair| STANDARD.encode(pair.public_key().as_ref());
        let signature = STANDARD.encode(mine.sign(signed_text("aa").as_bytes()).as_ref());
        assert_eq!(verify("aa", &format!("{signature}\n"), &[public(&other), public(&mine)]), Ok(()));
        let wrong = [
            verify("ab", &signature, &[public(&mine)]),
            verify("aa", &signature, &[public(&other)]),
            verify("aa", &signature, &[]),
        ];
        assert!(wrong.iter().all(|outcome| outcome == &Err("none of the trusted keys signed this component".into())));
        assert!(verify("aa", "AAAA", &[public(&mine)]).unwrap_err().contains("64 bytes"));
        assert!(verify("aa", &signature, &["AAAA".into()]).unwrap_err().contains("32 bytes"));
    }
}
