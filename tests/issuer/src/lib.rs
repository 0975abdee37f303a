//! An issuer of tokens with keys of its own, for tests and for the conformance runner: nothing that ships knows it.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test whose issuer cannot sign has nothing to say"
)]

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

/// Its keys, one of each kind.
#[derive(Debug)]
pub struct Issuer {
    ec: EcdsaKeyPair,
    ec521: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    rsa: RsaKeyPair,
    secret: Vec<u8>,
}

/// As the parts of a token are written.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Default for Issuer {
    fn default() -> Self {
        Self::new()
    }
}

impl Issuer {
    /// With new keys. Takes its time: one is RSA.
    #[must_use]
    pub fn new() -> Self {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let mut secret = vec![0; 32];
        aws_lc_rs::rand::fill(&mut secret).unwrap();
        Self {
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref()).unwrap(),
            ec521: EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
            rsa: RsaKeyPair::generate(rsa::KeySize::Rsa2048).unwrap(),
            secret,
        }
    }

    /// The key of that algorithm, as a JSON Web Key; of an algorithm that nobody has it is a panic.
    #[must_use]
    pub fn key(&self, algorithm: &str) -> Json {
        let (point, long) = (self.ec.public_key().as_ref(), self.ec521.public_key().as_ref());
        match algorithm {
            "ES256" => {
                json!({"kty": "EC", "crv": "P-256", "kid": "ec", "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            "ES512" => {
                json!({"kty": "EC", "crv": "P-521", "kid": "ec521", "x": encode(&long[1..67]), "y": encode(&long[67..])})
            }
            "EdDSA" => json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": encode(self.ed.public_key())}),
            "RS256" | "PS256" => {
                let key = self.rsa.public_key();
                let (n, e) = (key.modulus().big_endian_without_leading_zero(), key.exponent());
                json!({"kty": "RSA", "kid": "rsa", "n": encode(n), "e": encode(e.big_endian_without_leading_zero())})
            }
            "HS256" => json!({"kty": "oct", "kid": "oct", "k": encode(&self.secret)}),
            other => panic!("{other}"),
        }
    }

    /// The set of its public keys.
    #[must_use]
    pub fn jwks(&self) -> String {
        let keys = ["ES256", "ES512", "EdDSA", "RS256"].map(|algorithm| self.key(algorithm));
        json!({"keys": keys}).to_string()
    }

    fn signature(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |padding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(padding, &random, message, &mut signature).unwrap();
            signature
        };
        match algorithm {
            "ES256" => self.ec.sign(&random, message).unwrap().as_ref().to_vec(),
            "ES512" => self.ec521.sign(&random, message).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(message).as_ref().to_vec(),
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "HS256" => hs256(&self.secret, message),
            _ => Vec::new(),
        }
    }

    /// A token of that header and payload, signed by `algorithm` whatever the header says; by nothing when there is no such one.
    #[must_use]
    pub fn sign_text(&self, algorithm: &str, header: &str, payload: &str) -> String {
        signed(header, payload, |message| self.signature(algorithm, message))
    }

    /// A token of these claims.
    #[must_use]
    pub fn sign_with(&self, algorithm: &str, claims: &Json) -> String {
        self.sign_text(algorithm, &json!({"alg": algorithm, "typ": "JWT"}).to_string(), &claims.to_string())
    }

    /// A token of these claims, by its EC key.
    #[must_use]
    pub fn sign(&self, claims: &Json) -> String {
        self.sign_with("ES256", claims)
    }
}

/// A token of these claims, by the secret of that key id: HS256.
#[must_use]
pub fn sign_by_secret(secret: &[u8], id: &str, claims: &Json) -> String {
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": id}).to_string();
    signed(&header, &claims.to_string(), |message| hs256(secret, message))
}

fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
}

fn signed(header: &str, payload: &str, signature: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let message = format!("{}.{}", encode(header), encode(payload));
    let signature = encode(signature(message.as_bytes()));
    format!("{message}.{signature}")
}

/// The same token with a signature of something else.
#[must_use]
pub fn spoiled(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut letters: Vec<char> = signature.chars().collect();
    letters[10] = if letters[10] == 'A' { 'B' } else { 'A' };
    format!("{message}.{}", letters.into_iter().collect::<String>())
}
