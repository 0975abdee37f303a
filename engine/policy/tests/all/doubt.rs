//! Doubt never allows: joined header lines and paths that the proxy did not normalize.

use serde_json::json;
use weir_attributes::slot;
use weir_policy::{Decision, ReasonCode, prepare};

use crate::given::{Given, cart, request};

const ROLE: &str = "request.headers[x-role]";

fn when(action: &str, field: &str, value: &str) -> Given {
    Given::default().policy("shop/p", json!({"action": action, "rules": [{"when": [{"key": ROLE, field: [value]}]}]}))
}

#[test]
fn joined_lines_deny_when_any_reading_does_and_allow_only_when_all_do() {
    // value of the joined header; the decision and whether doubt decided, for each kind of condition on `admin`
    let rows = [
        ("admin", "DENY", "values", Decision::Deny, false),
        ("user,admin", "DENY", "values", Decision::Deny, true),
        ("user", "DENY", "values", Decision::Allow, false),
        ("user,other", "DENY", "values", Decision::Allow, false),
        ("user,admin", "DENY", "notValues", Decision::Deny, true),
        ("admin", "ALLOW", "values", Decision::Allow, false),
        ("user,admin", "ALLOW", "values", Decision::Deny, true),
        ("user,other", "ALLOW", "values", Decision::Deny, false),
        ("user,admin", "ALLOW", "notValues", Decision::Deny, true),
        ("user,other", "ALLOW", "notValues", Decision::Allow, false),
    ];
    for (value, action, field, decision, in_doubt) in rows {
        let set = when(action, field, "admin").set();
        let verdict = request("GET", "/").header("x-role", value).joined_by_proxy().ask(&set, &cart());
        assert_eq!((verdict.decision, verdict.reason.in_doubt), (decision, in_doubt), "{action} {field} for {value}");
    }
}

#[test]
fn separate_lines_are_no_doubt_and_any_hit_matches() {
    for (action, decision) in [("DENY", Decision::Deny), ("ALLOW", Decision::Allow)] {
        let set = when(action, "values", "admin").set();
        let verdict = request("GET", "/").header("x-role", "user").header("x-role", "admin").ask(&set, &cart());
        assert_eq!((verdict.decision, verdict.reason.in_doubt), (decision, false), "{action}");
        let one_line = request("GET", "/").header("x-role", "user,admin").ask(&set, &cart());
        assert_ne!(one_line.decision, decision, "{action}: a line with a comma is one value");
    }
}

#[test]
fn a_path_that_the_proxy_did_not_normalize_is_judged_as_both() {
    let deny = Given::default()
        .policy("shop/p", json!({"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/admin"]}}]}]}));
    let allow =
        Given::default().policy("shop/p", json!({"rules": [{"to": [{"operation": {"paths": ["/public/*"]}}]}]}));
    let both = Given::default().policy(
        "shop/p",
        json!({"rules": [
            {"to": [{"operation": {"paths": ["/public/*"]}}]},
            {"to": [{"operation": {"paths": ["/admin"]}}]},
        ]}),
    );
    for (given, decision, in_doubt) in
        [(deny, Decision::Deny, true), (allow, Decision::Deny, true), (both, Decision::Allow, false)]
    {
        let verdict = request("GET", "/public/../admin?q=1").ask(&given.set(), &cart());
        assert_eq!((verdict.decision, verdict.reason.in_doubt), (decision, in_doubt));
    }
}

#[test]
fn a_door_that_normalized_the_path_itself_leaves_no_doubt() {
    let set = Given::default().set();
    let mut bag = weir_attributes::Bag::builder()
        .text(slot::REQUEST_PATH, "/x/..;/admin?q")
        .text(slot::REQUEST_URL_PATH, "/x/..;/admin")
        .build();
    assert!(!prepare(&mut bag, set.mesh(), &cart()).unwrap().path);
    assert_eq!((bag.paths(), bag.str(slot::REQUEST_QUERY)), (1, Some("q")));
    bag.set_text(slot::REQUEST_URL_PATH, "/harmless");
    assert!(prepare(&mut bag, set.mesh(), &cart()).unwrap().path);
    assert_eq!((bag.paths(), bag.str(slot::REQUEST_URL_PATH)), (2, Some("/admin")));
}

