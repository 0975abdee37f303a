#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use http::Request;

use super::*;

fn head(target: &str, lines: &[(&str, &str)]) -> Parts {
    let mut request = Request::get(target);
    for (name, value) in lines {
        request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request.body(()).unwrap().into_parts().0
}

fn sanitized(target: &str, lines: &[(&str, &str)]) -> Result<Parts, &'static str> {
    let mut head = head(target, lines);
    sanitize(&mut head, Normalization::Base).map_err(|refusal| refusal.reason)?;
    Ok(head)
}

const HOST: (&str, &str) = ("host", "a.example");

#[test]
fn a_path_has_one_form() {
    for (target, expected) in [
        ("/", Ok("/")),
        ("/a/b?c=/../d", Ok("/a/b?c=/../d")),
        ("/a/../admin", Ok("/admin")),
        ("/a/./b", Ok("/a/b")),
        ("/%61dmin", Ok("/admin")),
        ("/a/%2e%2e/admin", Ok("/admin")),
        ("/a\\..\\admin", Ok("/admin")),
        ("//admin", Ok("//admin")),
        ("/%2fadmin", Ok("/%2fadmin")),
        ("/%252e%252e/admin", Ok("/%252e%252e/admin")),
        ("/../../admin", Ok("/admin")),
        ("/admin%00", Err("invalid-path")),
        ("*", Err("invalid-path")),
        ("/caf\u{e9}", Err("invalid-path")),
    ] {
        let actual = sanitized(target, &[HOST]).map(|head| head.uri.to_string());
        assert_eq!(actual, expected.map(str::to_owned), "{target}");
    }
}

#[test]
fn there_is_one_host() {
    for (target, lines, expected) in [
        ("/", &[HOST][..], Ok("a.example")),
        ("/", &[("host", "a.example:8080")], Ok("a.example:8080")),
        ("/", &[("host", "[::1]:80")], Ok("[::1]:80")),
        ("/", &[], Err("no-host")),
        ("/", &[HOST, ("host", "b.example")], Err("several-hosts")),
        ("/", &[HOST, HOST], Err("several-hosts")),
        ("http://a.example/x", &[HOST], Ok("a.example")),
        ("http://a.example/x", &[], Ok("a.example")),
        ("http://b.example/x", &[HOST], Err("several-hosts")),
        ("http://user@a.example/", &[], Err("invalid-host")),
        ("/", &[("host", "user@a.example")], Err("invalid-host")),
        ("/", &[("host", "")], Err("invalid-host")),
        ("/", &[("host", "a.example/x")], Err("invalid-host")),
        ("/", &[("host", "a.example,b.example")], Err("invalid-host")),
        ("/", &[("host", "a.example:http")], Err("invalid-host")),
        ("/", &[("host", "a.example:99999")], Err("invalid-host")),
        ("/", &[("host", ":80")], Err("invalid-host")),
        ("/", &[("host", "a%2eexample")], Err("invalid-host")),
    ] {
        let actual = sanitized(target, lines).map(|head| head.headers[header::HOST].to_str().unwrap().to_owned());
        assert_eq!(actual, expected.map(str::to_owned), "{target} {lines:?}");
    }
    let absolute = sanitized("http://a.example/x/../y?z", &[HOST]).unwrap();
    assert_eq!(absolute.uri.to_string(), "/y?z");
}

#[test]
fn what_is_for_one_hop_stays_behind() {
    let lines = [
        HOST,
        ("connection", "close, X-Secret ,te"),
        ("connection", "keep-alive"),
        ("x-secret", "1"),
        ("x-secret", "2"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
        ("te", "gzip, Trailers"),
        ("upgrade", "h2c"),
        ("http2-settings", "AAMAAABkAAQAAP__"),
        ("x-kept", "1"),
    ];
    let head = sanitized("/", &lines).unwrap();
    let names: std::collections::BTreeSet<_> = head.headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["host", "te", "x-kept"]);
    assert_eq!(head.headers[header::TE], "trailers");
    assert!(!sanitized("/", &[HOST, ("te", "gzip")]).unwrap().headers.contains_key(header::TE));
}

#[test]
fn what_cannot_be_passed_on_is_refused() {
    for (line, expected) in [
        (("connection", "host"), "connection-names-host-or-length"),
        (("connection", "Content-Length"), "connection-names-host-or-length"),
        (("upgrade", "websocket"), "upgrade-not-supported"),
        (("upgrade", "h2c, websocket"), "upgrade-not-supported"),
        (("expect", "200-ok"), "expectation-not-supported"),
    ] {
        assert_eq!(sanitized("/", &[HOST, line]).err(), Some(expected), "{line:?}");
    }
    let mut latin = head("/", &[HOST]);
    latin.headers.insert("x", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    assert_eq!(sanitize(&mut latin, Normalization::Base), Err(refusal::NOT_UTF8));
    let mut connect = head("/", &[HOST]);
    connect.method = Method::CONNECT;
    assert_eq!(sanitize(&mut connect, Normalization::Base), Err(refusal::CONNECT));
    for method in ["get", "FROB"] {
        for (version, expected) in [
            (Version::HTTP_10, Err(refusal::UNKNOWN_METHOD)),
            (Version::HTTP_11, Err(refusal::UNKNOWN_METHOD)),
            (Version::HTTP_2, Ok(())),
        ] {
            let mut odd = head("/", &[HOST]);
            (odd.method, odd.version) = (method.parse().unwrap(), version);
            assert_eq!(sanitize(&mut odd, Normalization::Base), expected, "{method} {version:?}");
        }
    }
    let mut many = head("/", &[HOST]);
    for number in 0..limits::HEADER_LINES_MAX {
        many.headers.append("x", HeaderValue::from(number));
    }
    assert_eq!(sanitize(&mut many, Normalization::Base), Err(refusal::TOO_MANY_HEADERS));
}

#[test]
fn cookies_are_one_line_and_we_expect_for_ourselves() {
    let head = sanitized("/", &[HOST, ("cookie", "a=1"), ("cookie", "b=2"), ("expect", "100-Continue")]).unwrap();
    assert_eq!(head.headers.get_all(header::COOKIE).iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    assert!(!head.headers.contains_key(header::EXPECT));
}

#[test]
fn sanitizing_twice_changes_nothing() {
    let lines = [HOST, ("te", "trailers"), ("cookie", "a"), ("cookie", "b"), ("connection", "x"), ("x", "1")];
    let mut once = sanitized("http://a.example/a/../%62?c", &lines).unwrap();
    let (uri, headers) = (once.uri.clone(), once.headers.clone());
    sanitize(&mut once, Normalization::Base).unwrap();
    assert_eq!((once.uri, once.headers), (uri, headers));
}
