//! Order and defaults, what a denial says, and check adapters.

use std::time::Duration;

use serde_json::json;
use weir_policy::{Answer, Ask, DENIED, Decision, Evaluation, Keys, REUSE, ReasonCode, Step, Text};

use crate::given::{Given, cart, request};

fn path(path: &str) -> serde_json::Value {
    json!({"to": [{"operation": {"paths": [path]}}]})
}

#[test]
fn empty_shapes_mean_what_istio_says() {
    let rows = [
        (json!({}), ReasonCode::DefaultDeny),
        (json!({"action": "ALLOW", "rules": []}), ReasonCode::DefaultDeny),
        (json!({"rules": [{}]}), ReasonCode::AllowedByRule),
        (json!({"action": "DENY", "rules": [{}]}), ReasonCode::DeniedByRule),
        (json!({"selector": {"matchLabels": {"app": "other"}}}), ReasonCode::NoPolicy),
        (json!({"action": "DENY", "rules": [{"from": [{"source": {"principals": ["x"]}}]}]}), ReasonCode::NotDenied),
    ];
    for (spec, code) in rows {
        let verdict = request("GET", "/").ask(&Given::default().policy("shop/p", spec.clone()).set(), &cart());
        assert_eq!(verdict.reason.code, code, "{spec}");
    }
}

#[test]
fn deny_wins_over_allow() {
    let given = Given::default()
        .policy("shop/allow", json!({"rules": [{}]}))
        .policy("shop/deny", json!({"action": "DENY", "rules": [path("/admin")]}));
    let set = given.set();
    let verdict = request("GET", "/admin").ask(&set, &cart());
    assert_eq!((verdict.decision, verdict.status, verdict.message.as_str()), (Decision::Deny, 403, DENIED));
    assert_eq!(verdict.reason.policy.as_deref(), Some("shop/deny"));
    assert_eq!(verdict.reason.rule.map(|rule| rule.index), Some(0));
    assert!(request("GET", "/").ask(&set, &cart()).is_allow());
}

#[test]
fn an_allowing_cel_policy_turns_default_deny_on_and_joins_the_others() {
    let given = Given::default()
        .cel("shop/cel", json!({"action": "ALLOW", "rules": [{"expression": "request.method == 'GET'"}]}))
        .policy("shop/post", json!({"rules": [{"to": [{"operation": {"methods": ["POST"]}}]}]}));
    let set = given.set();
    for (method, code) in
        [("GET", ReasonCode::AllowedByRule), ("POST", ReasonCode::AllowedByRule), ("PUT", ReasonCode::DefaultDeny)]
    {
        assert_eq!(request(method, "/").ask(&set, &cart()).reason.code, code, "{method}");
    }
}

#[test]
fn a_cel_denial_has_the_rules_status_and_message() {
    let rules = json!([
        {"name": "plain", "expression": "request.url_path == '/plain'"},
        {"name": "told", "expression": "request.url_path == '/told'", "message": "not today", "status": 429},
        {"name": "computed", "expression": "request.url_path == '/computed'", "message": "fallback",
         "messageExpression": "'no ' + request.headers['x-what']"},
    ]);
    let set = Given::default().cel("shop/p", json!({"action": "DENY", "rules": rules})).set();
    let ask = |path: &str, what: Option<&str>| {
        let mut asked = request("GET", path);
        if let Some(what) = what {
            asked = asked.header("x-what", what);
        }
        let verdict = asked.ask(&set, &cart());
        (verdict.status, verdict.message.to_string(), verdict.reason.rule.unwrap().to_string())
    };
    let owned = |status, message: &str, rule: &str| (status, message.to_owned(), rule.to_owned());
    assert_eq!(ask("/plain", None), owned(403, DENIED, "plain"));
    assert_eq!(ask("/told", None), owned(429, "not today", "told"));
    assert_eq!(ask("/computed", Some("bread")), owned(403, "no bread", "computed"));
    assert_eq!(ask("/computed", None), owned(403, "fallback", "computed"));
    let (_, long, _) = ask("/computed", Some(&"é".repeat(5000)));
    assert!(long.len() <= 4096 && long.starts_with("no é"));
}

