//! What must not leave the process leaves it as a keyed hash: `hmac:` and 16 hexadecimal digits.
//!
//! The same value gives the same hash while the key is the same, so an operator can follow a token without seeing it.
//! Every output of this crate goes through here.

use std::{borrow::Cow, fmt, path::Path};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use weir_attributes::{Bag, Json, Slot, lookup};

use crate::Error;

/// Least bytes of a key from a file.
pub const KEY_BYTES_MIN: usize = 16;
/// Most bytes of a key that are read from a file.
const KEY_BYTES_MAX: usize = 4096;
/// Secrets shorter than this are not looked for inside other texts: they would match by chance.
const SCRUB_BYTES_MIN: usize = 8;
/// Bytes of a hash in text.
const HASH_BYTES: usize = 21;

/// Header values that are hashed whole, whoever asks. `referer` is here because it is another page's URL with its query.
pub const SENSITIVE_HEADERS: [&str; 6] =
    ["authorization", "cookie", "proxy-authorization", "referer", "set-cookie", "x-api-key"];

/// Names under which records carry a query string by itself.
const QUERY_NAMES: [&str; 3] = ["query", "query_string", "querystring"];

/// Headers whose value is a request target, whatever it looks like.
const TARGET_HEADERS: [&str; 7] = [
    ":path",
    "x-envoy-original-path",
    "x-forwarded-path",
    "x-forwarded-uri",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];

/// Whether the value of that header, in any case, leaves the process only as a hash.
#[must_use]
pub fn is_sensitive_header(name: &str) -> bool {
    SENSITIVE_HEADERS.iter().any(|sensitive| name.eq_ignore_ascii_case(sensitive))
}

/// A value's keyed hash as text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hashed([u8; HASH_BYTES]);

impl Hashed {
    /// `hmac:` and 16 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: `Redactor::hash` writes ASCII only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Replaces what is sensitive by keyed hashes (HMAC-SHA256, cut to 64 bits).
#[derive(Clone)]
pub struct Redactor {
    keyed: Hmac<Sha256>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(key hidden)")
    }
}

