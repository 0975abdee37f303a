//! Keys that are fetched: where from, what a token that none of them fits asks for, and how one set is told from another.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::json;
use weir_policy::{Fetched, Jwks, KeyPlace, Keys};

use crate::{
    authentication::{ISS, bearing, token, with_rules},
    given::{Given, cart},
    issuer::{ISSUER, STRANGER},
};

#[test]
fn fetched_keys_are_an_argument_and_a_miss_asks_for_new_ones() {
    let place = KeyPlace::Jwks("https://id.example/keys".into());
    let set = with_rules(json!([{"issuer": ISS, "jwksUri": &**place.uri(), "timeout": "200ms"}]));
    assert_eq!(set.key_places().collect::<Vec<_>>(), [(&place, Duration::from_millis(200))]);
    let fetched = |jwks: Option<String>| {
        let jwks = jwks.map(|text| Arc::new(Jwks::parse(text.as_bytes()).unwrap()));
        let fetched = Fetched { jwks, ..Fetched::default() };
        (Keys::new(HashMap::from([(place.clone(), fetched.clone())])), fetched)
    };
    for (jwks, expected) in [(None, 401), (Some(STRANGER.jwks()), 401), (Some(ISSUER.jwks()), 200)] {
        let (keys, fetched) = fetched(jwks);
        let (verdict, _) = bearing(&token(json!({}))).ask_with(&set, &cart(), &keys);
        assert_eq!(verdict.status, expected);
        assert_eq!(fetched.wanted.load(Ordering::Relaxed), expected == 401);
        let _ = bearing("x.y.z").ask_with(&set, &cart(), &keys);
    }
    let (keys, fetched) = fetched(Some(ISSUER.jwks()));
    for bad in ["x.y.z".to_owned(), token(json!({"exp": 1})), token(json!({"iss": "https://x"}))] {
        assert_eq!(bearing(&bad).ask_with(&set, &cart(), &keys).0.status, 401);
    }
    assert!(!fetched.wanted.load(Ordering::Relaxed), "what no key can mend asks for none");
}

#[test]
fn an_issuer_without_keys_is_asked_where_they_are() {
    let of = |issuer: &str| Given::default().authentication("shop/a", json!({"jwtRules": [{"issuer": issuer}]}));
    for (issuer, asked) in [
        ("https://id.example", Some("https://id.example/.well-known/openid-configuration")),
        ("https://id.example/", Some("https://id.example/.well-known/openid-configuration")),
        ("http://id.example:8080/tenant", Some("http://id.example:8080/tenant/.well-known/openid-configuration")),
        ("accounts@id.example", None),
        ("ftp://id.example", None),
    ] {
        let set = of(issuer).set();
        let places = set.key_places().map(|(place, _)| place.clone()).collect::<Vec<_>>();
        let expected = asked.map(|uri| KeyPlace::Discovery(uri.into()));
        assert_eq!(places, expected.into_iter().collect::<Vec<_>>(), "{issuer}");
    }
    let place = KeyPlace::Discovery(format!("{ISS}/.well-known/openid-configuration").into());
    let jwks = Some(Arc::new(Jwks::parse(ISSUER.jwks().as_bytes()).unwrap()));
    let keys = Keys::new([(place, Fetched { jwks, ..Fetched::default() })].into());
    let set = of(ISS).set();
    for (keys, expected) in [(&keys, 200), (&Keys::default(), 401)] {
        assert_eq!(bearing(&token(json!({}))).ask_with(&set, &cart(), keys).0.status, expected);
    }
}

#[test]
fn other_keys_have_another_version_and_the_same_ones_the_same() {
    let fetched = |text: Option<String>| {
        let jwks = text.map(|text| Arc::new(Jwks::parse(text.as_bytes()).unwrap()));
        Fetched { jwks, ..Fetched::default() }
    };
    let keys = |a: Option<String>, b: Option<String>| {
        let place = |uri: &str| KeyPlace::Jwks(uri.into());
        Keys::new([(place("https://a"), fetched(a)), (place("https://b"), fetched(b))].into()).version()
    };
    let (mine, theirs) = (|| Some(ISSUER.jwks()), || Some(STRANGER.jwks()));
    assert_eq!(keys(None, None), 0);
    assert_eq!(keys(mine(), theirs()), keys(mine(), theirs()));
    let all =
        [keys(None, None), keys(mine(), None), keys(None, mine()), keys(mine(), theirs()), keys(theirs(), mine())];
    let different: std::collections::HashSet<_> = all.into_iter().collect();
    assert_eq!(different.len(), all.len());
}
