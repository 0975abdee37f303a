//! Path normalization: the four modes of Istio's mesh option `pathNormalization`, as Envoy 1.40 does them.
//!
//! Order: the fragment goes, escaped slashes are decoded (DECODE_AND_MERGE_SLASHES), RFC 3986 (unreserved characters
//! decoded once, `\` to `/`, dot segments resolved, `"<>^`{|}` escaped), runs of slashes merged. The query stays as it is.

use std::{borrow::Cow, fmt::Write as _};

use crate::document::Normalization;

/// A request target that no policy can be asked about: the answer is 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// The target is neither an absolute path nor an absolute URL (`*`, `admin`, `\admin`).
    #[error("the path does not begin with a slash; send an absolute path")]
    NotAbsolute,
    /// An escaped NUL.
    #[error("the path has an escaped NUL (%00); remove it")]
    EscapedNul,
    /// A space, a control character or a character beyond ASCII.
    #[error("the path has a byte that must be percent-encoded; encode it")]
    RawByte,
}

/// Normalizes a request target (path and query, or an absolute URL). The result has no fragment and keeps the query;
/// it is borrowed when the target was normal already.
///
/// # Errors
/// [`InvalidPath`] when the target cannot be normalized; the request must be refused with 400.
pub fn normalize(mode: Normalization, target: &str) -> Result<Cow<'_, str>, InvalidPath> {
    if is_plain(target) {
        return Ok(Cow::Borrowed(target));
    }
    // White space around a field value is not part of it.
    let target = target.trim_matches([' ', '\t']);
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(InvalidPath::RawByte);
    }
    let whole = target.split('#').next().unwrap_or_default();
    let whole = origin_form(whole)?;
    let (path, query) = match whole.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (whole.as_ref(), None),
    };
    if path.contains("%00") {
        return Err(InvalidPath::EscapedNul);
    }
    let normal = normalize_path(mode, path);
    if normal == path && whole == target {
        return Ok(Cow::Borrowed(target));
    }
    Ok(Cow::Owned(match query {
        Some(query) => format!("{normal}?{query}"),
        None => normal,
    }))
}

/// Whether nothing in it could need normalization in any mode: the common case, told in one pass.
fn is_plain(target: &str) -> bool {
    let mut before = 0;
    let mut query = false;
    for byte in target.bytes() {
        match byte {
            b'#' => return false,
            byte if !byte.is_ascii_graphic() => return false,
            b'?' => query = true,
            b'%' | b'\\' if !query => return false,
            byte if !query && must_be_escaped(byte) => return false,
            b'/' | b'.' if !query && before == b'/' => return false,
            _ => {}
        }
        before = byte;
    }
    target.starts_with('/')
}

/// The path and query of an absolute URL, or the target itself.
fn origin_form(target: &str) -> Result<Cow<'_, str>, InvalidPath> {
    if target.starts_with('/') {
        return Ok(Cow::Borrowed(target));
    }
    let (scheme, rest) = target.split_once("://").ok_or(InvalidPath::NotAbsolute)?;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(InvalidPath::NotAbsolute);
    }
    Ok(match rest.find(['/', '?']).map(|at| rest.split_at(at).1) {
        None => Cow::Borrowed("/"),
        Some(query) if query.starts_with('?') => Cow::Owned(format!("/{query}")),
        Some(path) => Cow::Borrowed(path),
    })
}

fn normalize_path(mode: Normalization, path: &str) -> String {
    let decoded = match mode {
        Normalization::None => return path.to_owned(),
        Normalization::DecodeAndMergeSlashes => Cow::Owned(decode_slashes(path)),
        _ => Cow::Borrowed(path),
    };
    let resolved = resolve(&decoded);
    match mode {
        Normalization::MergeSlashes | Normalization::DecodeAndMergeSlashes => merge_slashes(&resolved),
        _ => resolved,
    }
}

fn decode_slashes(path: &str) -> String {
    path.replace("%2f", "/").replace("%2F", "/").replace("%5c", "\\").replace("%5C", "\\")
}

/// What Envoy's URL library writes as `%HH` in a path.
fn must_be_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// RFC 3986 §6.2.2: segment by segment, dot segments taken out, the rest decoded.
fn resolve(path: &str) -> String {
    let mut segments: Vec<String> = Vec::new();
    let mut rest = path.strip_prefix(['/', '\\']).unwrap_or(path).split(['/', '\\']).peekable();
    while let Some(raw) = rest.next() {
        let last = rest.peek().is_none();
        let text = decode_unreserved(raw);
        // Envoy's URL library also takes a raw `..;x` for `..`, but not one with escaped dots.
        let dots = if raw.contains(';') { raw.split(';').next().unwrap_or_default() } else { &text };
        match dots {
            "." | ".." => {
                if dots == ".." {
                    segments.pop();
                }
                if last {
                    segments.push(String::new());
                }
            }
            _ => segments.push(escape(text)),
        }
    }
    let mut resolved = String::with_capacity(path.len());
    for segment in segments {
        resolved.push('/');
        resolved.push_str(&segment);
    }
    resolved
}

fn escape(segment: String) -> String {
    if !segment.bytes().any(must_be_escaped) {
        return segment;
    }
    let mut text = String::with_capacity(segment.len() + 8);
    for character in segment.chars() {
        match u8::try_from(character) {
            Ok(byte) if must_be_escaped(byte) => drop(write!(text, "%{byte:02X}")),
            _ => text.push(character),
        }
    }
    text
}

/// Decodes `%HH` of letters, digits, `-`, `.`, `_` and `~`, once; other escapes stay as they were sent.
fn decode_unreserved(segment: &str) -> String {
    let mut text = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let byte = after.get(..2).filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                text.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                text.push('%');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

fn merge_slashes(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    merged
}

#[cfg(test)]
mod tests;
