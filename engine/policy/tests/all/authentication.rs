//! RequestAuthentication: which tokens are taken, what is answered otherwise, and what the workload sees.

use std::{sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use weir_attributes::slot;
use weir_policy::{Fetched, HeaderOperation, Jwks, KeyPlace, Keys, PolicySet, Side, Verdict};

use crate::{
    given::{Given, Request, cart, request},
    issuer::{ISSUER, NOW, STRANGER, encode, spoiled},
};

pub(crate) const ISS: &str = "https://id.example";

/// One rule of issuer [`ISS`] with these fields besides.
fn rule(more: Json) -> Json {
    let mut rule = json!({"issuer": ISS, "jwks": ISSUER.jwks()});
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

pub(crate) fn with_rules(rules: Json) -> PolicySet {
    Given::default().authentication("shop/tokens", json!({"jwtRules": rules})).set()
}

pub(crate) fn one(more: Json) -> PolicySet {
    with_rules(json!([rule(more)]))
}

pub(crate) fn claims(more: Json) -> Json {
    let mut claims = json!({"iss": ISS, "sub": "ann", "exp": NOW + 3600});
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

pub(crate) fn token(more: Json) -> String {
    ISSUER.sign(&claims(more))
}

pub(crate) fn get() -> Request {
    request("GET", "/cart")
}

pub(crate) fn bearing(token: &str) -> Request {
    get().header("authorization", &format!("Bearer {token}"))
}

/// 200 for an allow, else the status of the denial.
pub(crate) fn status(set: &PolicySet, request: Request) -> u16 {
    request.ask(set, &cart()).status
}

/// What is done to the request's headers, as `name=value` and `-name`.
fn operations(verdict: &Verdict) -> Vec<String> {
    let one = |operation: &HeaderOperation| match operation {
        HeaderOperation::Set(Side::Request, name, value) => Some(format!("{name}={value}")),
        HeaderOperation::Remove(Side::Request, name) => Some(format!("-{name}")),
        _ => None,
    };
    verdict.headers.iter().filter_map(one).collect()
}

#[test]
fn a_request_without_a_token_goes_on_without_an_identity() {
    let set = one(json!({}));
    let absent = [
        get(),
        get().header("authorization", "Basic dXNlcg=="),
        get().header("authorization", "bearer x.y.z"),
        get().header("authorization", "Bearer"),
        get().header("x-token", "x"),
        request("GET", "/cart?token=x"),
    ];
    for asked in absent {
        let (verdict, bag) = asked.clone().ask_with(&set, &cart(), &Keys::default());
        assert_eq!(verdict.status, 200, "{asked:?}");
        assert!(bag.struct_of(slot::REQUEST_AUTH_CLAIMS).is_none());
    }
}

#[test]
fn a_token_is_taken_or_answered_with_401_and_a_wrong_audience_with_403() {
    let set = one(json!({"audiences": ["shop", "https://bank/"]}));
    let good = || claims(json!({"aud": "shop"}));
    let with = |name: &str, value: Json| {
        let mut claims = good();
        claims[name] = value;
        ISSUER.sign(&claims)
    };
    let header = |header: Json| ISSUER.sign_text("ES256", &header.to_string(), &good().to_string());
    let unsigned = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(good().to_string()));
    let rows: Vec<(&str, String, u16)> = vec![
        ("good", ISSUER.sign(&good()), 200),
        ("audience in a list", with("aud", json!(["other", "shop"])), 200),
        ("audience without scheme and slash", with("aud", json!("bank")), 200),
        ("wrong audience", with("aud", json!("Shop")), 403),
        ("no audience", with("aud", json!([])), 403),
        ("wrong issuer", with("iss", json!("https://id.example/")), 401),
        ("no issuer", with("iss", Json::Null), 401),
        ("issuer that is no text", with("iss", json!([ISS])), 401),
        ("subject that is no text", with("sub", json!(5)), 401),
        ("expired within the tolerance", with("exp", json!(NOW - 60)), 200),
        ("expired", with("exp", json!(NOW - 61)), 401),
        ("expired, and the wrong audience", ISSUER.sign(&claims(json!({"exp": 1, "aud": "x"}))), 401),
        ("expiry that is no number", with("exp", json!("never")), 401),
        ("expiry beyond all numbers", with("exp", json!(1e300)), 200),
        ("valid soon, within the tolerance", with("nbf", json!(NOW + 60)), 200),
        ("not valid yet", with("nbf", json!(NOW + 61)), 401),
        ("for ever", with("exp", json!(i64::MAX)), 200),
        ("spoiled", spoiled(&ISSUER.sign(&good())), 401),
        ("of a stranger", STRANGER.sign(&good()), 401),
        ("unsigned", unsigned.clone(), 401),
        ("unsigned with a signature", format!("{unsigned}abcd"), 401),
        ("without algorithm", header(json!({"typ": "JWT"})), 401),
        ("by another algorithm than it says", header(json!({"alg": "RS256"})), 401),
        ("by a secret that is the public key", header(json!({"alg": "HS256"})), 401),
        ("with a critical header", header(json!({"alg": "ES256", "crit": ["b64"]})), 401),
        ("with its key's id", header(json!({"alg": "ES256", "kid": "ec"})), 200),
        ("with an unknown key's id", header(json!({"alg": "ES256", "kid": "new"})), 401),
        ("with a key's id that is no text", header(json!({"alg": "ES256", "kid": 1})), 401),
        ("by EdDSA", ISSUER.sign_with("EdDSA", &good()), 200),
        ("by ES512", ISSUER.sign_with("ES512", &good()), 200),
        ("by a stranger's ES512", STRANGER.sign_with("ES512", &good()), 401),
        ("by ES256, but it says ES512", header(json!({"alg": "ES512"})), 401),
        ("by RS256", ISSUER.sign_with("RS256", &good()), 200),
        ("by PS256", ISSUER.sign_with("PS256", &good()), 200),
        ("by a secret that is not among the keys", ISSUER.sign_with("HS256", &good()), 401),
        ("with something behind it", format!("{} x", ISSUER.sign(&good())), 401),
        ("with a second part behind it", format!("{}.x", ISSUER.sign(&good())), 401),
        ("empty", String::new(), 401),
    ];
    for (name, token, expected) in rows {
        let verdict = get().header("authorization", &format!("Bearer {token}")).ask(&set, &cart());
        // An empty value is trimmed by the bag: there is no token then.
        let expected = if token.is_empty() { 200 } else { expected };
        assert_eq!(verdict.status, expected, "{name}: {:?}", verdict.reason);
        if expected != 200 {
            assert_eq!(verdict.ttl, None, "{name}: a refusal is not reused");
            assert_eq!(verdict.reason.code.as_str(), "invalid-token", "{name}");
        }
    }
}

#[test]
fn a_secret_verifies_only_where_it_is_the_key() {
    let secret = json!({"keys": [ISSUER.key("HS256")]}).to_string();
    let set = with_rules(json!([{"issuer": ISS, "jwks": secret}]));
    assert_eq!(status(&set, bearing(&ISSUER.sign_with("HS256", &claims(json!({}))))), 200);
    assert_eq!(status(&set, bearing(&STRANGER.sign_with("HS256", &claims(json!({}))))), 401);
    assert_eq!(status(&set, bearing(&token(json!({})))), 401);
}

#[test]
fn a_token_is_found_where_the_rule_looks_and_nowhere_else() {
    let default = one(json!({}));
    let other = one(json!({"fromHeaders": [{"name": "X-Jwt", "prefix": "Value "}, {"name": "x-bare"}],
        "fromParams": ["my_token"], "fromCookies": ["session"]}));
    let good = token(json!({}));
    let bad = spoiled(&good);
    let header = |name: &str, value: String| get().header(name, &value);
    let query = |text: String| request("GET", &format!("/cart?{text}"));
    let rows = [
        (&default, header("authorization", format!("Bearer {bad}")), 401),
        (&default, query(format!("a=1&access_token={good}")), 200),
        (&default, query(format!("a=1&access_token={bad}")), 401),
        (&default, query(format!("a=1&access_token={}#x", good.replace('.', "%2E"))), 200),
        (&default, query(format!("Access_Token={bad}")), 200),
        (&default, header("authorization", format!("Bearer {good}")).header("authorization", "Bearer x"), 401),
        (&default, header("authorization", format!("Bearer {good},Bearer x")).joined_by_proxy(), 401),
        (&other, header("authorization", format!("Bearer {bad}")), 200),
        (&other, query(format!("access_token={bad}")), 200),
        (&other, header("x-jwt", format!("Value {good}")), 200),
        (&other, header("x-jwt", format!("Value {bad}")), 401),
        (&other, header("x-jwt", format!("value {bad}")), 200),
        (&other, header("x-bare", bad.clone()), 401),
        (&other, query(format!("my_token={bad}")), 401),
        (&other, header("cookie", format!("a=1; session={bad}")), 401),
        (&other, header("cookie", format!("a=1; session=\"{good}\"")), 200),
        (&other, header("cookie", format!("xsession={bad}")), 200),
        (&other, header("x-bare", good.clone()).header("cookie", &format!("session={bad}")), 401),
    ];
    for (set, asked, expected) in rows {
        let verdict = asked.clone().ask(set, &cart());
        assert_eq!(verdict.status, expected, "{:?} {asked:?}", verdict.reason);
    }
}

#[test]
fn of_several_rules_one_must_take_every_token_at_its_places() {
    let second = json!({"issuer": "https://other", "jwks": STRANGER.jwks()});
    let third = json!({"issuer": "https://third", "jwks": STRANGER.jwks(), "fromHeaders": [{"name": "x-third"}]});
    let set = with_rules(json!([rule(json!({})), second, third]));
    let strange = |issuer: &str| STRANGER.sign(&claims(json!({"iss": issuer})));
    let good = token(json!({}));
    assert_eq!(status(&set, get()), 200);
    assert_eq!(status(&set, bearing(&good)), 200);
    assert_eq!(status(&set, bearing(&strange("https://other"))), 200);
    assert_eq!(status(&set, bearing(&strange(ISS))), 401);
    assert_eq!(status(&set, bearing(&strange("https://third"))), 401, "only in its own place");
    assert_eq!(status(&set, get().header("x-third", &strange("https://third"))), 200);
    assert_eq!(status(&set, get().header("x-third", &strange("https://other"))), 401);
    assert_eq!(status(&set, bearing(&good).header("x-third", "bad")), 401, "a bad token beside a good one");
}

#[test]
fn rules_of_all_documents_that_apply_count() {
    let of = |issuer: &str| json!({"jwtRules": [{"issuer": issuer, "jwks": ISSUER.jwks()}]});
    let elsewhere = {
        let mut spec = of("https://elsewhere");
        spec["selector"] = json!({"matchLabels": {"app": "other"}});
        spec
    };
    let attached = {
        let mut spec = of("https://gateway");
        spec["targetRefs"] = json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "g"}]);
        spec
    };
    let set = Given::default()
        .authentication("istio-system/root", of("https://root"))
        .authentication("shop/own", of(ISS))
        .authentication("shop/elsewhere", elsewhere)
        .authentication("bank/other", of("https://bank"))
        .authentication("shop/attached", attached)
        .set();
    for (issuer, expected) in
        [(ISS, 200), ("https://root", 200), ("https://elsewhere", 401), ("https://bank", 401), ("https://gateway", 401)]
    {
        assert_eq!(status(&set, bearing(&token(json!({"iss": issuer})))), expected, "{issuer}");
    }
}

