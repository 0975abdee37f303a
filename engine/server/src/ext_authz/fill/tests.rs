#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::{ext_authz::decode::Lines, refusal::HEADER_VALUE_MAX};

fn http<'a>(lines: &[(&'a str, &'a [u8])]) -> Http<'a> {
    let lines = lines.iter().map(|(name, value)| Line { name, value }).collect::<Lines<'_>>();
    Http { method: "GET", path: "/", lines, ..Http::default() }
}

fn filled(http: Http<'_>) -> (Bag, Option<Refusal>) {
    Facts { http: Some(http), ..Facts::default() }.fill(0)
}

#[test]
fn what_could_split_a_line_in_two_is_refused_by_the_headers_name() {
    let long = vec![b'x'; HEADER_VALUE_MAX + 1];
    let name = "n".repeat(1025);
    for (line, expected) in [
        (("x-a", &b"a\r\nx-role: admin"[..]), "the value of header \"x-a\" has the control character 0x0d"),
        (("x-a", b"a\nb"), "the value of header \"x-a\" has the control character 0x0a"),
        (("x-a", b"\0"), "the value of header \"x-a\" has the control character 0x00"),
        (("x-a", &long), "the value of header \"x-a\" is longer than 65536 bytes"),
        (("x a", b""), "the header name \"x a\" has a character"),
        (("x\na", b""), "the header name \"x\\na\" has a character"),
        (("x:a", b""), "the header name \"x:a\" has a character"),
        (("x\u{e9}", b""), "the header name \"x\u{e9}\" has a character"),
        (("", b"v"), "the header name \"\" has a character"),
        ((&name, b""), "the header name that begins with \"nnnn"),
    ] {
        let (_, refusal) = filled(http(&[("accept", b"*/*"), line]));
        let refusal = refusal.unwrap();
        assert!(refusal.to_string().starts_with(expected), "{refusal}");
        let verdict = refusal.verdict();
        assert_eq!((verdict.is_allow(), verdict.status, verdict.message.as_str()), (false, 400, "bad request"));
    }
}

#[test]
fn a_request_without_method_or_path_or_with_too_much_is_refused() {
    let long = "/".repeat(PATH_MAX + 1);
    let many = vec![("a", &b""[..]); HEADER_LINES_MAX + 1];
    for (http, expected) in [
        (Http { method: "", ..http(&[]) }, Refusal::NoMethod),
        (Http { path: "", ..http(&[]) }, Refusal::NoPath),
        (Http { path: &long, ..http(&[]) }, Refusal::PathTooLong),
        (http(&many), Refusal::TooManyHeaders),
    ] {
        assert_eq!(filled(http).1, Some(expected));
    }
    assert_eq!(Facts::default().fill(0).1, Some(Refusal::NotHttp));
}

#[test]
fn a_joined_map_is_in_doubt_and_its_last_entry_of_a_name_counts() {
    for many in [0, 40] {
        let names = (0..many).map(|index| format!("x-{index}")).collect::<Vec<_>>();
        let mut request = http(&[]);
        request.joined.push(Line { name: "x-role", value: b"old" });
        request.joined.extend(names.iter().map(|name| Line { name, value: b"" }));
        request.joined.push(Line { name: "x-role", value: b"a,b" });
        let (bag, refusal) = filled(request);
        assert_eq!(refusal, None);
        assert!(bag.headers().is_doubtful("x-role"));
        assert_eq!(bag.headers().joined("x-role").unwrap(), "a,b");
    }
}

#[test]
fn a_query_that_came_apart_is_part_of_the_path() {
    for (path, query, expected) in [("/a", "x=1", "/a?x=1"), ("/a?y", "x=1", "/a?y"), ("/a", "", "/a")] {
        let (bag, _) = filled(Http { path, query, ..http(&[]) });
        assert_eq!(bag.str(slot::REQUEST_PATH), Some(expected));
    }
}

#[test]
fn the_size_is_what_the_client_declared_and_the_id_what_others_know() {
    for (line, size, expected) in
        [(Some("12"), 0, Some(12)), (Some("x"), 7, Some(7)), (None, 7, Some(7)), (None, -1, None), (None, 0, None)]
    {
        let lines = line.iter().map(|value| ("content-length", value.as_bytes())).collect::<Vec<_>>();
        let (bag, _) = filled(Http { size, ..http(&lines) });
        assert_eq!(bag.int(slot::REQUEST_SIZE), expected);
    }
    let (bag, _) = filled(Http { id: "77", ..http(&[("x-request-id", b"abc")]) });
    assert_eq!(bag.str(slot::REQUEST_ID), Some("abc"));
    let (bag, _) = filled(Http { id: "77", ..http(&[]) });
    assert_eq!(bag.str(slot::REQUEST_ID), Some("77"));
}
