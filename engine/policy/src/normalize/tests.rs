#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use Normalization::{Base, DecodeAndMergeSlashes, Default as Defaulted, MergeSlashes, None as Untouched};

#[test]
fn each_mode_does_what_it_says_and_no_more() {
    // target, then what NONE, BASE, MERGE_SLASHES and DECODE_AND_MERGE_SLASHES make of it
    let rows = [
        ("/", ["/", "/", "/", "/"]),
        ("/a/b?x=/../y", ["/a/b?x=/../y", "/a/b?x=/../y", "/a/b?x=/../y", "/a/b?x=/../y"]),
        ("/a#x?y", ["/a", "/a", "/a", "/a"]),
        ("/a?x#y", ["/a?x", "/a?x", "/a?x", "/a?x"]),
        ("/a/./b/../c", ["/a/./b/../c", "/a/c", "/a/c", "/a/c"]),
        ("/a/..", ["/a/..", "/", "/", "/"]),
        ("/a/.", ["/a/.", "/a/", "/a/", "/a/"]),
        ("/../..", ["/../..", "/", "/", "/"]),
        ("/...", ["/...", "/...", "/...", "/..."]),
        ("/a//b", ["/a//b", "/a//b", "/a/b", "/a/b"]),
        ("//", ["//", "//", "/", "/"]),
        ("/a//../b", ["/a//../b", "/a/b", "/a/b", "/a/b"]),
        ("/a\\b", ["/a\\b", "/a/b", "/a/b", "/a/b"]),
        ("/a%2Fb%5c", ["/a%2Fb%5c", "/a%2Fb%5c", "/a%2Fb%5c", "/a/b/"]),
        ("/a%2f..%2Fb", ["/a%2f..%2Fb", "/a%2f..%2Fb", "/a%2f..%2Fb", "/b"]),
        ("/%61%2D%7e%20", ["/%61%2D%7e%20", "/a-~%20", "/a-~%20", "/a-~%20"]),
        ("/x/%2e%2E/a", ["/x/%2e%2E/a", "/a", "/a", "/a"]),
        ("/%252f%zz%2", ["/%252f%zz%2", "/%252f%zz%2", "/%252f%zz%2", "/%252f%zz%2"]),
        ("/x/..;p/a", ["/x/..;p/a", "/a", "/a", "/a"]),
        ("/x/.;/a", ["/x/.;/a", "/x/a", "/x/a", "/x/a"]),
        ("/x/%2e%2e;/a", ["/x/%2e%2e;/a", "/x/..;/a", "/x/..;/a", "/x/..;/a"]),
        ("http://h/a/../b?q", ["/a/../b?q", "/b?q", "/b?q", "/b?q"]),
        ("HTTPS://h", ["/", "/", "/", "/"]),
        ("http://h?q", ["/?q", "/?q", "/?q", "/?q"]),
        ("/a\t", ["/a", "/a", "/a", "/a"]),
        (
            "/b|c/{x}\"<>^`?|",
            [
                "/b|c/{x}\"<>^`?|",
                "/b%7Cc/%7Bx%7D%22%3C%3E%5E%60?|",
                "/b%7Cc/%7Bx%7D%22%3C%3E%5E%60?|",
                "/b%7Cc/%7Bx%7D%22%3C%3E%5E%60?|",
            ],
        ),
        ("/[a]@:!$&'()*+,;=", ["/[a]@:!$&'()*+,;="; 4]),
    ];
    for (target, expected) in rows {
        for (mode, expected) in [Untouched, Base, MergeSlashes, DecodeAndMergeSlashes].into_iter().zip(expected) {
            assert_eq!(normalize(mode, target).unwrap(), expected, "{mode:?} of {target}");
        }
        assert_eq!(normalize(Defaulted, target), normalize(Base, target), "{target}");
    }
}

#[test]
fn what_is_normal_is_borrowed() {
    for target in ["/", "/a.b/c?x=//..&y=%2e", "/%20/a", "/a%2Fb"] {
        assert!(matches!(normalize(MergeSlashes, target), Ok(Cow::Borrowed(same)) if same == target), "{target}");
    }
}

#[test]
fn what_cannot_be_normalized_is_an_error_in_every_mode() {
    let rows = [
        ("", InvalidPath::NotAbsolute),
        ("*", InvalidPath::NotAbsolute),
        ("\\a", InvalidPath::NotAbsolute),
        ("?a", InvalidPath::NotAbsolute),
        ("x://h/a", InvalidPath::NotAbsolute),
        ("/a%00", InvalidPath::EscapedNul),
        ("/a b", InvalidPath::RawByte),
        ("/a\0", InvalidPath::RawByte),
        ("/é", InvalidPath::RawByte),
    ];
    for (target, error) in rows {
        for mode in [Untouched, Base, MergeSlashes, DecodeAndMergeSlashes] {
            assert_eq!(normalize(mode, target), Err(error), "{mode:?} of {target:?}");
        }
    }
}
