//! What a validated token says, in the words of AuthorizationPolicy: `requestPrincipals` and `request.auth.*`.

use serde_json::{Value as Json, json};
use weir_policy::PolicySet;

use crate::given::{Given, cart, connection, request};

fn principals(field: &str, value: &str) -> PolicySet {
    let rule = json!({"from": [{"source": {field: [value]}}]});
    Given::default().policy("shop/p", json!({"rules": [rule]})).set()
}

fn when(action: &str, key: &str, field: &str, value: &str) -> PolicySet {
    let rule = json!({"when": [{"key": key, field: [value]}]});
    Given::default().policy("shop/p", json!({"action": action, "rules": [rule]})).set()
}

fn allows(set: &PolicySet, claims: &Json) -> bool {
    request("GET", "/").claims(claims).ask(set, &cart()).is_allow()
}

/// A pattern, an issuer, a subject, and whether it matches.
const PRINCIPALS: &[(&str, Option<&str>, Option<&str>, bool)] = &[
    ("i/s", Some("i"), Some("s"), true),
    ("i/s", Some("i"), Some("S"), false),
    ("i/a/b", Some("i"), Some("a/b"), false),
    ("i/a/b", Some("i/a"), Some("b"), true),
    ("https://e.example/x/*", Some("https://e.example/x"), Some("anybody"), true),
    ("https://e.example/x/*", Some("https://e.example"), Some("x/anybody"), false),
    ("*", Some("i"), Some("s"), true),
    ("*", Some("i"), Some(""), false),
    ("*", Some("i"), None, false),
    ("*", None, Some("s"), false),
    ("*/s", Some("anybody"), Some("s"), true),
    ("*/s", Some("anybody"), Some("xs"), false),
    ("*x/s", Some("ix"), Some("s"), true),
    ("*x/s", Some("ixy"), Some("s"), false),
    ("*x/s*", Some("ix"), Some("s"), false),
    ("*x/s*", Some("ix"), Some("s*"), true),
    ("*x", Some("i"), Some("sx"), true),
    ("*x", Some(""), Some("sx"), false),
    ("*x", Some("ix"), Some("s"), false),
    ("i/*", Some("i"), Some("s"), true),
    ("i/*", Some("i"), Some(""), false),
    ("i/p*", Some("i"), Some("pq"), true),
    ("p*", Some("pq"), Some("s"), true),
    ("p*", Some("pq"), Some(""), false),
    ("i", Some("i"), Some(""), true),
    ("i", Some("i"), None, false),
    ("i", Some("i"), Some("s"), false),
    ("*/*", Some("i"), Some("s"), false),
    ("*/*", Some("i"), Some("*"), true),
];

#[test]
fn a_request_principal_is_cut_at_its_last_slash_and_each_half_compared_by_itself() {
    for (value, issuer, subject, matches) in PRINCIPALS {
        let claims = json!({"iss": issuer, "sub": subject});
        let claims: serde_json::Map<_, _> =
            claims.as_object().unwrap().clone().into_iter().filter(|(_, claim)| !claim.is_null()).collect();
        let claims = Json::Object(claims);
        assert_eq!(allows(&principals("requestPrincipals", value), &claims), *matches, "{value} of {claims}");
        assert_eq!(allows(&principals("notRequestPrincipals", value), &claims), !matches, "not {value} of {claims}");
        let key = "request.auth.principal";
        assert_eq!(allows(&when("ALLOW", key, "values", value), &claims), *matches, "{key} {value} of {claims}");
    }
}

