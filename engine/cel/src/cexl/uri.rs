//! URIs and references, as lenient as Go's `net/url`: no crate has that grammar, and stricter ones refuse what Mixer's
//! configuration and proxies send.

use super::dns;

/// The parts of a reference, decoded where two spellings are the same.
#[derive(PartialEq, Eq)]
struct Parts<'t> {
    /// In lower case.
    scheme: String,
    /// What follows a scheme, where it does not begin with a slash.
    opaque: Option<&'t str>,
    user: Option<Vec<Vec<u8>>>,
    host: Vec<u8>,
    path: Vec<u8>,
    /// None is another one than an empty query.
    query: Option<&'t str>,
    fragment: Vec<u8>,
}

/// Where in a reference a percent sign stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    User,
    Host,
    Zone,
    Path,
}

/// Whether a text is a URI or a relative reference.
pub(super) fn is_uri(text: &str) -> bool {
    !text.is_empty() && Parts::parse(text).is_some()
}

/// Whether two of them are the same; none when one of them is none, or its HTTP host is no DNS name.
pub(super) fn equal(a: &str, b: &str) -> Option<bool> {
    let (mut a, b) = (Parts::parse(a)?, Parts::parse(b)?);
    if a.scheme == b.scheme && matches!(&*a.scheme, "http" | "https") {
        let (left, right) = (split_port(&a.host), split_port(&b.host));
        if left.1 != right.1 || !same_host(left.0, right.0)? {
            return Some(false);
        }
        a.host.clone_from(&b.host);
    }
    Some(a == b)
}

fn same_host(a: &[u8], b: &[u8]) -> Option<bool> {
    if a.first() == Some(&b'[') || b.first() == Some(&b'[') {
        return Some(a.eq_ignore_ascii_case(b));
    }
    dns::equal(std::str::from_utf8(a).ok()?, std::str::from_utf8(b).ok()?)
}

/// The host and the port, which may be empty.
fn split_port(host: &[u8]) -> (&[u8], &[u8]) {
    let name = host.iter().rposition(|byte| *byte == b']').map_or(0, |end| end + 1);
    match host.iter().skip(name).position(|byte| *byte == b':') {
        Some(colon) => (host.get(..name + colon).unwrap_or_default(), host.get(name + colon + 1..).unwrap_or_default()),
        None => (host, b""),
    }
}

impl<'t> Parts<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return None;
        }
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = scheme(text)?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let mut parts = Self {
            scheme: scheme.to_ascii_lowercase(),
            opaque: None,
            user: None,
            host: Vec::new(),
            path: Vec::new(),
            query,
            fragment: unescape(fragment, Place::Path)?,
        };
        if !rest.starts_with('/') && !scheme.is_empty() {
            parts.opaque = Some(rest);
            return Some(parts);
        }
        // A colon in the first segment would have ended a scheme.
        if !rest.starts_with('/') && rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return None;
        }
        let authority = rest.strip_prefix("//").filter(|_| !scheme.is_empty() || !rest.starts_with("///"));
        let path = match authority {
            Some(after) => {
                let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
                parts.set_authority(authority)?;
                path
            }
            None => rest,
        };
        parts.path = path_of(path)?;
        Some(parts)
    }

    fn set_authority(&mut self, authority: &str) -> Option<()> {
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        if let Some(user) = user {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
            if !user.bytes().all(plain) {
                return None;
            }
            let words: Option<Vec<Vec<u8>>> = user.splitn(2, ':').map(|word| unescape(word, Place::User)).collect();
            self.user = Some(words?);
        }
        let name = if host.starts_with('[') { host.rfind(']')? + 1 } else { host.rfind(':').unwrap_or(host.len()) };
        let (name, port) = host.split_at(name);
        if !port.is_empty() && !port.strip_prefix(':')?.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let zone = name.find("%25").filter(|_| name.starts_with('[')).unwrap_or(name.len());
        let (name, zone) = name.split_at(zone);
        self.host = unescape(name, Place::Host)?;
        self.host.extend(unescape(zone, Place::Zone)?);
        self.host.extend_from_slice(port.as_bytes());
        Some(())
    }
}

/// The scheme, empty when there is none, and what follows it; none when a colon has no scheme before it.
fn scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => break,
        }
    }
    Some(("", text))
}

/// Percent signs decoded; none where they are malformed, or a host has a character that no host has.
fn unescape(text: &str, place: Place) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            let host = matches!(place, Place::Host | Place::Zone);
            if host && byte.is_ascii() && !in_host(byte) {
                return None;
            }
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| (byte? as char).to_digit(16);
        let value = (digit(bytes.next())? * 16 + digit(bytes.next())?) as u8;
        match place {
            Place::Host if value.is_ascii() && value != b'%' => return None,
            Place::Zone if value.is_ascii() && value != b'%' && value != b' ' && !in_host(value) => return None,
            _ => decoded.push(value),
        }
    }
    Some(decoded)
}

fn in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$&'()*+,;=:[]<>\"-_.~".contains(&byte)
}

/// A path as it is written, which tells `%2F` from `/`; escaped where it has what must be.
fn path_of(path: &str) -> Option<Vec<u8>> {
    let decoded = unescape(path, Place::Path)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte);
    if path.bytes().all(|byte| plain(byte) || b"!'()*[]%".contains(&byte)) {
        return Some(path.as_bytes().to_vec());
    }
    let mut escaped = Vec::with_capacity(decoded.len());
    for byte in decoded {
        match byte {
            byte if plain(byte) => escaped.push(byte),
            byte => escaped.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    Some(escaped)
}