impl Redactor {
    /// With a key that only this process has: hashes of two processes cannot be compared.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn random() -> Result<Self, Error> {
        let mut key = [0u8; 32];
        getrandom::fill(&mut key).map_err(Error::Random)?;
        Self::with_key(&key)
    }

    /// With the bytes of that file as key, so that the hashes of several processes can be compared.
    ///
    /// # Errors
    /// When it cannot be read or has fewer than [`KEY_BYTES_MIN`] bytes.
    pub fn from_key_file(path: &Path) -> Result<Self, Error> {
        use std::io::Read;
        let mut key = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(KEY_BYTES_MAX as u64).read_to_end(&mut key))
            .map_err(|source| Error::KeyFile { path: path.into(), source })?;
        Self::with_key(&key)
    }

    /// With that key.
    ///
    /// # Errors
    /// When it has fewer than [`KEY_BYTES_MIN`] bytes.
    pub fn with_key(key: &[u8]) -> Result<Self, Error> {
        let short = || Error::KeyTooShort { len: key.len(), least: KEY_BYTES_MIN };
        if key.len() < KEY_BYTES_MIN {
            return Err(short());
        }
        Ok(Self { keyed: Hmac::new_from_slice(key).map_err(|_| short())? })
    }

    /// The keyed hash of a value.
    #[must_use]
    pub fn hash(&self, value: &str) -> Hashed {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut mac = self.keyed.clone();
        mac.update(value.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut text = *b"hmac:0000000000000000";
        let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (place, nibble) in text.iter_mut().skip(5).zip(nibbles) {
            *place = DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
        }
        Hashed(text)
    }

    fn hidden(&self, value: &str) -> Cow<'static, str> {
        Cow::Owned(self.hash(value).as_str().to_owned())
    }

    /// The value of a header as it may leave: hashed whole when the header is sensitive, its query hashed when it looks
    /// like a URL or a request target.
    #[must_use]
    pub fn header<'v>(&self, name: &str, value: &'v str) -> Cow<'v, str> {
        if is_sensitive_header(name) {
            self.hidden(value)
        } else if TARGET_HEADERS.iter().any(|target| name.eq_ignore_ascii_case(target)) {
            self.target(value)
        } else {
            self.text(value)
        }
    }

    /// The text of an attribute as it may leave: hashed whole when the vocabulary calls it sensitive.
    #[must_use]
    pub fn attribute<'v>(&self, slot: Slot, value: &'v str) -> Cow<'v, str> {
        if slot.attribute().sensitive { self.hidden(value) } else { self.text(value) }
    }

    /// A free text as it may leave: its query hashed when it looks like a URL or a path.
    #[must_use]
    pub fn text<'v>(&self, value: &'v str) -> Cow<'v, str> {
        if value.starts_with('/') || value.contains("://") { self.target(value) } else { Cow::Borrowed(value) }
    }

    /// Running text, such as an access log's line, as it may leave: the query of every word that looks like a URL or a
    /// path hashed.
    #[must_use]
    pub fn prose<'v>(&self, value: &'v str) -> Cow<'v, str> {
        if !value.contains('/') || !value.contains(['?', '#']) {
            return Cow::Borrowed(value);
        }
        let words =
            value.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')'));
        let hide = |word: &str| {
            let end =
                word.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')'));
            let (inside, rest) = word.split_at(end.len());
            // Also as a value: `path=/a?b`.
            let looks =
                inside.contains("://") || inside.starts_with('/') || inside.contains("=/") || inside.contains(":/");
            format!("{}{rest}", if looks { self.target(inside) } else { Cow::Borrowed(inside) })
        };
        Cow::Owned(words.map(hide).collect())
    }

    /// A request target as it may leave: what follows the first `?` or `#` hashed.
    #[must_use]
    pub fn target<'v>(&self, value: &'v str) -> Cow<'v, str> {
        let Some(at) = value.find(['?', '#']) else { return Cow::Borrowed(value) };
        let (path, rest) = value.split_at(at);
        let (mark, query) = rest.split_at(1);
        Cow::Owned(format!("{path}{mark}{}", self.hash(query)))
    }

    /// The text of a record's field as it may leave, judged by its name: that of a sensitive attribute or header, also as
    /// the last part of a dotted name (`http.request.header.authorization`).
    #[must_use]
    pub fn field<'v>(&self, name: &str, value: &'v str) -> Cow<'v, str> {
        if is_hashed(value) {
            return Cow::Borrowed(value);
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        let dashed = last.replace('_', "-");
        let sensitive = lookup(name).is_some_and(|attribute| attribute.sensitive)
            || is_sensitive_header(&dashed)
            || QUERY_NAMES.iter().any(|query| last.eq_ignore_ascii_case(query));
        if sensitive { self.hidden(value) } else { self.text(value) }
    }

    /// A text that was composed from the bag, such as a rule's message, with every sensitive value of that bag that is
    /// found in it (whole, or a part of at least eight bytes) replaced by its hash.
    #[must_use]
    pub fn scrub<'t>(&self, text: &'t str, bag: &Bag) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for secret in secrets(bag) {
            if text.contains(secret) {
                text = Cow::Owned(text.replace(secret, self.hash(secret).as_str()));
            }
        }
        text
    }
}

fn is_hashed(value: &str) -> bool {
    value.len() == HASH_BYTES
        && value.strip_prefix("hmac:").is_some_and(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))
}

/// The sensitive values of a bag and the parts of them that are secret by themselves, the longest first.
fn secrets(bag: &Bag) -> Vec<&str> {
    let attributes = weir_attributes::vocabulary().iter().filter(|attribute| attribute.sensitive);
    // Of a request target only what follows the `?` is secret: its path stands in the log anyway.
    let texts = attributes.filter_map(|attribute| bag.str(attribute.slot)).filter_map(|text| match text.find('?') {
        Some(at) => text.get(at + 1..),
        None => (!text.starts_with('/')).then_some(text),
    });
    let structs = weir_attributes::vocabulary().iter().filter(|attribute| attribute.sensitive);
    let mut leaves = Vec::new();
    for map in structs.filter_map(|attribute| bag.struct_of(attribute.slot)) {
        map.iter().for_each(|(_, value)| texts_of(value, &mut leaves));
    }
    let headers = bag.headers().iter().chain(bag.response_headers().iter());
    let values = headers.filter(|(name, _)| is_sensitive_header(name)).map(|(_, value)| value);
    let mut secrets: Vec<&str> = Vec::new();
    for value in texts.chain(leaves).chain(values) {
        secrets.push(value);
        secrets.extend(value.split([' ', ';', '&', '=', ',']));
    }
    secrets.retain(|secret| secret.len() >= SCRUB_BYTES_MIN);
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    secrets
}

/// Every text in a value of JSON; how deep that is was bounded when it was made.
fn texts_of<'b>(value: &'b Json, into: &mut Vec<&'b str>) {
    match value {
        Json::String(text) => into.push(text),
        Json::List(list) => list.items().iter().for_each(|item| texts_of(item, into)),
        Json::Map(map) => map.iter().for_each(|(_, value)| texts_of(value, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
