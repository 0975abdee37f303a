//! One reading of a request's head, made before anybody looks at it: what the policy sees is what the upstream gets, byte
//! for byte. What has two readings is refused.
//!
//! The parser (hyper) has refused before us: bad methods and versions, header folding, control bytes, NUL, white space before the
//! colon, differing lengths, `Transfer-Encoding` that does not end in `chunked`. A request with both a length and
//! `Transfer-Encoding: chunked` it reads as chunked, drops the length and closes the connection afterwards (RFC 9112
//! §6.3); upstream it is framed anew.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Uri, Version,
    header::{self, Entry},
    request::Parts,
    uri::{Authority, PathAndQuery},
};
use weir_policy::{document::Normalization, is_method, normalize};

use crate::{limits, refusal, refusal::Refusal};

const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Brings the head into its one form: target in origin form and normalized, one `Host`, no header that is for one hop.
///
/// # Errors
/// The refusal to answer with when the head has no such form.
pub(crate) fn sanitize(head: &mut Parts, mode: Normalization) -> Result<(), Refusal> {
    if head.method == Method::CONNECT {
        return Err(refusal::CONNECT);
    }
    // HTTP/2 takes any token for a method, as Envoy does.
    if head.version <= Version::HTTP_11 && !is_method(head.method.as_str()) {
        return Err(refusal::UNKNOWN_METHOD);
    }
    let seen = look(&head.headers)?;
    if seen.upgrade && !asks_for_http2(&head.headers) {
        return Err(refusal::UPGRADE);
    }
    host(head)?;
    target(head, mode)?;
    if seen.connection {
        remove_named(&mut head.headers)?;
    }
    if seen.hop {
        remove_hop_by_hop(&mut head.headers);
    }
    if seen.expect {
        expect(&mut head.headers)?;
    }
    if seen.cookies > 1 {
        join_cookies(&mut head.headers);
    }
    head.version = Version::HTTP_11;
    Ok(())
}

/// What a head has that needs work; most have nothing.
#[derive(Default)]
struct Seen {
    connection: bool,
    hop: bool,
    upgrade: bool,
    expect: bool,
    cookies: usize,
}

fn look(headers: &HeaderMap) -> Result<Seen, Refusal> {
    if headers.len() > limits::HEADER_LINES_MAX {
        return Err(refusal::TOO_MANY_HEADERS);
    }
    let mut seen = Seen::default();
    for (name, value) in headers {
        if std::str::from_utf8(value.as_bytes()).is_err() {
            return Err(refusal::NOT_UTF8);
        }
        match *name {
            header::CONNECTION => (seen.connection, seen.hop) = (true, true),
            header::TE | header::TRANSFER_ENCODING => seen.hop = true,
            header::UPGRADE => (seen.upgrade, seen.hop) = (true, true),
            header::EXPECT => seen.expect = true,
            header::COOKIE => seen.cookies += 1,
            _ if *name == KEEP_ALIVE || *name == PROXY_CONNECTION || *name == HTTP2_SETTINGS => seen.hop = true,
            _ => {}
        }
    }
    Ok(seen)
}

