//! Dynamic metadata: `experimental.envoy.filters.FILTER[KEY]`, as Istio's generator cuts it and Envoy compares it.

use serde_json::{Value as Json, json};
use weir_attributes::slot;
use weir_policy::{Decision, PolicySet};

use crate::given::{Given, Request, cart, connection, request};

const KEY: &str = "experimental.envoy.filters.http.waf[score]";

fn set(action: &str, key: &str, field: &str, values: &Json) -> PolicySet {
    let rule = json!({"when": [{"key": key, field: values}]});
    Given::default().policy("shop/p", json!({"action": action, "rules": [rule]})).set()
}

fn said(value: &Json) -> Request {
    request("GET", "/").metadata(&json!({"envoy.filters.http.waf": {"score": value}}))
}

/// Values, what the filter says, and whether they match.
fn rows() -> Vec<(Json, Json, bool)> {
    vec![
        (json!(["high"]), json!("high"), true),
        (json!(["high"]), json!("High"), false),
        (json!(["high"]), json!(["high"]), false),
        (json!(["hi*"]), json!("high"), true),
        (json!(["*gh"]), json!("high"), true),
        (json!(["*"]), json!("high"), true),
        (json!(["*"]), json!(""), false),
        (json!(["*"]), json!(["high"]), false),
        (json!(["[high]"]), json!(["low", "high"]), true),
        (json!(["[high]"]), json!(["low"]), false),
        (json!(["[high]"]), json!([]), false),
        (json!(["[high]"]), json!("high"), false),
        (json!(["[hi*]"]), json!(["high"]), true),
        (json!(["[*]"]), json!(["high"]), true),
        (json!(["[*]"]), json!([""]), false),
        (json!(["[*]"]), json!([5, true, null, ["high"]]), false),
        (json!(["[[high]]"]), json!(["high"]), true),
        (json!(["[]"]), json!([""]), true),
        (json!(["[high", "low]"]), json!("[high"), true),
        (json!(["[high]", "low"]), json!("low"), true),
        (json!(["[high]", "low"]), json!(["high"]), true),
        (json!(["[high]", "low"]), json!(["low"]), false),
        (json!(["5"]), json!(5), false),
        (json!(["true"]), json!(true), false),
        (json!(["high"]), json!({"high": "high"}), false),
        (json!(["high"]), json!(null), false),
    ]
}

#[test]
fn a_text_is_compared_with_texts_and_a_list_with_values_in_brackets() {
    for (values, told, matches) in rows() {
        let (positive, negative) = (set("ALLOW", KEY, "values", &values), set("ALLOW", KEY, "notValues", &values));
        assert_eq!(said(&told).ask(&positive, &cart()).is_allow(), matches, "{values} of {told}");
        assert_eq!(said(&told).ask(&negative, &cart()).is_allow(), !matches, "not {values} of {told}");
    }
}

#[test]
fn what_no_filter_said_is_absent() {
    let absent = [
        request("GET", "/"),
        request("GET", "/").metadata(&json!({})),
        request("GET", "/").metadata(&json!({"envoy.filters.http.waf": {}})),
        request("GET", "/").metadata(&json!({"envoy.filters.http": {"waf": {"score": "high"}}})),
        request("GET", "/").metadata(&json!({"experimental.envoy.filters.http.waf": {"score": "high"}})),
    ];
    for asked in absent {
        for (action, field, decision) in [
            ("ALLOW", "values", Decision::Deny),
            ("ALLOW", "notValues", Decision::Allow),
            ("DENY", "values", Decision::Allow),
            ("DENY", "notValues", Decision::Deny),
        ] {
            let verdict = asked.clone().ask(&set(action, KEY, field, &json!(["*", "[*]"])), &cart());
            assert_eq!(verdict.decision, decision, "{action} {field} {asked:?}");
        }
    }
}

#[test]
fn the_key_is_what_stands_between_the_first_and_the_last_bracket() {
    let set = set("ALLOW", "experimental.envoy.filters.a[b][c]", "values", &json!(["x"]));
    let ask = |told: Json| request("GET", "/").metadata(&json!({"envoy.filters.a": told})).ask(&set, &cart());
    assert!(ask(json!({"b][c": "x"})).is_allow());
    assert!(!ask(json!({"b": {"c": "x"}})).is_allow(), "the generator makes one key of it, not a path");
}

#[test]
fn a_plain_connection_has_metadata_too() {
    let told = || connection().metadata(&json!({"envoy.filters.network.x": {"k": "v"}}));
    let key = "experimental.envoy.filters.network.x[k]";
    assert!(told().ask(&set("ALLOW", key, "values", &json!(["v"])), &cart()).is_allow());
    assert!(!told().ask(&set("DENY", key, "values", &json!(["v"])), &cart()).is_allow());
    assert!(told().ask(&set("DENY", key, "values", &json!(["w"])), &cart()).is_allow());
}

#[test]
fn a_verdict_depends_on_the_metadata_that_its_policies_name() {
    let reads = |key: &str| set("DENY", key, "values", &json!(["v"])).ruleset(&cart()).referenced().slots().to_vec();
    assert!(reads(KEY).contains(&slot::METADATA));
    assert!(!reads("request.headers[x]").contains(&slot::METADATA));
}

#[test]
fn a_custom_policy_may_ask_by_metadata() {
    let rule = json!({"when": [{"key": KEY, "values": ["high"]}]});
    let spec = json!({"action": "CUSTOM", "provider": {"name": "nobody"}, "rules": [rule]});
    let set = Given::default().policy("shop/p", spec).set();
    assert!(!said(&json!("high")).ask(&set, &cart()).is_allow());
    assert!(said(&json!("low")).ask(&set, &cart()).is_allow());
}
