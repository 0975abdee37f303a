//! URLs as Go's `net/url` reads them, which Kubernetes documents: nothing is added, dropped or put into lower case but
//! the scheme. (The URL standard of browsers does all of that, so that its parsers do not serve.)

use std::{borrow::Cow, fmt};

/// An absolute URL, or an absolute path. It displays so that it reads back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: Box<str>,
    user: Option<Box<str>>,
    /// With its port, and without escapes; none where the source has no `//`.
    host: Option<Box<str>>,
    /// Escaped; what follows the scheme when that is no path.
    path: Box<str>,
    opaque: bool,
    query: Option<Box<str>>,
    fragment: Option<Box<str>>,
}

impl Url {
    /// Reads one.
    ///
    /// Two things are refused that old versions of Go let through: brackets in a host around anything but an IPv6
    /// address, and a host with a colon of its own; and a host that is no UTF-8.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Kubernetes asks whether a request could be for it first, where a `#` is a character like others.
        parts(text, true)?;
        let (text, fragment) = match text.split_once('#') {
            Some((text, fragment)) => (text, Some(fragment).filter(|fragment| !fragment.is_empty())),
            None => (text, None),
        };
        if let Some(fragment) = fragment {
            unescape(fragment)?;
        }
        Some(Self { fragment: fragment.map(Box::from), ..parts(text, false)? })
    }

    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    pub(crate) fn host(&self) -> &str {
        self.host.as_deref().unwrap_or_default()
    }

    /// The host without its port and brackets.
    pub(crate) fn hostname(&self) -> &str {
        let name = split_port(self.host()).0;
        name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
    }

    pub(crate) fn port(&self) -> &str {
        split_port(self.host()).1
    }

    pub(crate) fn escaped_path(&self) -> &str {
        if self.opaque { "" } else { &self.path }
    }

    /// The pairs of the query, unescaped, in their order. As in Go, those that cannot be unescaped or have a `;` in
    /// them are left out.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let query = self.query.as_deref().unwrap_or_default();
        query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')).filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((query_text(key)?, query_text(value)?))
        })
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let parts = [&self.user, &self.host, &self.query, &self.fragment].into_iter().flatten();
        size_of::<Self>() + self.scheme.len() + self.path.len() + parts.map(|part| part.len()).sum::<usize>()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if let Some(host) = &self.host {
            f.write_str("//")?;
            if let Some(user) = &self.user {
                write!(f, "{user}@")?;
            }
            f.write_str(&host.replace('%', "%25"))?;
        }
        match self.path.strip_prefix("//") {
            // What would read as a host is a path that had its second slash escaped.
            Some(rest) if self.host.is_none() && !self.opaque && !(self.scheme.is_empty() && rest.starts_with('/')) => {
                write!(f, "/%2F{rest}")?;
            }
            _ => f.write_str(&self.path)?,
        }
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        if let Some(fragment) = &self.fragment {
            write!(f, "#{fragment}")?;
        }
        Ok(())
    }
}

/// Takes a text apart that has no fragment; what `request` asks for has a scheme or begins with `/`.
fn parts(text: &str, request: bool) -> Option<Url> {
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) || (text.is_empty() && request) {
        return None;
    }
    let (scheme, rest) = split_scheme(text)?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query.into())),
        None => (rest, None),
    };
    let mut url = Url {
        scheme: scheme.to_ascii_lowercase().into(),
        user: None,
        host: None,
        path: rest.into(),
        opaque: false,
        query,
        fragment: None,
    };
    if text == "*" {
        return Some(url);
    }
    if !rest.starts_with('/') {
        if scheme.is_empty() {
            return None;
        }
        url.opaque = true;
        return Some(url);
    }
    let authority = !scheme.is_empty() || (!request && !rest.starts_with("///"));
    let path = match rest.strip_prefix("//").filter(|_| authority) {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let (user, host) = match authority.rsplit_once('@') {
                Some((user, host)) => (Some(user), host),
                None => (None, authority),
            };
            if let Some(user) = user {
                user.bytes().all(is_user).then_some(())?;
                unescape(user)?;
            }
            (url.user, url.host) = (user.map(Box::from), Some(read_host(host)?));
            path
        }
        None => rest,
    };
    url.path = escaped(path)?.into();
    Some(url)
}

/// The scheme, empty when there is none, and what follows; none where it is missing before a colon.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' => return Some((text.get(..at)?, text.get(at + 1..)?)).filter(|(scheme, _)| !scheme.is_empty()),
            _ => break,
        }
    }
    Some(("", text))
}

/// A path as it is sent: as it was written when that is well escaped, else escaped anew.
fn escaped(path: &str) -> Option<Cow<'_, str>> {
    let plain = unescape(path)?;
    if path.bytes().all(|byte| is_path(byte) || b"!'()*[]%".contains(&byte)) {
        return Some(path.into());
    }
    let mut whole = String::with_capacity(path.len() * 3);
    for byte in plain {
        if is_path(byte) {
            whole.push(char::from(byte));
        } else {
            push_escape(&mut whole, byte);
        }
    }
    Some(whole.into())
}

fn push_escape(whole: &mut String, byte: u8) {
    whole.push('%');
    for digit in [byte >> 4, byte & 15] {
        whole.push(char::from_digit(u32::from(digit), 16).map_or('0', |digit| digit.to_ascii_uppercase()));
    }
}

/// Characters that a path has without an escape.
fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte)
}

fn is_user(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)
}

fn is_host(byte: u8) -> bool {
    byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte)
}

/// A host and port without escapes.
fn read_host(host: &str) -> Option<Box<str>> {
    let Some(inside) = host.strip_prefix('[') else {
        let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
        return is_port(port).then(|| read_name(name, port)).flatten();
    };
    let (inside, port) = inside.rsplit_once(']')?;
    if !is_port(port) {
        return None;
    }
    let (address, zone) = inside.split_at(inside.find("%25").unwrap_or(inside.len()));
    address.parse::<std::net::Ipv6Addr>().ok()?;
    Some(format!("[{address}{}]{port}", read_zone(zone)?).into())
}

/// The zone of an IPv6 address, with the `%` before it.
fn read_zone(zone: &str) -> Option<String> {
    let plain = unescape(zone)?;
    let allowed = zone.bytes().all(|byte| is_host(byte) || byte == b'%');
    let good = allowed && plain.iter().skip(1).all(|byte| is_host(*byte) || *byte == b' ');
    String::from_utf8(plain).ok().filter(|_| good)
}

/// A name, in which only what is not ASCII may be escaped.
fn read_name(name: &str, port: &str) -> Option<Box<str>> {
    let ascii = name.split('%').skip(1).any(|after| after.as_bytes().first().is_some_and(|digit| *digit < b'8'));
    let allowed = name.bytes().all(|byte| byte == b'%' || (is_host(byte) && byte != b'[' && byte != b']'));
    let name = unescape(name).filter(|_| allowed && !ascii)?;
    Some(format!("{}{port}", String::from_utf8(name).ok()?).into())
}

/// Nothing, or a colon and digits, or none.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The name and the port of a host.
fn split_port(host: &str) -> (&str, &str) {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, port),
        _ => (host, ""),
    }
}

/// Text of a query; what is no UTF-8 shows as such.
fn query_text(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(text.into());
    }
    Some(String::from_utf8_lossy(&unescape(&text.replace('+', " "))?).into_owned().into())
}

/// The bytes that a text with escapes stands for; none where a `%` has no two digits after it.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'%' => (digit(bytes.next())? * 16 + digit(bytes.next())?) as u8,
            byte => byte,
        });
    }
    Some(plain)
}
