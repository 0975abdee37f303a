//! JSON Web Keys (RFC 7517): what signatures are verified with.

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
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
    P521,
    Ed25519,
    Secret,
}

/// How a signature is verified.
#[derive(Clone, Copy)]
enum Method {
    Library(Algorithm),
    /// The library has no ES512.
    Es512,
}

impl Kind {
    /// The algorithm of that name (RFC 7518), when a key of this kind is for it.
    fn method(self, name: &str) -> Option<Method> {
        Some(Method::Library(match (self, name) {
            (Kind::P521, "ES512") => return Some(Method::Es512),
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
        }))
    }
}

/// A key, ready to verify with.
enum Material {
    Library(DecodingKey),
    /// An uncompressed point of P-521 (SEC 1 §2.3.3).
    Point(Box<[u8]>),
}

struct Key {
    id: Option<Box<str>>,
    algorithm: Option<Box<str>>,
    kind: Kind,
    key: Material,
}

impl Key {
    fn verifies(&self, token: &Token, method: Method) -> bool {
        let (signature, message) = (token.signature(), token.signed().as_bytes());
        match (&self.key, method) {
            (Material::Library(key), Method::Library(algorithm)) => {
                jsonwebtoken::crypto::verify(signature, message, key, algorithm).unwrap_or(false)
            }
            (Material::Point(point), Method::Es512) => super::token::decode(signature).is_some_and(|signature| {
                UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point).verify(message, &signature).is_ok()
            }),
            _ => false,
        }
    }
}

/// The keys of one issuer.
pub struct Jwks {
    keys: Box<[Key]>,
    has_private: bool,
    /// Of the text: equal sets have equal ones, in every process of this version.
    digest: u64,
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
    #[error("no key in it is an RSA (2048 to 8192 bits), P-256, P-384, P-521, Ed25519 or octet key for signatures")]
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
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(Self { keys, has_private: maps().any(|key| key.get("d").is_some()), digest: hasher.finish() })
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
        let mut candidates =
            candidates.filter_map(|key| Some((key, key.kind.method(token.algorithm())?))).take(TRIES_MAX);
        candidates.any(|(key, method)| key.verifies(token, method))
    }
}

fn key(map: &Struct) -> Option<Key> {
    if map.str("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let text = |name: &str| Some(map.str(name)?.trim_end_matches('='));
    let library = |key: jsonwebtoken::errors::Result<DecodingKey>| key.ok().map(Material::Library);
    let curve = || library(DecodingKey::from_ec_components(text("x")?, text("y")?));
    let (kind, key) = match (map.str("kty")?, map.str("crv")) {
        ("RSA", _) => (Kind::Rsa, library(DecodingKey::from_rsa_components(text("n")?, text("e")?))?),
        ("EC", Some("P-256")) => (Kind::P256, curve()?),
        ("EC", Some("P-384")) => (Kind::P384, curve()?),
        ("EC", Some("P-521")) => (Kind::P521, Material::Point(point(text("x")?, text("y")?)?)),
        ("OKP", Some("Ed25519")) => (Kind::Ed25519, library(DecodingKey::from_ed_components(text("x")?))?),
        ("oct", _) => (Kind::Secret, Material::Library(DecodingKey::from_secret(&super::token::decode(text("k")?)?))),
        _ => return None,
    };
    let owned = |name: &str| map.str(name).filter(|text| !text.is_empty()).map(Box::from);
    Some(Key { id: owned("kid"), algorithm: owned("alg"), kind, key })
}

/// A point of P-521 by its coordinates, 66 bytes each (RFC 7518 §6.2.1.2).
fn point(x: &str, y: &str) -> Option<Box<[u8]>> {
    const COORDINATE: usize = 66;
    let coordinate = |text| super::token::decode(text).filter(|bytes| bytes.len() == COORDINATE);
    Some([&[4][..], &coordinate(x)?, &coordinate(y)?].concat().into())
}

/// Where the keys of an issuer are fetched from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyPlace {
    /// A `jwksUri`.
    Jwks(Arc<str>),
    /// The issuer's OpenID configuration, whose `jwks_uri` says where (OpenID Connect Discovery 1.0 §4).
    Discovery(Arc<str>),
}

impl KeyPlace {
    /// The URI that is asked first.
    #[must_use]
    pub fn uri(&self) -> &Arc<str> {
        match self {
            KeyPlace::Jwks(uri) | KeyPlace::Discovery(uri) => uri,
        }
    }
}

/// The keys that were fetched so far: what the runtime gives to each check. The default has none.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    fetched: HashMap<KeyPlace, Fetched>,
    version: u64,
}

/// What was fetched from one place.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The keys; none until a fetch has succeeded.
    pub jwks: Option<Arc<Jwks>>,
    /// Set when a token could not be verified with them: the issuer may have new ones.
    pub wanted: Arc<AtomicBool>,
}

impl Keys {
    /// Keys by the place that they were fetched from.
    #[must_use]
    pub fn new(fetched: HashMap<KeyPlace, Fetched>) -> Self {
        let digest = |(place, fetched): (&KeyPlace, &Fetched)| {
            let mut hasher = DefaultHasher::new();
            (place, fetched.jwks.as_ref()?.digest).hash(&mut hasher);
            Some(hasher.finish())
        };
        // In no order: a sum has none.
        let version = fetched.iter().filter_map(digest).fold(0, u64::wrapping_add);
        Self { fetched, version }
    }

    /// Names these keys: others have another version, the same ones the same, in every process. 0 without any.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What was fetched from there.
    #[must_use]
    pub fn fetched(&self, place: &KeyPlace) -> Option<&Fetched> {
        self.fetched.get(place)
    }

    /// Whether a key from there made the token's signature; none when there is no key at all.
    pub(super) fn verifies(&self, place: &KeyPlace, token: &Token) -> Option<bool> {
        let fetched = self.fetched.get(place)?;
        let verifies = fetched.jwks.as_ref().map(|jwks| jwks.verifies(token));
        if verifies != Some(true) {
            fetched.wanted.store(true, Ordering::Relaxed);
        }
        verifies
    }
}
