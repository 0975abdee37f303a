//! Issuers of tokens, and when tests happen.

use std::sync::LazyLock;

pub(crate) use weir_issuer::{Issuer, encode, spoiled};

/// When tests happen, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

/// Made once: an RSA key takes its time.
pub(crate) static ISSUER: LazyLock<Issuer> = LazyLock::new(Issuer::new);
/// Somebody else.
pub(crate) static STRANGER: LazyLock<Issuer> = LazyLock::new(Issuer::new);
