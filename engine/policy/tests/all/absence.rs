//! Absence: in an AuthorizationPolicy a value, in CEL an error.

use serde_json::json;
use weir_policy::{Decision, ReasonCode};

use crate::given::{Given, cart, connection, request};

/// The decision on a GET without identity and headers, under one rule.
fn decide(action: &str, rule: serde_json::Value) -> &'static str {
    let set = Given::default().policy("shop/p", json!({"action": action, "rules": [rule]})).set();
    request("GET", "/").ask(&set, &cart()).decision.as_str()
}

#[test]
fn a_positive_condition_on_an_absent_attribute_is_false_and_a_not_condition_true() {
    let source = |source| json!({"from": [{"source": source}]});
    let when = |key: &str, field: &str, value: &str| json!({"when": [{"key": key, field: [value]}]});
    let positive = [
        source(json!({"principals": ["*"]})),
        source(json!({"namespaces": ["*"]})),
        source(json!({"serviceAccounts": ["a"]})),
        source(json!({"trustDomains": ["*"]})),
        when("request.headers[x]", "values", "*"),
        when("connection.sni", "values", "*"),
    ];
    let negative = [
        source(json!({"notPrincipals": ["*"]})),
        source(json!({"notNamespaces": ["*"]})),
        source(json!({"notServiceAccounts": ["a"]})),
        source(json!({"notTrustDomains": ["*"]})),
        when("request.headers[x]", "notValues", "*"),
        when("connection.sni", "notValues", "*"),
    ];
    for rule in positive {
        assert_eq!(decide("ALLOW", rule.clone()), "deny", "ALLOW {rule}");
        assert_eq!(decide("DENY", rule.clone()), "allow", "DENY {rule}");
    }
    for rule in negative {
        assert_eq!(decide("ALLOW", rule.clone()), "allow", "ALLOW {rule}");
        assert_eq!(decide("DENY", rule.clone()), "deny", "DENY {rule}");
    }
}

#[test]
fn an_empty_header_is_present_and_an_empty_host_too() {
    let set = Given::default()
        .policy("shop/p", json!({"rules": [{"when": [{"key": "request.headers[x]", "values": ["*"]}]}]}));
    let set = set.set();
    assert!(request("GET", "/").header("X", "").ask(&set, &cart()).is_allow());
    assert!(!request("GET", "/").ask(&set, &cart()).is_allow());
}

#[test]
fn an_error_in_a_deny_rule_denies_and_elsewhere_is_no_match() {
    let rules = json!([{"name": "admin", "expression": r#"request.headers["x-role"] == "admin""#}]);
    for (action, code) in
        [("DENY", ReasonCode::ErrorInRule), ("ALLOW", ReasonCode::DefaultDeny), ("AUDIT", ReasonCode::NoPolicy)]
    {
        let set = Given::default().cel("shop/p", json!({"action": action, "rules": rules})).set();
        let verdict = request("GET", "/").ask(&set, &cart());
        assert_eq!(verdict.reason.code, code, "{action}");
        assert!(verdict.audit.is_empty());
        let errors: Vec<_> =
            set.rule_errors().map(|(policy, rule, count)| (policy.to_string(), rule.to_string(), count)).collect();
        assert_eq!(errors, [("shop/p".to_owned(), "admin".to_owned(), 1)], "{action}");
    }
}

#[test]
fn a_guarded_deny_does_not_fail() {
    let expression = r#""x-role" in request.headers && request.headers["x-role"] == "admin""#;
    let set = Given::default().cel("shop/p", json!({"action": "DENY", "rules": [{"expression": expression}]})).set();
    assert_eq!(request("GET", "/").ask(&set, &cart()).reason.code, ReasonCode::NotDenied);
    assert_eq!(request("GET", "/").header("x-role", "admin").ask(&set, &cart()).decision, Decision::Deny);
    assert_eq!(set.rule_errors().count(), 0);
}

#[test]
fn on_tcp_an_allow_rule_with_http_conditions_is_dropped_and_a_deny_rule_loses_them() {
    let rule = json!({"to": [{"operation": {"methods": ["GET"]}}]});
    for (action, decision) in [("ALLOW", Decision::Deny), ("DENY", Decision::Deny)] {
        let set = Given::default().policy("shop/p", json!({"action": action, "rules": [rule]})).set();
        assert_eq!(connection().ask(&set, &cart()).decision, decision, "{action}");
    }
    let negative = json!({"to": [{"operation": {"notPaths": ["/x"]}}]});
    let set = Given::default().policy("shop/p", json!({"rules": [negative]})).set();
    assert_eq!(connection().ask(&set, &cart()).decision, Decision::Deny);
}