#[test]
fn without_an_issuer_any_is_taken() {
    let set = with_rules(json!([{"jwksUri": "https://id.example/keys"}]));
    let jwks = Some(Arc::new(Jwks::parse(ISSUER.jwks().as_bytes()).unwrap()));
    let place = KeyPlace::Jwks("https://id.example/keys".into());
    let keys = Keys::new([(place, Fetched { jwks, ..Fetched::default() })].into());
    for issuer in [json!("https://anybody"), Json::Null] {
        let mut claims = claims(json!({}));
        claims.as_object_mut().unwrap().remove("iss");
        if !issuer.is_null() {
            claims["iss"] = issuer;
        }
        let (verdict, _) = bearing(&ISSUER.sign(&claims)).ask_with(&set, &cart(), &keys);
        assert_eq!(verdict.status, 200, "{claims}");
    }
}

#[test]
fn a_preflight_carries_no_token_and_anything_less_is_asked() {
    let set = one(json!({"outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]}));
    let ask = |request: Request| request.header("authorization", "Bearer bad").header("x-sub", "forged");
    let options = || request("OPTIONS", "/cart");
    let whole = ask(options().header("origin", "https://a").header("access-control-request-method", "PUT"));
    let verdict = whole.ask(&set, &cart());
    assert_eq!((verdict.status, operations(&verdict)), (200, vec!["-x-sub".to_owned()]));
    assert_eq!(status(&set, ask(options().header("origin", "https://a"))), 401);
    assert_eq!(status(&set, ask(options().header("access-control-request-method", "PUT"))), 401);
    assert_eq!(
        status(&set, ask(get().header("origin", "https://a").header("access-control-request-method", "PUT"))),
        401
    );
}

#[test]
fn a_validated_token_is_taken_out_before_policies_see_the_request() {
    let stripped = |more: Json, name: &str| {
        Given::default()
            .authentication("shop/tokens", json!({"jwtRules": [rule(more)]}))
            .policy(
                "shop/p",
                json!({"action": "DENY", "rules": [{"when": [{"key": format!("request.headers[{name}]"), "values": ["*"]}]}]}),
            )
            .set()
    };
    let set = stripped(json!({}), "authorization");
    let verdict = bearing(&token(json!({}))).ask(&set, &cart());
    assert_eq!((verdict.status, operations(&verdict)), (200, vec!["-authorization".to_owned()]));
    assert_eq!(status(&set, get().header("authorization", "Basic x")), 403, "what is no token stays");
    let set = stripped(json!({"forwardOriginalToken": true}), "authorization");
    assert_eq!(status(&set, bearing(&token(json!({})))), 403);
}

#[test]
fn headers_tell_the_claims_and_nobody_can_forge_them() {
    let set = one(json!({"outputPayloadToHeader": "X-Payload", "forwardOriginalToken": true, "outputClaimToHeaders": [
        {"header": "X-Sub", "claim": "sub"}, {"header": "x-age", "claim": "age"}, {"header": "x-ok", "claim": "ok"},
        {"header": "x-role", "claim": "realm.role"}, {"header": "x-list", "claim": "list"}, {"header": "x-null", "claim": "null"},
        {"header": "x-none", "claim": "none.at.all"}, {"header": "x-line", "claim": "line"}]}));
    let names = ["x-payload", "x-sub", "x-age", "x-ok", "x-role", "x-list", "x-null", "x-none", "x-line"];
    let forged = |request: Request| names.iter().fold(request, |request, name| request.header(name, "forged"));
    let (verdict, bag) = forged(get()).ask_with(&set, &cart(), &Keys::default());
    let mut removed: Vec<String> = names.iter().map(|name| format!("-{name}")).collect();
    removed.sort();
    assert_eq!((verdict.status, operations(&verdict)), (200, removed));
    assert!(names.iter().all(|name| !bag.headers().contains(name)));
    let more =
        json!({"age": 30, "ok": true, "realm": {"role": "admin"}, "list": ["a"], "null": null, "line": "a\r\nb: c"});
    let signed = token(more);
    let (verdict, bag) = forged(bearing(&signed)).ask_with(&set, &cart(), &Keys::default());
    let payload = signed.split('.').nth(1).unwrap();
    let expected = [
        ("x-payload", Some(payload)),
        ("x-sub", Some("ann")),
        ("x-age", Some("30")),
        ("x-ok", Some("true")),
        ("x-role", Some("admin")),
        ("x-list", Some("WyJhIl0=")),
        ("x-null", None),
        ("x-none", None),
        ("x-line", None),
    ];
    let done = operations(&verdict);
    for (name, value) in expected {
        assert_eq!(bag.headers().lines(name).collect::<Vec<_>>(), value.into_iter().collect::<Vec<_>>(), "{name}");
        let operation = value.map_or(format!("-{name}"), |value| format!("{name}={value}"));
        assert!(done.contains(&operation), "{operation}: {done:?}");
    }
    assert_eq!(done.len(), names.len(), "one operation a header");
}

#[test]
fn policies_and_expressions_read_the_claims() {
    let set = Given::default()
        .authentication("shop/tokens", json!({"jwtRules": [rule(json!({"spaceDelimitedClaims": ["groups"]}))]}))
        .policy("shop/p", json!({"rules": [
            {"from": [{"source": {"requestPrincipals": [format!("{ISS}/ann")]}}],
             "when": [{"key": "request.auth.claims[scope]", "values": ["write"]}, {"key": "request.auth.claims[groups]", "values": ["b"]}]}]}))
        .cel("shop/c", json!({"action": "DENY", "rules": [{"expression":
            "has(request.auth.claims.level) && request.auth.claims.level > 3"}]}))
        .set();
    let base = json!({"scope": "read write", "groups": "a b"});
    let with = |name: &str, value: Json| {
        let mut claims = base.clone();
        claims[name] = value;
        bearing(&token(claims))
    };
    assert_eq!(status(&set, with("level", json!(3))), 200);
    assert_eq!(status(&set, with("level", json!(4))), 403);
    assert_eq!(status(&set, with("scope", json!("read"))), 403);
    assert_eq!(status(&set, with("scope", json!(["write"]))), 200);
    assert_eq!(status(&set, with("sub", json!("bob"))), 403);
    assert_eq!(status(&set, get()), 403);
}

#[test]
fn a_verdict_lives_no_longer_than_its_token_and_its_key_has_the_places_of_tokens() {
    let set = one(json!({"fromHeaders": [{"name": "x-jwt"}], "fromParams": ["t"], "fromCookies": ["c"]}));
    let ttl = |exp: i64| get().header("x-jwt", &token(json!({"exp": exp}))).ask(&set, &cart()).ttl.unwrap();
    assert_eq!(ttl(NOW + 3600), weir_policy::REUSE);
    assert_eq!(ttl(NOW - 50), Duration::from_secs(10));
    assert_eq!(ttl(NOW - 60), Duration::ZERO);
    let ruleset = set.ruleset(&cart());
    let headers: Vec<&str> = ruleset.referenced().headers().iter().map(|name| &**name).collect();
    assert_eq!(headers, ["access-control-request-method", "cookie", "origin", "x-jwt"]);
    assert_eq!(ruleset.referenced().slots(), [slot::REQUEST_METHOD, slot::REQUEST_PATH]);
}

#[test]
fn a_token_in_the_query_is_taken_out_by_the_name_that_it_has_there_and_a_cookie_stays() {
    let rows = [
        (json!({}), "/cart?z=1&access_token=TOKEN&a=%26", "/cart?z=1&a=%26", vec!["access_token"]),
        (json!({}), "/cart?access%5Ftoken=TOKEN", "/cart", vec!["access%5Ftoken"]),
        (json!({}), "/cart?access_token=TOKEN&access_token=2", "/cart", vec!["access_token"]),
        (json!({"fromParams": ["t", "u"]}), "/cart?u=TOKEN&x&t=TOKEN", "/cart?x", vec!["t", "u"]),
        (json!({"forwardOriginalToken": true}), "/cart?access_token=TOKEN", "/cart?access_token=TOKEN", vec![]),
        (json!({"fromCookies": ["t"]}), "/cart?access_token=x", "/cart?access_token=x", vec![]),
    ];
    for (more, told, seen, removed) in rows {
        let good = token(json!({}));
        let path = json!({"key": "request.headers[:path]", "values": [seen.replace("TOKEN", &good)]});
        let set = Given::default()
            .authentication("shop/tokens", json!({"jwtRules": [rule(more.clone())]}))
            .policy("shop/p", json!({"rules": [{"when": [path]}]}))
            .set();
        let request = request("GET", &told.replace("TOKEN", &good)).header("cookie", &format!("a=1; t={good}"));
        let verdict = request.ask(&set, &cart());
        assert_eq!(verdict.status, 200, "{more} {told}: policies see {seen}: {:?}", verdict.reason);
        assert_eq!(verdict.parameters.iter().map(|name| name.as_str()).collect::<Vec<_>>(), removed, "{more} {told}");
        assert!(operations(&verdict).is_empty(), "{more} {told}");
    }
    let set = one(json!({}));
    let denied = request("GET", "/cart?access_token=bad").ask(&set, &cart());
    assert!(!denied.is_allow() && denied.parameters.is_empty());
}
