#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use proptest::prelude::*;

/// One pattern, read straight from its description.
fn obvious(pattern: &str, value: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(""), _) => !value.is_empty(),
        (Some(suffix), _) => value.ends_with(suffix),
        (None, Some(prefix)) => value.starts_with(prefix),
        (None, None) => value == pattern,
    }
}

proptest! {
    #[test]
    fn a_set_of_patterns_matches_what_any_of_them_does(
        patterns in prop::collection::vec("[ab*é]{1,4}", 0..8),
        values in prop::collection::vec("[ab*é]{0,5}", 1..8),
    ) {
        let set = Patterns::new(patterns.iter().map(String::as_str), Presence::NonEmpty);
        for value in &values {
            let expected = patterns.iter().any(|pattern| obvious(pattern, value));
            prop_assert_eq!(set.matches(value), expected, "{:?} against {}", patterns, value);
        }
    }

    #[test]
    fn namespaces_are_the_regular_expression_that_istio_makes(
        value in "[ab*/]{1,4}",
        principal in "(ns/|td/)(/?(ns|a|b|ab|sa)){0,6}/?",
    ) {
        // .*/ns/VALUE/.* over spiffe://PRINCIPAL, by trying every place.
        let pattern: Vec<char> = format!("*/ns/{value}/*").chars().collect();
        let text: Vec<char> = format!("spiffe://{principal}").chars().collect();
        let set = Namespaces::new(std::slice::from_ref(&value));
        prop_assert_eq!(set.matches(&principal), glob(&pattern, &text), "{} against {}", value, principal);
    }
}

/// Whether a text is of the pattern, with `*` for any text.
fn glob(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|skip| glob(rest, &text[skip..])),
        [first, rest @ ..] => text.first() == Some(first) && glob(rest, &text[1..]),
    }
}

#[test]
fn presence_may_ask_for_more_than_nothing() {
    assert!(Patterns::new(["*"], Presence::Any).matches(""));
    assert!(!Patterns::new(["*"], Presence::NonEmpty).matches(""));
    assert!(!Patterns::new([], Presence::Any).matches(""));
}

#[test]
fn templates_take_whole_segments_and_keep_their_slashes() {
    let rows: [(&str, &[&str], &[&str]); 6] = [
        ("/a/{*}", &["/a/b", "/a/b.txt", "/a/%2a", "/a/b;c"], &["/a", "/a/", "/a/b/", "/a//c", "/A/b"]),
        ("/a/{**}", &["/a/", "/a/b", "/a/b/", "/a//c"], &["/a", "/ab"]),
        ("/a/{**}/c", &["/a//c", "/a/b/c", "/a/b/x/c"], &["/a/c", "/a/b/c/"]),
        ("/a/{**}/", &["/a/b/", "/a//"], &["/a/b", "/a/"]),
        ("/{**}", &["/", "/x", "/x/y"], &["", "x"]),
        ("/{*}/b/{*}/{**}", &["/x/b/y/", "/x/b/y/z/w"], &["/x/b/y", "/x/c/y/z", "//b/y/z"]),
    ];
    for (template, matching, others) in rows {
        let parsed = Template::parse(template).unwrap();
        for path in matching {
            assert!(parsed.matches(path), "{template} against {path}");
        }
        for path in others {
            assert!(!parsed.matches(path), "{template} against {path}");
        }
    }
}

#[test]
fn a_template_that_istio_refuses_is_refused_for_the_same_reason() {
    for (value, error) in [
        ("/{**}/{*}", TemplateError::NotLast),
        ("/{**}/a/{**}", TemplateError::NotLast),
        ("/{*}.txt", TemplateError::Braces),
        ("/a}/b", TemplateError::Braces),
        ("/{name=*}", TemplateError::Braces),
        ("/{*}/*", TemplateError::Literal("*".to_owned())),
        ("/{*}/?a", TemplateError::Literal("?a".to_owned())),
    ] {
        assert_eq!(Template::parse(value), Err(error), "{value}");
    }
}

#[test]
fn blocks_mask_their_host_bits_and_keep_the_families_apart() {
    let set = |blocks: &[&str]| Networks::new(blocks.iter().map(|block| parse_block(block).unwrap()));
    let contains = |blocks: &[&str], address: &str| set(blocks).contains(address.parse().unwrap());
    assert!(contains(&["10.1.2.3/8"], "10.200.0.1"));
    assert!(contains(&["10.0.0.1", "2001:db8::/32"], "2001:db8::7"));
    assert!(!contains(&["10.0.0.1"], "10.0.0.2"));
    assert!(!contains(&["::ffff:10.0.0.1/128"], "10.0.0.1"));
    assert!(contains(&["0.0.0.0/0"], "1.2.3.4"));
    assert!(!contains(&["0.0.0.0/0"], "::1"));
    for bad in ["", "a.b.c.d", "10.0.0.0/33", "10.0.0.1:80", "10.0.0", "/8"] {
        assert!(parse_block(bad).is_none(), "{bad}");
    }
}

#[test]
fn aliases_are_filled_into_five_part_principals_of_this_mesh() {
    let mesh = ["new", "old"].map(str::to_owned);
    let rows: [(&str, &[&str]); 8] = [
        ("new/ns/a/sa/b", &["new/ns/a/sa/b", "old/ns/a/sa/b"]),
        ("old/ns/a/sa/*", &["new/ns/a/sa/*", "old/ns/a/sa/*"]),
        ("cluster.local/ns/a/sa/b", &["new/ns/a/sa/b", "old/ns/a/sa/b"]),
        ("*ew/ns/a/sa/b", &["*ew/ns/a/sa/b", "old/ns/a/sa/b"]),
        ("*/ns/a/sa/b", &["*/ns/a/sa/b"]),
        ("third/ns/a/sa/b", &["third/ns/a/sa/b"]),
        ("old/ns/a/*", &["old/ns/a/*"]),
        ("old", &["old"]),
    ];
    for (value, expected) in rows {
        assert_eq!(with_aliases(value, &mesh), expected, "{value}");
    }
}

#[test]
fn identities_are_matched_by_their_parts() {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let accounts = ServiceAccounts::new(&owned(&["cart", "b/front"]), "shop");
    for (principal, expected) in [
        ("td/ns/shop/sa/cart", true),
        ("other/ns/b/sa/front", true),
        ("td/k/v/ns/shop/x/y/sa/cart/z", true),
        ("td/ns/b/sa/cart", false),
        ("td/ns/shop/sa/carts", false),
        ("td/ns/shop/sa/cart/", false),
        ("ns/shop/sa/cart", false),
        ("td/ns/shop/xsa/cart", false),
    ] {
        assert_eq!(accounts.matches(principal, true), expected, "{principal}");
        assert!(!accounts.matches(principal, false), "{principal} of another scheme");
    }
    let domains = TrustDomains::new(&owned(&["td", "x*"]), &owned(&["mesh"]));
    for (principal, expected) in
        [("td/ns/a/sa/b", true), ("xy/a", true), ("tds/a", false), ("td", false), ("mesh/a", false)]
    {
        assert_eq!(domains.matches(principal, true), expected, "{principal}");
    }
    assert!(TrustDomains::new(&owned(&["cluster.local"]), &owned(&["mesh"])).matches("mesh/a", true));
    let any = Principals::new(["*"]);
    assert!(any.matches("anything", false) && !Principals::new(["any*"]).matches("anything", false));
}
