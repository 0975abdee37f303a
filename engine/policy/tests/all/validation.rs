//! What is refused, where, and what to write instead.

use serde_json::{Value as Json, json};
use weir_policy::{Problem, Severity};

use crate::given::Given;

fn problems(given: &Given) -> Vec<Problem> {
    match given.compile() {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    }
}

fn policy(spec: Json) -> Vec<Problem> {
    problems(&Given::default().policy("shop/p", spec))
}

fn cel(spec: Json) -> Vec<Problem> {
    problems(&Given::default().cel("shop/p", spec))
}

/// The paths of the errors, in order.
fn paths(problems: &[Problem]) -> Vec<&str> {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors.map(|problem| problem.path.as_str()).collect()
}

#[test]
fn every_problem_is_named_with_its_place_and_a_way_out() {
    let found = policy(json!({
        "action": "DENY",
        "selector": {"matchLabels": {"app": "c*"}},
        "rules": [
            {"from": [], "to": [{"operation": {"ports": ["80", "http"], "paths": ["", "/a/{*}x"]}}]},
            {"from": [{"source": {}}], "when": [
                {"key": "request.header[x]", "values": ["a"]},
                {"key": "source.ip", "values": ["10.0.0.0/33"], "notValues": ["a.b"]},
                {"key": "source.principal"},
            ]},
        ],
    }));
    let expected = [
        "spec.selector.matchLabels[\"app\"]",
        "spec.rules[0].from",
        "spec.rules[0].to[0].operation.ports[1]",
        "spec.rules[0].to[0].operation.paths[0]",
        "spec.rules[0].to[0].operation.paths[1]",
        "spec.rules[1].from[0].source",
        "spec.rules[1].when[0].key",
        "spec.rules[1].when[1].values[0]",
        "spec.rules[1].when[1].notValues[0]",
        "spec.rules[1].when[2]",
    ];
    assert_eq!(paths(&found), expected);
    assert!(found.iter().all(|problem| problem.help.as_ref().is_some_and(|help| !help.is_empty())));
    assert_eq!(found[6].help.as_deref(), Some("did you mean request.headers[NAME]?"));
}

#[test]
fn a_field_that_does_not_belong_there_is_named() {
    let rows =
        [(json!({"provider": {"name": "x"}}), "provider"), (json!({"targetRef": {"kind": "Gateway"}}), "targetRef")];
    for (spec, name) in rows {
        let found = policy(spec.clone());
        assert!(!paths(&found).is_empty(), "{spec}");
        assert!(found.iter().any(|problem| problem.message.contains(name)), "{spec}: {found:#?}");
    }
}

#[test]
fn what_is_empty_is_named_and_the_way_out_is_one_that_the_field_takes() {
    let source = |source: Json| json!({"rules": [{"from": [{"source": source}]}]});
    let rows = [
        (json!({"rules": [{"from": []}]}), "`from` must not be empty", "remove the field to mean any"),
        (source(json!({})), "`source` must not be empty", "at least one field"),
        (json!({"rules": [{"to": [{}]}]}), "`operation` must not be empty", "at least one field"),
        (source(json!({"ipBlocks": [""]})), "found in ipBlocks", "0.0.0.0/0"),
        (source(json!({"serviceAccounts": [""]})), "found in serviceAccounts", "principals: [\"*\"]"),
        (source(json!({"namespaces": [""]})), "found in namespaces", "write \"*\""),
        (json!({"rules": [{"to": [{"operation": {"ports": [""]}}]}]}), "found in ports", "remove the list"),
        (json!({"action": "DENY", "rules": []}), "without `rules` is meaningless", "empty rule `{}`"),
        (json!({"action": "CUSTOM", "rules": [{}]}), "`provider.name` must not be empty", "`provider: {name: NAME}`"),
    ];
    for (spec, message, help) in rows {
        let found = policy(spec.clone());
        let [Problem { severity: Severity::Error, message: told, help: Some(way), .. }] = &found[..] else {
            panic!("{spec}: {found:#?}")
        };
        assert!(told.contains(message) && way.contains(help), "{spec}: {told}: {way}");
    }
}

#[test]
fn a_header_of_a_token_or_payload_may_have_any_name_and_one_of_a_claim_istios_alone() {
    let rows = [
        (json!({"fromHeaders": [{"name": "x.jwt"}]}), ""),
        (json!({"fromHeaders": [{"name": "x jwt"}]}), "fromHeaders[0].name"),
        (json!({"outputPayloadToHeader": "x.payload"}), ""),
        (json!({"outputPayloadToHeader": ":path"}), "outputPayloadToHeader"),
        (json!({"outputClaimToHeaders": [{"header": "X_sub-1", "claim": "sub"}]}), ""),
        (json!({"outputClaimToHeaders": [{"header": "x.sub", "claim": "sub"}]}), "outputClaimToHeaders[0].header"),
    ];
    for (mut rule, refused) in rows {
        (rule["issuer"], rule["jwksUri"]) = ("https://id".into(), "https://id/keys".into());
        let found = problems(&Given::default().authentication("shop/p", json!({"jwtRules": [rule]})));
        let refused = (!refused.is_empty()).then(|| format!("spec.jwtRules[0].{refused}"));
        assert_eq!(paths(&found), refused.iter().collect::<Vec<_>>(), "{rule}: {found:#?}");
    }
}

