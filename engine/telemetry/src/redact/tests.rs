use weir_attributes::slot;

use super::*;

fn redactor() -> Redactor {
    Redactor::with_key(b"a key of these tests, 32 bytes..").expect("long enough")
}

#[test]
fn a_hash_is_hmac_sha256_cut_to_sixteen_digits() {
    // From another implementation: python3 -c "import hmac; print(hmac.new(KEY, b'secret', 'sha256').hexdigest()[:16])"
    assert_eq!(redactor().hash("secret").as_str(), "hmac:c92c70ab1be5363d");
    assert_ne!(redactor().hash("secret"), redactor().hash("secret2"));
    let other = Redactor::random().expect("random");
    assert_ne!(redactor().hash("secret"), other.hash("secret"));
}

#[test]
fn a_short_or_missing_key_is_refused() {
    assert!(matches!(Redactor::with_key(b"short"), Err(Error::KeyTooShort { len: 5, .. })));
    let folder = tempfile::tempdir().expect("temporary folder");
    let missing = Redactor::from_key_file(&folder.path().join("none")).expect_err("missing");
    assert!(missing.to_string().contains("cannot read the redaction key"), "{missing}");
    let path = folder.path().join("key");
    std::fs::write(&path, b"a key of these tests, 32 bytes..").expect("written");
    let from_file = Redactor::from_key_file(&path).expect("long enough");
    assert_eq!(from_file.hash("x"), redactor().hash("x"));
}

#[test]
fn sensitive_headers_are_hashed_whole_and_targets_lose_their_query() {
    let redactor = redactor();
    let whole = |value: &str| redactor.hash(value).to_string();
    for (name, value, expected) in [
        ("authorization", "Bearer x", whole("Bearer x")),
        ("Proxy-Authorization", "Basic eA==", whole("Basic eA==")),
        ("cookie", "", whole("")),
        ("set-cookie", "a=b", whole("a=b")),
        ("X-API-KEY", "k", whole("k")),
        ("referer", "https://a.example/b", whole("https://a.example/b")),
        (":path", "a?b=c", format!("a?{}", whole("b=c"))),
        ("x-original-url", "/a#b", format!("/a#{}", whole("b"))),
        ("x-anything", "/a/b?token=c?d", format!("/a/b?{}", whole("token=c?d"))),
        ("x-anything", "see https://a.example/?q", format!("see https://a.example/?{}", whole("q"))),
        ("x-anything", "who? me", "who? me".to_owned()),
        ("accept", "text/html", "text/html".to_owned()),
    ] {
        assert_eq!(redactor.header(name, value), expected, "{name}: {value}");
    }
}

#[test]
fn sensitive_attributes_are_hashed_whole() {
    let redactor = redactor();
    for attribute in weir_attributes::vocabulary() {
        let shown = redactor.attribute(attribute.slot, "canary-9f3a");
        assert_eq!(shown.contains("canary"), !attribute.sensitive, "{}", attribute.name);
    }
}

#[test]
fn fields_are_judged_by_their_name_and_never_hashed_twice() {
    let redactor = redactor();
    for name in [
        "authorization",
        "request.headers.cookie",
        "http.request.header.authorization",
        "http.request.header.x_api_key",
        "request.path",
        "request.query",
        "url.query",
    ] {
        let once = redactor.field(name, "canary-9f3a").into_owned();
        assert_eq!(once, redactor.hash("canary-9f3a").to_string(), "{name}");
        assert_eq!(redactor.field(name, &once), once, "{name}");
    }
    assert_eq!(redactor.field("request.url_path", "/a"), "/a");
    assert!(!redactor.field("url.full", "https://a.example/?canary").contains("canary"));
    // What only looks like a hash at its start is not believed.
    assert!(!redactor.field("cookie", "hmac:canary-9f3a-canary").contains("canary"));
}

#[test]
fn running_text_loses_the_queries_of_its_urls_and_paths() {
    let redactor = redactor();
    for (text, shown) in [
        ("\"GET /a?canary HTTP/1.1\" 200", "\"GET /a?HASH HTTP/1.1\" 200"),
        ("GET https://x/?canary", "GET https://x/?HASH"),
        ("path=/a?canary code=200", "path=/a?HASH code=200"),
        ("(\"/a#canary\")", "(\"/a#HASH\")"),
    ] {
        let expected = shown.replace("HASH", redactor.hash("canary").as_str());
        assert_eq!(redactor.prose(text), expected);
    }
    for text in ["who? me/you", "GET /a 200", "", "?", "/ ?"] {
        assert_eq!(redactor.prose(text), text);
    }
}

#[test]
fn a_message_that_quotes_a_secret_is_scrubbed() {
    let redactor = redactor();
    let bag = Bag::builder()
        .text(slot::REQUEST_PATH, "/orders/recent-ones?token=canary-in-query")
        .text(slot::REQUEST_QUERY, "token=canary-in-query")
        .header("authorization", "Bearer canary-in-token")
        .header("cookie", "session=canary-in-cookie; theme=dark")
        .header("x-role", "administrator")
        .build();
    for text in [
        "denied Bearer canary-in-token",
        "denied canary-in-token",
        "no canary-in-cookie here",
        "at /orders/recent-ones?token=canary-in-query",
        "token=canary-in-query",
    ] {
        let scrubbed = redactor.scrub(text, &bag);
        assert!(!scrubbed.contains("canary"), "{scrubbed}");
        assert!(scrubbed.contains("hmac:"), "{scrubbed}");
    }
    let plain = "administrator may not read /orders/recent-ones with a dark theme";
    assert_eq!(redactor.scrub(plain, &bag), plain);
}
