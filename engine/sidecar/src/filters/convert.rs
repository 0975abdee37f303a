//! Between the HTTP library's headers and those that filters see.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, Version, header, request, response};
use weir_proxy_wasm::{Headers, LocalResponse};

use crate::{body::Content, refusal, refusal::Refusal};

/// A request's head as filters see it: the pseudo-headers first, `Host` among them; in the order in which clients of HTTP/2
/// write them, or in which Envoy makes them of HTTP/1.1.
pub(super) fn of_request(head: &request::Parts, version: Version, scheme: &str) -> Headers {
    let mut headers = Headers::with_capacity(head.headers.len() + 4);
    let host = head.headers.get(header::HOST).map_or(&b""[..], HeaderValue::as_bytes);
    let path = head.uri.path_and_query().map_or("/", |target| target.as_str()).as_bytes();
    let (method, scheme) = (head.method.as_str().as_bytes(), scheme.as_bytes());
    let lines = match version {
        Version::HTTP_2 => [(":method", method), (":scheme", scheme), (":authority", host), (":path", path)],
        _ => [(":authority", host), (":path", path), (":method", method), (":scheme", scheme)],
    };
    for (name, value) in lines {
        headers.push(name, value);
    }
    push_lines(&mut headers, &head.headers);
    headers
}

/// A response's head as filters see it.
pub(super) fn of_response(head: &response::Parts) -> Headers {
    let mut headers = Headers::with_capacity(head.headers.len() + 1);
    headers.push(":status", head.status.as_str().as_bytes());
    push_lines(&mut headers, &head.headers);
    headers
}

/// Trailers as filters see them.
pub(super) fn of_trailers(trailers: &HeaderMap) -> Headers {
    let mut headers = Headers::with_capacity(trailers.len());
    push_lines(&mut headers, trailers);
    headers
}

fn push_lines(headers: &mut Headers, lines: &HeaderMap) {
    for (name, value) in lines.iter().filter(|(name, _)| **name != header::HOST) {
        headers.push(name.as_str(), value.as_bytes());
    }
}

/// Makes the head what filters have made of it.
///
/// # Errors
/// What Envoy answers when a filter has removed what a request needs, or left what is no header.
pub(super) fn to_request(headers: &Headers, head: &mut request::Parts) -> Result<(), Refusal> {
    let needed = |name| headers.first(name).ok_or(refusal::FILTER_HEADERS);
    let method = Method::from_bytes(needed(":method")?).map_err(|_| refusal::FILTER_HEADERS)?;
    let path = Uri::try_from(needed(":path")?).ok().and_then(|uri| uri.into_parts().path_and_query);
    let host = HeaderValue::from_bytes(needed(":authority")?).map_err(|_| refusal::FILTER_HEADERS)?;
    let mut lines = to_lines(headers).ok_or(refusal::FILTER_HEADERS)?;
    lines.insert(header::HOST, host);
    (head.method, head.uri) = (method, Uri::from(path.ok_or(refusal::FILTER_HEADERS)?));
    head.headers = lines;
    Ok(())
}

/// The same for a response.
pub(super) fn to_response(headers: &Headers, head: &mut response::Parts) -> Result<(), Refusal> {
    let status = headers.first(":status").and_then(|status| StatusCode::from_bytes(status).ok());
    head.status = status.ok_or(refusal::FILTER_HEADERS)?;
    head.headers = to_lines(headers).ok_or(refusal::FILTER_HEADERS)?;
    crate::sanitize::remove_hop_by_hop(&mut head.headers);
    Ok(())
}

/// All lines that are not pseudo-headers; none when one is no header.
pub(super) fn to_lines(headers: &Headers) -> Option<HeaderMap> {
    let mut lines = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers.iter().filter(|(name, _)| !name.starts_with(':')) {
        lines.append(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    Some(lines)
}

/// A filter's own answer, as Envoy writes it: to a gRPC client a status in the headers, to others a body.
pub(super) fn local(answer: &LocalResponse, grpc: bool) -> Response<Content> {
    let mut lines = to_lines(&answer.headers).unwrap_or_default();
    let code = u16::try_from(answer.status).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let mut status = code.filter(|code| !code.is_informational()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut content = Content::Empty;
    lines.remove(header::CONTENT_LENGTH);
    if grpc {
        let told = answer.grpc_status.unwrap_or_else(|| grpc_status(status));
        lines.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        lines.insert("grpc-status", HeaderValue::from(told));
        if let Ok(message) = HeaderValue::try_from(percent(&answer.body))
            && !message.is_empty()
        {
            lines.insert("grpc-message", message);
        }
        status = StatusCode::OK;
    } else if answer.body.is_empty() {
        lines.remove(header::CONTENT_TYPE);
    } else {
        lines.insert(header::CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
        lines.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain"));
        content = Content::Whole(Some(answer.body.clone()));
    }
    crate::sanitize::remove_hop_by_hop(&mut lines);
    let mut response = Response::new(content);
    (*response.status_mut(), *response.headers_mut()) = (status, lines);
    response
}

/// As gRPC maps HTTP statuses.
fn grpc_status(status: StatusCode) -> u32 {
    match status.as_u16() {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

/// As gRPC writes messages: printable ASCII but `%`, the rest in hexadecimal.
fn percent(message: &[u8]) -> String {
    let plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != b'%';
    message
        .iter()
        .map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u32, body: &'static str) -> LocalResponse {
        let (details, headers) = (String::new(), Headers::default());
        LocalResponse { status, details, headers, body: Bytes::from_static(body.as_bytes()), grpc_status: None }
    }

    #[test]
    fn a_grpc_client_gets_a_status_in_the_headers() {
        let response = local(&answer(403, "no\u{fc}%"), true);
        assert_eq!(response.status(), StatusCode::OK);
        let header = |name| response.headers().get(name).map(HeaderValue::as_bytes);
        assert_eq!(header("grpc-status"), Some(&b"7"[..]));
        assert_eq!(header("grpc-message"), Some(&b"no%C3%BC%25"[..]));
        assert_eq!(header("content-type"), Some(&b"application/grpc"[..]));
    }

    #[test]
    fn a_body_has_its_length_and_type_and_no_body_has_neither() {
        let mut with = answer(200, "ok");
        with.headers.push("content-type", b"text/html");
        with.headers.push("content-length", b"99");
        with.headers.push("transfer-encoding", b"chunked");
        let response = local(&with, false);
        assert_eq!(response.headers().len(), 2, "{:?}", response.headers());
        assert_eq!(response.headers().get("content-length"), Some(&HeaderValue::from_static("2")));
        assert_eq!(
            local(&answer(200, "ok"), false).headers().get("content-type").map(HeaderValue::as_bytes),
            Some(&b"text/plain"[..])
        );
        with.body = Bytes::new();
        assert!(local(&with, false).headers().is_empty());
        assert_eq!(local(&answer(9999, ""), false).status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(local(&answer(101, ""), false).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
