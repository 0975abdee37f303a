//! Tokens and keys made to break whoever reads them.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use weir_policy::{Jwks, TOKEN_BYTES_MAX};

use crate::{
    authentication::{ISS, bearing, get, one, status, token},
    given::cart,
    issuer::{ISSUER, encode},
};

#[test]
fn hostile_tokens_are_refused_at_once() {
    let set = one(json!({}));
    let deep = format!("{{\"iss\":\"{ISS}\",\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let wide = format!("{{\"iss\":\"{ISS}\",\"a\":[{}1]}}", "1,".repeat(20_000));
    let signed = |payload: &str| ISSUER.sign_text("ES256", r#"{"alg":"ES256"}"#, payload);
    let rows = [
        ("a mebibyte", format!("{}.{}.{}", encode("{}"), "A".repeat(1 << 20), "A"), 401),
        ("a mebibyte of dots", ".".repeat(1 << 20), 401),
        ("at the limit", "A".repeat(TOKEN_BYTES_MAX), 401),
        ("deep", signed(&deep), 401),
        ("wide", signed(&wide), 200),
        ("the same claim twice", signed(&format!("{{\"iss\":\"x\",\"iss\":\"{ISS}\"}}")), 401),
        ("half a letter", signed("{\"iss\":\"\\ud800\"}"), 401),
        ("NUL", "a\0b.c.d".to_owned(), 401),
    ];
    for (name, token, expected) in rows {
        let asked = bearing(&token);
        let since = Instant::now();
        let verdict = asked.ask(&set, &cart());
        assert_eq!(verdict.status, expected, "{name}: {:?}", verdict.reason);
        assert!(since.elapsed() < Duration::from_millis(100), "{name} took {:?}", since.elapsed());
    }
    let headers: Vec<Json> = (0..40).map(|n| json!({"name": format!("x-{n}")})).collect();
    let set = one(json!({"fromHeaders": headers}));
    let many = (0..40).fold(get(), |request, n| request.header(&format!("x-{n}"), &token(json!({"n": n}))));
    assert_eq!(status(&set, many), 401);
}

proptest::proptest! {
    #[test]
    fn no_text_is_a_token_by_chance(header in ".*", payload in ".*", rest in "[A-Za-z0-9_.-]{0,80}") {
        let set = one(json!({}));
        let parts = format!("{}.{}.{rest}", encode(header), encode(payload));
        for text in [parts, rest] {
            let verdict = get().header("authorization", &format!("Bearer {text}")).ask(&set, &cart());
            proptest::prop_assert!(verdict.status == 401 || text.is_empty());
        }
    }

    #[test]
    fn no_text_breaks_the_reader_of_keys(text in ".*", x in ".*", kty in "RSA|EC|OKP|oct") {
        let _ = Jwks::parse(text.as_bytes());
        let key = json!({"keys": [{"kty": kty, "crv": "P-256", "x": x, "y": x, "n": x, "e": x, "k": x}]});
        let _ = Jwks::parse(key.to_string().as_bytes());
    }
}