#[test]
fn a_selectors_value_is_no_longer_than_a_label_can_be() {
    for (length, refused) in [(63, false), (64, true)] {
        let found = policy(json!({"selector": {"matchLabels": {"app": "a".repeat(length)}}}));
        assert_eq!(!paths(&found).is_empty(), refused, "{length}: {found:#?}");
    }
}

#[test]
fn a_key_of_metadata_names_a_filter_and_a_key() {
    let when = |key: &str| json!({"rules": [{"when": [{"key": key, "values": ["a"]}]}]});
    for key in ["a[b]", "http.my_filter[b]", "a[b][c]", "a[b.c]"] {
        assert!(policy(when(&format!("experimental.envoy.filters.{key}"))).is_empty(), "{key}");
    }
    for key in ["a", "a[]", "[b]", "a[b", "a]b["] {
        let found = policy(when(&format!("experimental.envoy.filters.{key}")));
        assert_eq!(paths(&found), ["spec.rules[0].when[0].key"], "{key}");
        assert!(
            found[0].help.as_ref().unwrap().contains("experimental.envoy.filters.http.my_filter[key]"),
            "{found:#?}"
        );
    }
    let found = policy(when("experimental.envoy.filter.a[b]"));
    assert!(found[0].help.as_ref().unwrap().contains("experimental.envoy.filters"), "{found:#?}");
}

#[test]
fn a_dry_run_annotation_is_a_bool_as_go_reads_it() {
    for (value, refused) in [("true", false), ("1", false), ("maybe", true), ("yes", true), ("", true), ("F", false)] {
        let metadata = json!({"name": "p", "namespace": "shop", "annotations": {"istio.io/dry-run": value}});
        let resource = json!({"kind": "AuthorizationPolicy", "metadata": metadata, "spec": {"rules": [{}]}});
        let given = Given::default().resource(&resource).unwrap();
        assert_eq!(given.compile().is_err(), refused, "{value}");
    }
}

#[test]
fn unknown_fields_do_not_parse() {
    for spec in [
        json!({"rule": []}),
        json!({"rules": [{"form": []}]}),
        json!({"rules": [{"from": [{"source": {"principal": ["a"]}}]}]}),
        json!({"action": "allow"}),
    ] {
        let resource = json!({"kind": "AuthorizationPolicy", "metadata": {}, "spec": spec});
        assert!(Given::default().resource(&resource).is_err(), "{spec}");
    }
}

#[test]
fn what_is_surely_not_meant_is_warned_of() {
    let when = |key: &str, value: &str| json!({"rules": [{"when": [{"key": key, "values": [value]}]}]});
    let operation = |field: &str, value: &str| json!({"rules": [{"to": [{"operation": {field: [value]}}]}]});
    let rows = [
        (when("source.principal", "spiffe://td/ns/a/sa/b"), "td/ns/a/sa/b"),
        (when("connection.sni", "A.com"), "a.com"),
        (operation("methods", "get"), "GET"),
        (operation("paths", "admin"), "/admin"),
        (json!({"selector": {}}), "selector"),
        (json!({"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/a"]}}]}]}), "ports"),
    ];
    for (spec, help) in rows {
        let found = policy(spec.clone());
        let [Problem { severity: Severity::Warning, help: Some(given), .. }] = &found[..] else {
            panic!("{spec}: {found:#?}")
        };
        assert!(given.contains(help), "{spec}: {given}");
    }
}

#[test]
fn an_expression_is_refused_with_the_bytes_that_are_wrong() {
    let source = "request.methud == 'GET'";
    let found = cel(json!({"action": "DENY", "rules": [{"expression": source}]}));
    assert_eq!(paths(&found), ["spec.rules[0].expression"]);
    assert_eq!(source.get(found[0].span.clone().unwrap()), Some("request.methud"));
    assert!(found[0].help.as_ref().unwrap().contains("request.method"), "{found:#?}");
}

#[test]
fn an_expression_that_may_take_too_long_is_refused_before_any_request_pays_for_it() {
    let inner = "request.headers.all(c, a == b || b == c)";
    let source = format!("request.headers.all(a, request.headers.all(b, {inner}))");
    let found = cel(json!({"action": "DENY", "rules": [{"expression": source}]}));
    assert_eq!(paths(&found), ["spec.rules[0].expression"]);
    assert_eq!(source.get(found[0].span.clone().unwrap()), Some(inner));
    assert!(found[0].message.contains("the limit is 250,000: `all` is evaluated up to 10,000 times"), "{found:#?}");
    // Variables are a part of what reads them.
    let costly = "request.headers.map(k, request.headers[k])";
    let variables: Vec<Json> = (0..8).map(|index| json!({"name": format!("v{index}"), "expression": costly})).collect();
    let sum = "size(variables.v0 + variables.v1 + variables.v2 + variables.v3 + variables.v4 + variables.v5 + \
               variables.v6 + variables.v7) > 1";
    let found = cel(json!({"action": "DENY", "variables": variables, "rules": [{"expression": sum}]}));
    assert_eq!(paths(&found), ["spec.rules[0].expression"]);
    let error = found.iter().find(|problem| problem.severity == Severity::Error).unwrap();
    assert_eq!(sum.get(error.span.clone().unwrap()), Some("variables.v0"), "{found:#?}");
}

