//! JSON Web Keys (RFC 7517): what signatures are verified with.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jsonwebtoken::{Algorithm, DecodingKey};
use weir_attributes::{Json, JsonError, Struct};

use super::token::Token;

/// How many keys of one set are used; further ones are left out.
pub const KEYS_MAX: usize = 64;
/// How many keys are tried on one token.
const TRIES_MAX: usize = 16;

/// What kind of key it is: it decides which algorithms fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
    Secret,
}

impl Kind {
    /// The algorithm of that name (RFC 7518), when a key of this kind is for it.
    fn algorithm(self, name: &str) -> Option<Algorithm> {
        Some(match (self, name) {
            (Kind::Rsa, "RS256") => Algorithm::RS256,
            (Kind::Rsa, "RS384") => Algorithm::RS384,
            (Kind::Rsa, "RS512") => Algorithm::RS512,
            (Kind::Rsa, "PS256") => Algorithm::PS256,
            (Kind::Rsa, "PS384") => Algorithm::PS384,
            (Kind::Rsa, "PS512") => Algorithm::PS512,
            (Kind::P256, "ES256") => Algorithm::ES256,
            (Kind::P384, "ES384") => Algorithm::ES384,
            (Kind::Ed25519, "EdDSA") => Algorithm::EdDSA,
            (Kind::Secret, "HS256") => Algorithm::HS256,
            (Kind::Secret, "HS384") => Algorithm::HS384,
            (Kind::Secret, "HS512") => Algorithm::HS512,
            _ => return None,
        })
    }
}

struct Key {
    id: Option<Box<str>>,
    algorithm: Option<Box<str>>,
    kind: Kind,
    key: DecodingKey,
}

/// The keys of one issuer.
pub struct Jwks {
    keys: Box<[Key]>,
    has_private: bool,
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwks({} keys)", self.keys.len())
    }
}

/// Why a text is no set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// It is not JSON, or beyond the limits of it.
    #[error("it cannot be read: {0}")]
    Json(JsonError),
    /// It has no list `keys`.
    #[error("it has no list `keys`")]
    NoList,
    /// None of the keys can be used.
    #[error("no key in it is an RSA (2048 to 8192 bits), P-256, P-384, Ed25519 or octet key for signatures")]
    NoKey,
}

impl Jwks {
    /// Reads a set of keys. Keys of kinds that are not known, and those for encryption, are left out.
    ///
    /// # Errors
    /// [`JwksError`] when nothing is left.
    pub fn parse(text: &[u8]) -> Result<Self, JwksError> {
        let set = Struct::parse(text).map_err(JwksError::Json)?;
        let Some(Json::List(list)) = set.get("keys") else { return Err(JwksError::NoList) };
        let maps = || list.items().iter().filter_map(Json::as_map);
        let keys: Box<[Key]> = maps().filter_map(key).take(KEYS_MAX).collect();
        if keys.is_empty() {
            return Err(JwksError::NoKey);
        }
        Ok(Self { keys, has_private: maps().any(|key| key.get("d").is_some()) })
    }

    /// Whether a private key is among them, which signs: it belongs to the issuer alone.
    pub(crate) fn has_private(&self) -> bool {
        self.has_private
    }

    /// Whether one of the keys made the token's signature.
    pub(super) fn verifies(&self, token: &Token) -> bool {
        let fits = |key: &&Key| {
            let id = key.id.as_deref().zip(token.key_id()).is_none_or(|(key, token)| key == token);
            id && key.algorithm.as_deref().is_none_or(|algorithm| algorithm == token.algorithm())
        };
        let candidates = self.keys.iter().filter(fits);
        let candidates = candidates.filter_map(|key| Some((key, key.kind.algorithm(token.algorithm())?)));
        let (signature, message) = (token.signature(), token.signed());
        candidates.take(TRIES_MAX).any(|(key, algorithm)| {
            jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key.key, algorithm).unwrap_or(false)
        })
    }
}

fn key(map: &Struct) -> Option<Key> {
    if map.str("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let text = |name: &str| Some(map.str(name)?.trim_end_matches('='));
    let (kind, key) = match (map.str("kty")?, map.str("crv")) {
        ("RSA", _) => (Kind::Rsa, DecodingKey::from_rsa_components(text("n")?, text("e")?).ok()?),
        ("EC", Some("P-256")) => (Kind::P256, DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?),
        ("EC", Some("P-384")) => (Kind::P384, DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?),
        ("OKP", Some("Ed25519")) => (Kind::Ed25519, DecodingKey::from_ed_components(text("x")?).ok()?),
        ("oct", _) => (Kind::Secret, DecodingKey::from_secret(&super::token::decode(text("k")?)?)),
        _ => return None,
    };
    let owned = |name: &str| map.str(name).filter(|text| !text.is_empty()).map(Box::from);
    Some(Key { id: owned("kid"), algorithm: owned("alg"), kind, key })
}

/// The keys that were fetched so far: what the runtime gives to each check. The default has none.
#[derive(Clone, Debug, Default)]
pub struct Keys(HashMap<Arc<str>, Fetched>);

/// What was fetched from one place.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The keys; none until a fetch has succeeded.
    pub jwks: Option<Arc<Jwks>>,
    /// Set when a token could not be verified with them: the issuer may have new ones.
    pub wanted: Arc<AtomicBool>,
}

impl Keys {
    /// Keys by the place that they were fetched from, a `jwksUri`.
    #[must_use]
    pub fn new(fetched: HashMap<Arc<str>, Fetched>) -> Self {
        Self(fetched)
    }

    /// Whether a key from there made the token's signature; none when there is no key at all.
    pub(super) fn verifies(&self, place: &str, token: &Token) -> Option<bool> {
        let fetched = self.0.get(place)?;
        let verifies = fetched.jwks.as_ref().map(|jwks| jwks.verifies(token));
        if verifies != Some(true) {
            fetched.wanted.store(true, Ordering::Relaxed);
        }
        verifies
    }
}