#[test]
fn audit_marks_never_change_the_decision() {
    let audit = json!({"action": "AUDIT", "rules": [{"name": "seen", "expression": "true"}]});
    let denied = Given::default()
        .cel("shop/audit", audit.clone())
        .policy("shop/deny", json!({"action": "DENY", "rules": [{}]}))
        .set();
    let silent = Given::default().cel("shop/audit", audit).set();
    for (set, code) in [(denied, ReasonCode::DeniedByRule), (silent, ReasonCode::NoPolicy)] {
        let verdict = request("GET", "/").ask(&set, &cart());
        assert_eq!(verdict.reason.code, code);
        let marks: Vec<_> = verdict.audit.iter().map(|mark| (&*mark.policy, mark.rule.to_string())).collect();
        assert_eq!(marks, [("shop/audit", "seen".to_owned())]);
    }
}

#[test]
fn scope_is_the_namespace_the_root_namespace_and_the_selector() {
    let deny = json!({"action": "DENY", "rules": [{}]});
    let selected = |app: &str| json!({"action": "DENY", "rules": [{}], "selector": {"matchLabels": {"app": app}}});
    for (id, spec, applies) in [
        ("shop/p", deny.clone(), true),
        ("other/p", deny.clone(), false),
        ("istio-system/p", deny.clone(), true),
        ("shop/p", selected("cart"), true),
        ("shop/p", selected("front"), false),
        ("istio-system/p", selected("front"), false),
    ] {
        let set = Given::default().policy(id, spec.clone()).set();
        assert_eq!(!request("GET", "/").ask(&set, &cart()).is_allow(), applies, "{id} {spec}");
    }
    let moved = Given::default().mesh(&json!({"rootNamespace": "root"})).unwrap();
    assert!(request("GET", "/").ask(&moved.clone().policy("istio-system/p", deny.clone()).set(), &cart()).is_allow());
    assert!(!request("GET", "/").ask(&moved.policy("root/p", deny).set(), &cart()).is_allow());
}

#[test]
fn workloads_with_the_same_policies_share_a_ruleset() {
    let given = Given::default()
        .policy("shop/all", json!({"rules": [{}]}))
        .policy("shop/cart", json!({"rules": [{}], "selector": {"matchLabels": {"app": "cart"}}}));
    let set = given.set();
    let other = |name| weir_policy::WorkloadIdentity::new(Some(name), "shop", Default::default(), None);
    let (a, b) = (set.ruleset(&other("a")), set.ruleset(&other("b")));
    assert!(std::sync::Arc::ptr_eq(&a, &b));
    let cart = cart();
    assert!(!std::sync::Arc::ptr_eq(&a, &set.ruleset(&cart)));
    assert_eq!(set.ruleset(&cart).policies().map(|id| &**id).collect::<Vec<_>>(), ["shop/all", "shop/cart"]);
    let later = Given::default().set();
    assert_eq!(later.ruleset(&cart).policies().count(), 0, "a workload's ruleset belongs to one set");
    assert_eq!(set.ruleset(&cart).policies().count(), 2);
}