#[test]
fn a_rule_is_a_bool_and_a_message_a_string() {
    for (field, source) in [
        ("expression", "request.method"),
        ("expression", "dyn(true)"),
        ("messageExpression", "1"),
        ("messageExpression", "dyn('a')"),
    ] {
        let mut rule = json!({"expression": "true"});
        rule[field] = source.into();
        let found = cel(json!({"action": "DENY", "rules": [rule]}));
        assert_eq!(paths(&found), [format!("spec.rules[0].{field}")], "{source}");
        assert_eq!(found[0].span, Some(0..source.len()), "{source}");
    }
}

#[test]
fn variables_are_read_in_order_and_named_once() {
    let spec = |variables: Json, expression: &str| json!({"action": "ALLOW", "variables": variables, "rules": [{"expression": expression}]});
    let variable = |name: &str, expression: &str| json!({"name": name, "expression": expression});
    let good = json!([variable("a", "request.method"), variable("b", "variables.a + 'x'")]);
    assert_eq!(cel(spec(good, "variables.b == 'GETx'")), []);
    let rows = [
        (json!([variable("a", "variables.b"), variable("b", "'x'")]), "true", "spec.variables[0].expression"),
        (json!([variable("a", "variables.a")]), "true", "spec.variables[0].expression"),
        (json!([variable("a", "'x'"), variable("a", "'y'")]), "true", "spec.variables[1].name"),
        (json!([variable("a-b", "'x'")]), "true", "spec.variables[0].name"),
        (json!([variable("1", "'x'")]), "true", "spec.variables[0].name"),
        (json!([]), "variables.a == 'x'", "spec.rules[0].expression"),
    ];
    for (variables, expression, path) in rows {
        assert_eq!(paths(&cel(spec(variables.clone(), expression))), [path], "{variables}");
    }
    let broken = cel(spec(json!([variable("a", "nothing")]), "variables.a == 'x'"));
    assert_eq!(paths(&broken), ["spec.variables[0].expression"], "what reads a broken variable is no second problem");
    let early = cel(spec(json!([variable("a", "variables.b"), variable("b", "'x'")]), "true"));
    assert!(early[0].help.as_ref().unwrap().contains("move `b` up"), "{early:#?}");
}

#[test]
fn a_deny_that_can_fail_on_absence_is_warned_of_with_the_guarded_form() {
    let source = r#"request.headers["x-role"] == "admin""#;
    let rules = json!([{"expression": source}]);
    let found = cel(json!({"action": "DENY", "rules": rules}));
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].help.as_ref().unwrap().contains(r#""x-role" in request.headers && "#), "{found:#?}");
    assert_eq!(cel(json!({"action": "ALLOW", "rules": rules})), []);
    let hidden = json!({"action": "DENY", "variables": [{"name": "v", "expression": "source.principal"}],
        "rules": [{"expression": "variables.v == 'a'"}]});
    assert_eq!(cel(hidden)[0].path, "spec.variables[0].expression");
}

#[test]
fn the_answer_of_a_rule_is_checked() {
    let rule = |rule: Json| json!({"action": "DENY", "rules": [rule]});
    for status in [0, 200, 399, 600, 70000] {
        assert_eq!(paths(&cel(rule(json!({"expression": "true", "status": status})))), ["spec.rules[0].status"]);
    }
    for status in [400, 599] {
        assert_eq!(paths(&cel(rule(json!({"expression": "true", "status": status})))), [""; 0]);
    }
    let twice =
        json!({"action": "DENY", "rules": [{"name": "a", "expression": "true"}, {"name": "a", "expression": "true"}]});
    assert_eq!(paths(&cel(twice)), ["spec.rules[1].name"]);
    let allow = json!({"action": "ALLOW", "rules": [{"expression": "true", "status": 404, "message": "no"}]});
    assert_eq!(cel(allow).len(), 2, "an ALLOW rule answers nobody");
    assert_eq!(paths(&cel(json!({"action": "DENY"}))), ["spec.rules"]);
    assert_eq!(cel(json!({"action": "ALLOW"})), []);
}

#[test]
fn the_mesh_is_checked() {
    let spec = json!({"rootNamespace": "", "trustDomain": "spiffe://td", "trustDomainAliases": ["a", "*"], "numTrustedProxies": 65});
    let found = problems(&Given::default().mesh(&spec).unwrap());
    let expected = ["spec.rootNamespace", "spec.trustDomain", "spec.trustDomainAliases[1]", "spec.numTrustedProxies"];
    assert_eq!(paths(&found), expected);
}