#[test]
fn an_expression_is_asked_for_every_reading_of_the_lines_that_it_reads() {
    let any = r#"request.headers_all["x-role"].exists(role, role == "admin")"#;
    for (value, action, decision, in_doubt) in [
        ("user,admin", "DENY", Decision::Deny, true),
        ("user,other", "DENY", Decision::Allow, false),
        ("admin", "ALLOW", Decision::Allow, false),
        ("user,admin", "ALLOW", Decision::Deny, true),
    ] {
        let set = Given::default().cel("shop/p", json!({"action": action, "rules": [{"expression": any}]})).set();
        let verdict = request("GET", "/").header("x-role", value).joined_by_proxy().ask(&set, &cart());
        assert_eq!((verdict.decision, verdict.reason.in_doubt), (decision, in_doubt), "{action} for {value}");
    }
}

#[test]
fn more_commas_than_can_be_tried_are_an_error() {
    let any = r#"request.headers_all["x"].exists(x, x == "never")"#;
    let set = Given::default().cel("shop/p", json!({"action": "DENY", "rules": [{"expression": any}]})).set();
    let ask = |commas: usize| request("GET", "/").header("x", &",".repeat(commas)).joined_by_proxy().ask(&set, &cart());
    assert_eq!(ask(weir_attributes::SPLITS_MAX as usize).reason.code, ReasonCode::NotDenied);
    assert_eq!(ask(weir_attributes::SPLITS_MAX as usize + 1).reason.code, ReasonCode::ErrorInRule);
}

#[test]
fn all_readings_together_may_take_what_one_evaluation_may() {
    // About 60 * 60 steps in each reading.
    let slow = r#"request.headers_all["x"].exists(x, x == "never") || request.headers_all["y"].exists(a,
        request.headers_all["y"].exists(b, a + b == "never"))"#;
    let ask = |action: &str, commas: usize| {
        let set = Given::default().cel("shop/p", json!({"action": action, "rules": [{"expression": slow}]})).set();
        let many = (0..60).fold(request("GET", "/"), |request, n| request.header("y", &n.to_string()));
        many.header("x", &",".repeat(commas)).joined_by_proxy().ask(&set, &cart())
    };
    let reading = ask("DENY", 1);
    assert_eq!(reading.reason.code, ReasonCode::NotDenied, "two readings are within the budget");
    let all = ask("DENY", weir_attributes::SPLITS_MAX as usize);
    assert_eq!((all.decision, all.reason.code), (Decision::Deny, ReasonCode::ErrorInRule));
    assert_eq!(ask("ALLOW", weir_attributes::SPLITS_MAX as usize).reason.code, ReasonCode::DefaultDeny);
}

#[test]
fn variables_are_evaluated_anew_in_every_reading() {
    let spec = json!({
        "action": "DENY",
        "variables": [
            {"name": "last", "expression": r#"request.headers_all["x"][size(request.headers_all["x"]) - 1]"#},
            {"name": "path", "expression": "request.url_path"},
        ],
        "rules": [
            {"name": "other", "expression": "variables.path == \"/never\""},
            {"name": "line", "expression": "variables.last == \"b\""},
            {"name": "path", "expression": "variables.path == \"/admin\""},
        ],
    });
    let set = Given::default().cel("shop/p", spec).set();
    let rule = |target: &str, value: &str| {
        let verdict = request("GET", target).header("x", value).joined_by_proxy().ask(&set, &cart());
        verdict.reason.rule.map(|rule| rule.to_string())
    };
    assert_eq!(rule("/", "a,b").as_deref(), Some("line"));
    assert_eq!(rule("/", "a").as_deref(), None);
    assert_eq!(rule("/x/../admin", "a").as_deref(), Some("path"));
}

#[test]
fn joined_headers_in_an_expression_are_joined_by_definition() {
    let joined = r#"request.headers["x-role"] == "user,admin""#;
    let set = Given::default().cel("shop/p", json!({"action": "ALLOW", "rules": [{"expression": joined}]})).set();
    assert!(request("GET", "/").header("x-role", "user,admin").joined_by_proxy().ask(&set, &cart()).is_allow());
    assert!(request("GET", "/").header("x-role", "user").header("x-role", "admin").ask(&set, &cart()).is_allow());
}