/// A key, a value, the claims, and whether it matches.
fn rows() -> Vec<(&'static str, &'static str, Json, bool)> {
    vec![
        ("claims[role]", "admin", json!({"role": "admin"}), true),
        ("claims[role]", "admin", json!({"role": ["user", "admin"]}), true),
        ("claims[role]", "admin", json!({"role": "user admin"}), false),
        ("claims[role]", "ad*", json!({"role": ["x", "admin"]}), true),
        ("claims[role]", "*min", json!({"role": "admin"}), true),
        ("claims[role]", "*", json!({"role": ""}), false),
        ("claims[role]", "*", json!({"role": []}), false),
        ("claims[role]", "5", json!({"role": 5}), false),
        ("claims[role]", "true", json!({"role": true}), false),
        ("claims[role]", "*", json!({"role": {"a": "b"}}), false),
        ("claims[role]", "*", json!({"role": [["admin"]]}), false),
        ("claims[role]", "*", json!({"role": null}), false),
        ("claims[role]", "Admin", json!({"role": "admin"}), false),
        ("claims[a][b]", "x", json!({"a": {"b": ["x"]}}), true),
        ("claims[a][b]", "x", json!({"a.b": "x"}), false),
        ("claims[a.b]", "x", json!({"a.b": "x"}), true),
        ("claims[a.b]", "x", json!({"a": {"b": "x"}}), false),
        ("claims[a][b]", "x", json!({"a": [{"b": "x"}]}), false),
        ("claims[https://x.example/role]", "x", json!({"https://x.example/role": "x"}), true),
        ("claims[scope]", "write", json!({"scope": "read write"}), true),
        ("claims[scope]", "read write", json!({"scope": "read write"}), false),
        ("claims[permission]", "write", json!({"permission": "read write"}), true),
        ("claims[a][scope]", "write", json!({"a": {"scope": "read write"}}), false),
        ("audiences", "web", json!({"aud": "web"}), true),
        ("audiences", "web", json!({"aud": ["api", "web"]}), true),
        ("audiences", "web/", json!({"aud": "web"}), false),
        ("presenter", "cli", json!({"azp": "cli"}), true),
        ("presenter", "cli", json!({"azp": ["x", "cli"]}), true),
        ("presenter", "cli", json!({"aud": "cli"}), false),
    ]
}

#[test]
fn a_claim_is_a_text_or_a_list_in_which_one_text_matches() {
    for (key, value, claims, matches) in rows() {
        let key = format!("request.auth.{key}");
        assert_eq!(allows(&when("ALLOW", &key, "values", value), &claims), matches, "{key} {value} of {claims}");
        assert_eq!(
            allows(&when("ALLOW", &key, "notValues", value), &claims),
            !matches,
            "{key} not {value} of {claims}"
        );
    }
}

#[test]
fn without_a_token_a_not_form_holds() {
    for key in ["principal", "audiences", "presenter", "claims[role]"] {
        let key = format!("request.auth.{key}");
        let ask = |set: PolicySet| request("GET", "/").ask(&set, &cart()).is_allow();
        assert!(!ask(when("ALLOW", &key, "values", "*")), "{key}");
        assert!(ask(when("ALLOW", &key, "notValues", "*")), "{key}");
        assert!(ask(when("DENY", &key, "values", "*")), "{key}");
        assert!(!ask(when("DENY", &key, "notValues", "*")), "{key}");
    }
    assert!(request("GET", "/").ask(&principals("notRequestPrincipals", "*"), &cart()).is_allow());
}

#[test]
fn on_a_plain_connection_tokens_drop_an_allow_rule_and_leave_a_deny_rule() {
    assert!(!connection().ask(&principals("notRequestPrincipals", "*"), &cart()).is_allow());
    assert!(!connection().ask(&when("ALLOW", "request.auth.principal", "notValues", "*"), &cart()).is_allow());
    assert!(!connection().ask(&when("DENY", "request.auth.claims[a]", "values", "b"), &cart()).is_allow());
}

#[test]
fn one_source_that_speaks_of_tokens_drops_the_whole_allow_rule_of_a_plain_connection() {
    let from = json!([{"source": {"ipBlocks": ["0.0.0.0/0"]}}, {"source": {"requestPrincipals": ["*"]}}]);
    let set = Given::default().policy("shop/p", json!({"rules": [{"from": from}]})).set();
    let asked = connection().text(weir_attributes::slot::SOURCE_ADDRESS, "10.0.0.7:40000");
    assert!(!asked.ask(&set, &cart()).is_allow());
    assert!(request("GET", "/").ask(&set, &cart()).is_allow());
}