#[test]
fn the_referenced_set_is_everything_that_can_be_read() {
    let given = Given::default()
        .policy("shop/p", json!({"rules": [{"when": [{"key": "request.headers[X-Role]", "values": ["a"]}]}, path("/a")]}))
        .cel("shop/c", json!({"action": "DENY", "rules": [{"expression": r#""x-b" in request.headers && request.method == "PUT""#}]}));
    let set = given.set();
    let ruleset = set.ruleset(&cart());
    let referenced = ruleset.referenced();
    let names: Vec<_> = referenced.slots().iter().map(|slot| slot.attribute().name).collect();
    assert_eq!(names, ["request.method", "request.url_path"]);
    assert_eq!(referenced.headers().iter().map(|name| &**name).collect::<Vec<_>>(), ["x-b", "x-role"]);
    assert!(!referenced.all_headers() && !referenced.volatile());
    assert_eq!(request("GET", "/").ask(&set, &cart()).ttl, Some(REUSE));
}

#[test]
fn what_reads_a_volatile_attribute_is_never_reused() {
    let rules = json!([{"expression": "has(request.time) && request.time > timestamp('2100-01-01T00:00:00Z')"}]);
    let set = Given::default().cel("shop/p", json!({"action": "DENY", "rules": rules})).set();
    assert!(set.ruleset(&cart()).referenced().volatile());
    assert_eq!(request("GET", "/").ask(&set, &cart()).ttl, None);
}

fn adapters() -> (weir_policy::PolicySet, weir_policy::WorkloadIdentity, weir_attributes::Bag) {
    let given = Given::default()
        .policy("shop/p", json!({"action": "DENY", "rules": [path("/admin")]}))
        .adapter("shop/first")
        .adapter("istio-system/second")
        .adapter("other/third");
    let (set, workload) = (given.set(), cart());
    let bag = request("GET", "/").bag(&set, &workload);
    (set, workload, bag)
}

fn allow(ttl: Option<u64>) -> Answer {
    Answer::Allow { ttl: ttl.map(Duration::from_secs), max_uses: None, headers: Vec::new() }
}

#[test]
fn adapters_are_asked_in_order_after_an_allow() {
    let (set, workload, mut bag) = adapters();
    let Step::Ask(Ask::Adapter { binding: 0, name }, evaluation) = start(&set.ruleset(&workload), &bag) else {
        panic!("the first adapter is not asked")
    };
    assert_eq!(&*name, "shop/first");
    let Step::Ask(Ask::Adapter { binding: 1, .. }, evaluation) =
        evaluation.resume(allow(Some(5)), &mut bag, &Keys::default())
    else {
        panic!("the second adapter is not asked")
    };
    let Step::Done(verdict) = evaluation.resume(allow(Some(9)), &mut bag, &Keys::default()) else {
        panic!("a third adapter is asked")
    };
    assert!(verdict.is_allow());
    assert_eq!(verdict.ttl, Some(Duration::from_secs(5)));
}

#[test]
fn a_denied_request_asks_no_adapter() {
    let (set, workload, _) = adapters();
    assert!(!request("GET", "/admin").ask(&set, &workload).is_allow());
}

#[test]
fn an_adapter_decides_by_its_answer_and_fails_closed() {
    let (set, workload, mut bag) = adapters();
    let answers = [
        (allow(None), None),
        (Answer::Failed { detail: Text::Static("trap"), fail_open: true }, None),
        (Answer::Failed { detail: Text::Static("trap"), fail_open: false }, Some((403, ReasonCode::AdapterFailed))),
        (deny(418), Some((418, ReasonCode::Adapter))),
        (deny(200), Some((403, ReasonCode::Adapter))),
    ];
    for (answer, denial) in answers {
        let Step::Ask(_, evaluation) = start(&set.ruleset(&workload), &bag) else { panic!("not asked") };
        match (evaluation.resume(answer.clone(), &mut bag, &Keys::default()), denial) {
            (Step::Ask(_, evaluation), None) => {
                let Step::Done(verdict) = evaluation.resume(allow(Some(5)), &mut bag, &Keys::default()) else {
                    panic!("asked again")
                };
                assert_eq!((verdict.decision, verdict.ttl), (Decision::Allow, None), "{answer:?}");
            }
            (Step::Done(verdict), Some((status, code))) => {
                assert_eq!((verdict.status, verdict.reason.code), (status, code), "{answer:?}");
                assert_eq!(verdict.reason.policy.as_deref(), Some("shop/first"));
            }
            (step, _) => panic!("{answer:?} led to {step:?}"),
        }
    }
}

fn deny(status: u16) -> Answer {
    Answer::Deny { status, message: None, ttl: None, max_uses: None, headers: Vec::new() }
}

fn start(ruleset: &std::sync::Arc<weir_policy::Ruleset>, bag: &weir_attributes::Bag) -> Step {
    Evaluation::start(ruleset, &mut bag.clone(), 0, &weir_policy::Keys::default())
}