/// An upgrade to HTTP/2 may be ignored: the client goes on with HTTP/1.1 (RFC 9113 §3.1 has removed it).
fn asks_for_http2(headers: &HeaderMap) -> bool {
    let mut tokens =
        headers.get_all(header::UPGRADE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    tokens.all(|token| token.trim_ascii().eq_ignore_ascii_case(b"h2c"))
}

/// One host, the same in target and header; it stands in `Host` afterwards.
fn host(head: &mut Parts) -> Result<(), Refusal> {
    let mut lines = head.headers.get_all(header::HOST).iter();
    let (told, more) = (lines.next(), lines.next());
    if more.is_some() {
        return Err(refusal::SEVERAL_HOSTS);
    }
    match (head.uri.authority(), told) {
        (None, None) => Err(refusal::NO_HOST),
        (None, Some(host)) => check_host(host.as_bytes()),
        (Some(target), Some(host)) if !target.as_str().as_bytes().eq_ignore_ascii_case(host.as_bytes()) => {
            Err(refusal::SEVERAL_HOSTS)
        }
        (Some(_), Some(host)) => check_host(host.as_bytes()),
        (Some(target), None) => {
            check_host(target.as_str().as_bytes())?;
            let host = HeaderValue::try_from(target.as_str()).map_err(|_| refusal::INVALID_HOST)?;
            head.headers.insert(header::HOST, host);
            Ok(())
        }
    }
}

/// `HOST` or `HOST:PORT`: a name, an address, an IPv6 address in brackets; no user.
fn check_host(host: &[u8]) -> Result<(), Refusal> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_:[]~".contains(byte);
    if host.is_empty() || !host.iter().all(plain) {
        return Err(refusal::INVALID_HOST);
    }
    let authority = Authority::try_from(host).map_err(|_| refusal::INVALID_HOST)?;
    let port = authority.as_str().get(authority.host().len()..).unwrap_or_default();
    if authority.host().is_empty() || !(port.is_empty() || authority.port_u16().is_some()) {
        return Err(refusal::INVALID_HOST);
    }
    Ok(())
}

/// The target in origin form, its path normalized.
fn target(head: &mut Parts, mode: Normalization) -> Result<(), Refusal> {
    let whole = head.uri.path_and_query().map_or("", PathAndQuery::as_str);
    let normal = normalize(mode, whole).map_err(|_| refusal::INVALID_PATH)?;
    if normal == whole && head.uri.authority().is_none() {
        return Ok(());
    }
    let path = PathAndQuery::try_from(normal.as_ref()).map_err(|_| refusal::INVALID_PATH)?;
    // A path that reads differently once parsed was not in its one form.
    if path.as_str() != normal {
        return Err(refusal::INVALID_PATH);
    }
    head.uri = Uri::from(path);
    Ok(())
}

/// Headers that `Connection` names are for us alone (RFC 9110 §7.6.1).
fn remove_named(headers: &mut HeaderMap) -> Result<(), Refusal> {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .collect();
    if named.iter().any(|name| *name == header::HOST || *name == header::CONTENT_LENGTH) {
        return Err(refusal::CONNECTION_NAMES);
    }
    for name in named.iter().filter(|name| **name != header::TE) {
        headers.remove(name);
    }
    Ok(())
}

/// Removes what is for one hop, in a request or a response. `TE: trailers` stays: we pass trailers on.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    for name in
        [header::CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, HTTP2_SETTINGS]
    {
        headers.remove(name);
    }
    if let Entry::Occupied(te) = headers.entry(header::TE) {
        let (_, lines) = te.remove_entry_mult();
        let trailers = lines
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::to_vec).collect::<Vec<_>>())
            .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"trailers"));
        if trailers {
            headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
    }
}

/// Removes from a response what is for one hop, and what its `Connection` names.
pub(crate) fn sanitize_response(headers: &mut HeaderMap) {
    if headers.contains_key(header::CONNECTION) {
        // A response cannot be refused; one that names its own length is framed anew anyway.
        let _ = remove_named(headers);
    }
    remove_hop_by_hop(headers);
}

/// We answer `100-continue` ourselves, when the upstream has begun to take the body.
fn expect(headers: &mut HeaderMap) -> Result<(), Refusal> {
    let all = headers.get_all(header::EXPECT);
    if !all.iter().all(|line| line.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        return Err(refusal::EXPECT);
    }
    headers.remove(header::EXPECT);
    Ok(())
}

/// HTTP/2 splits cookies over lines, HTTP/1.1 has one (RFC 9113 §8.2.3): here they are one from the start.
fn join_cookies(headers: &mut HeaderMap) {
    let joined: Vec<_> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(value) = HeaderValue::from_bytes(&joined.join(&b"; "[..])) {
        headers.insert(header::COOKIE, value);
    }
}

#[cfg(test)]
mod tests;
