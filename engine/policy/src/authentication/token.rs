//! One JSON Web Token (RFC 7519) in its compact form, taken apart. Nothing in it is believed yet.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use weir_attributes::{Json, Struct};

use super::fault::Fault;

/// The longest token that is read, in bytes.
pub const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// How far clocks may be apart, in seconds: Envoy's default.
const SKEW: i64 = 60;
const SECOND: i64 = 1_000_000_000;

/// A token, taken apart.
#[derive(Debug)]
pub(crate) struct Token {
    text: String,
    /// Where the payload begins.
    payload: usize,
    /// Where the signature begins.
    signature: usize,
    header: Struct,
    claims: Struct,
}

/// The bytes behind base64url without padding.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

impl Token {
    /// Takes it apart; the caller sees to [`TOKEN_BYTES_MAX`].
    pub(super) fn parse(text: String) -> Result<Self, Fault> {
        let mut dots = text.match_indices('.').map(|(at, _)| at + 1);
        let (Some(payload), Some(signature), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(Fault::Malformed);
        };
        let part = |range: std::ops::Range<usize>| {
            let bytes = decode(text.get(range)?)?;
            Struct::parse(&bytes).ok()
        };
        let header = part(0..payload - 1).ok_or(Fault::Malformed)?;
        let claims = part(payload..signature - 1).ok_or(Fault::Malformed)?;
        // A critical header that is not understood refuses the token (RFC 7515 §4.1.11).
        if header.get("crit").is_some() || !header.get("kid").is_none_or(is_text) || !are_of_their_types(&claims) {
            return Err(Fault::Malformed);
        }
        match header.str("alg") {
            None | Some("" | "none") => Err(Fault::Algorithm),
            Some(_) => Ok(Self { payload, signature, header, claims, text }),
        }
    }

    pub(super) fn algorithm(&self) -> &str {
        self.header.str("alg").unwrap_or_default()
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.str("kid").filter(|id| !id.is_empty())
    }

    pub(super) fn claims(&self) -> &Struct {
        &self.claims
    }

    /// The payload as it came.
    pub(super) fn payload(&self) -> &str {
        self.text.get(self.payload..self.signature - 1).unwrap_or_default()
    }

    /// What is signed.
    pub(super) fn signed(&self) -> &str {
        self.text.get(..self.signature - 1).unwrap_or_default()
    }

    pub(super) fn signature(&self) -> &str {
        self.text.get(self.signature..).unwrap_or_default()
    }

    /// Whether it is valid at that time (nanoseconds since 1970), with some tolerance.
    pub(super) fn check_time(&self, now: i64) -> Result<(), Fault> {
        let time = |name| self.claims.get(name).and_then(Json::as_number);
        let now = now.div_euclid(SECOND);
        if time("nbf").is_some_and(|from| now.saturating_add(SKEW) < from) {
            return Err(Fault::Early);
        }
        if time("exp").is_some_and(|until| now > until.saturating_add(SKEW)) {
            return Err(Fault::Expired);
        }
        Ok(())
    }

    /// For how many nanoseconds from then on it stays valid; none: for ever.
    pub(super) fn life(&self, now: i64) -> Option<u64> {
        let until = self.claims.get("exp")?.as_number()?.saturating_add(SKEW).saturating_mul(SECOND);
        Some(u64::try_from(until.saturating_sub(now)).unwrap_or(0))
    }

    /// Whether one of these audiences is meant. A scheme of the web before it and a slash behind it do not count, as in
    /// Envoy.
    pub(super) fn is_for(&self, audiences: &[Box<str>]) -> bool {
        let is = |audience: &Json| {
            audience.as_str().map(bare_audience).is_some_and(|audience| audiences.iter().any(|own| **own == *audience))
        };
        match self.claims.get("aud") {
            Some(Json::List(list)) => list.items().iter().any(is),
            Some(audience) => is(audience),
            None => false,
        }
    }
}

/// An audience as it is compared.
pub(crate) fn bare_audience(audience: &str) -> &str {
    let bare = audience.strip_prefix("https://").or_else(|| audience.strip_prefix("http://")).unwrap_or(audience);
    bare.strip_suffix('/').unwrap_or(bare)
}

fn is_text(value: &Json) -> bool {
    value.as_str().is_some()
}

/// The registered claims have the types of RFC 7519.
fn are_of_their_types(claims: &Struct) -> bool {
    let texts = ["iss", "sub", "jti"].into_iter().all(|name| claims.get(name).is_none_or(is_text));
    let times = ["exp", "nbf", "iat"];
    let times = times.into_iter().all(|name| claims.get(name).is_none_or(|time| time.as_number().is_some()));
    let audience = match claims.get("aud") {
        Some(Json::List(list)) => list.items().iter().all(is_text),
        other => other.is_none_or(is_text),
    };
    texts && times && audience
}
