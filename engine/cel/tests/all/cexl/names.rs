//! DNS names, e-mail addresses and URIs: which texts are some, and which are the same.

use weir_cel::{
    Scratch, Value,
    cexl::{Env, Type, Values},
};

/// Whether a text can be converted; `None` where that fails.
fn converted(function: &str, text: &str) -> Option<String> {
    let env = Env::builder().attribute("text", Type::String).build();
    let program = env.compile(&format!("{function}(text)")).unwrap();
    let values = Values::of(&env).with("text", Value::text(text));
    let value = program.evaluate(&values, &mut Scratch::new()).ok()?;
    value.as_str().map(str::to_owned)
}

/// Whether two texts of a type are the same; `None` where comparing them fails.
fn same(ty: Type, left: &str, right: &str) -> Option<bool> {
    let env = Env::builder().attribute("left", ty).attribute("right", ty).build();
    let values = Values::of(&env).with("left", Value::text(left)).with("right", Value::text(right));
    let equal = env.compile("left == right").unwrap().evaluate_bool(&values, &mut Scratch::new()).ok();
    let differ = env.compile("left != right").unwrap().evaluate_bool(&values, &mut Scratch::new()).ok();
    assert_eq!(equal, differ.map(|differ| !differ), "{left} {right}");
    equal
}

#[test]
fn dns_names_are_those_of_hosts() {
    for name in ["a", "a.", "A.b-c.D9", "1.2.3.4", "ratings.prod.svc.cluster.local", "bücher.example"] {
        assert_eq!(converted("dnsName", name).as_deref(), Some(name));
    }
    assert_eq!(converted("dnsName", "xn--bcher-kva.example").as_deref(), Some("bücher.example"));
    let long = format!("{}.a", "b".repeat(64));
    let longer = "abc.".repeat(64);
    for text in
        ["", ".", "a..b", ".a", "-a", "a-", "a.-b", "ab--c.d", "a_b", "a b", "*.a", "a/b", "Bücher.a", &long, &longer]
    {
        assert_eq!(converted("dnsName", text), None, "{text}");
    }
}

/// Two names, and whether they are the same.
const DNS: &[(&str, &str, Option<bool>)] = &[
    ("a.b", "A.B.", Some(true)),
    ("a.b.", "a.b.", Some(true)),
    ("a.b", "a.c", Some(false)),
    ("bücher.a", "XN--bcher-kva.a", Some(true)),
    ("BÜCHER.a", "bücher.a", Some(true)),
    ("a_b", "a_b", None),
    ("a", "a-", None),
    ("a.b..", "a.b", Some(false)),
    ("xn--zzzzzzzzz999999", "a", None),
];

#[test]
fn dns_names_are_compared_by_idna() {
    for (left, right, expected) in DNS {
        assert_eq!(same(Type::DnsName, left, right), *expected, "{left} {right}");
    }
}

#[test]
fn email_addresses_have_a_local_part_and_a_dns_name() {
    let good = ["a@b", "a.b+c@d.example", "\"a b\"@c", "\"a..b\"@c", "\"a\\\"\"@c", "<a@b>", " a@b ", "ü@b", "{x}@b"];
    for text in good {
        assert_eq!(converted("email", text).as_deref(), Some(text));
    }
    let bad = [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a..b@c",
        ".a@b",
        "a.@b",
        "a@b_c",
        "a@-b",
        "a b@c",
        "\"a@b\"@c",
        "\"a@b",
        "Ana <a@b>",
        "<a@b",
        "a@b, c@d",
        "a@[10.0.0.1]",
        "\"\"@b",
        "a@b (note)",
        "a\u{7}@b",
    ];
    for text in bad {
        assert_eq!(converted("email", text), None, "{text}");
    }
}

#[test]
fn only_the_domain_of_an_address_is_without_case() {
    for (left, right, expected) in [
        ("a@b.c", "a@B.C", Some(true)),
        ("a@b.c", "A@b.c", Some(false)),
        ("\"a\"@b", "a@b", Some(true)),
        ("a@b", "a@c", Some(false)),
        ("a", "a@b", None),
        ("a@b-", "a@b", None),
    ] {
        assert_eq!(same(Type::EmailAddress, left, right), expected, "{left} {right}");
    }
}

#[test]
fn uris_and_references_are_those_of_go() {
    let good = [
        "a",
        "a/b",
        "/a",
        "//a/b",
        "?",
        "#",
        "?a=b",
        "*",
        "urn:a:b",
        "mailto:a@b",
        "http://a",
        "http://a:80/b?c#d",
        "http://a:",
        "http://u:p@a/",
        "http://[::1]:80/",
        "http://[fe80::1%25en0]/",
        "a b",
        "http://é/ü",
        "///a",
        "http://%C3%A9/",
        "x:",
        "http:",
        "a%20b",
        "./a:b",
    ];
    for text in good {
        assert_eq!(converted("uri", text).as_deref(), Some(text));
    }
    let bad = [
        "",
        ":",
        ":a",
        "1:a",
        "a%",
        "a%2",
        "a%zz",
        "a\nb",
        "http://a:b",
        "http://[::1",
        "http://a b/",
        "http://u u@a/",
        "http://%41/",
        "http://a\\b/",
        "http://[::1]a",
        "http://[fe80::1%25%41%zz]/",
        "#%z",
    ];
    for text in bad {
        assert_eq!(converted("uri", text), None, "{text:?}");
    }
}

/// Two URIs, and whether they are the same.
const URIS: &[(&str, &str, Option<bool>)] = &[
    ("HTTP://A.b", "http://a.B", Some(true)),
    ("https://a.", "https://a", Some(true)),
    ("http://a:", "http://a", Some(true)),
    ("http://a:80", "http://a", Some(false)),
    ("http://a", "http://a/", Some(false)),
    ("http://a/b", "http://a/B", Some(false)),
    ("http://a/?", "http://a/", Some(false)),
    ("http://a/#", "http://a/", Some(true)),
    ("http://a/ b", "http://a/%20b", Some(true)),
    ("http://a/%2F", "http://a//", Some(false)),
    ("http://u@a", "http://a", Some(false)),
    ("http://[::A]/", "http://[::a]/", Some(true)),
    ("http://[::A]:1/", "http://[::a]:2/", Some(false)),
    ("http://a", "https://a", Some(false)),
    ("ftp://A", "ftp://a", Some(false)),
    ("FTP://a", "ftp://a", Some(true)),
    ("urn:a", "URN:a", Some(true)),
    ("urn:a", "urn:A", Some(false)),
    ("a", "./a", Some(false)),
    ("http://a_b", "http://a_b", None),
    (":", "a", None),
];

#[test]
fn uris_are_compared_by_scheme_and_http_ones_by_host() {
    for (left, right, expected) in URIS {
        assert_eq!(same(Type::Uri, left, right), *expected, "{left} {right}");
    }
}
