//! What observes without deciding (AUDIT, dry-run), and policies that are attached to gateways.

use serde_json::{Value as Json, json};
use weir_policy::{Decision, PolicySet, ReasonCode, Shadow, Verdict, WorkloadIdentity};

use crate::given::{Given, cart, request};

fn tried(given: Given, id: &str, spec: &Json) -> Given {
    let (namespace, name) = id.split_once('/').unwrap();
    let metadata = json!({"namespace": namespace, "name": name, "annotations": {"istio.io/dry-run": "true"}});
    given.resource(&json!({"kind": "AuthorizationPolicy", "metadata": metadata, "spec": spec})).unwrap()
}

fn get() -> Json {
    json!([{"to": [{"operation": {"methods": ["GET"]}}]}])
}

fn ask(set: &PolicySet, method: &str) -> Verdict {
    request(method, "/").ask(set, &cart())
}

fn told(shadow: Option<&Shadow>) -> Option<(Decision, Option<&str>)> {
    shadow.map(|shadow| (shadow.decision, shadow.policy.as_deref()))
}

#[test]
fn an_audit_policy_marks_and_never_decides() {
    let set = Given::default().policy("shop/watch", json!({"action": "AUDIT", "rules": get()})).set();
    let verdict = ask(&set, "GET");
    assert_eq!((verdict.decision, verdict.reason.code), (Decision::Allow, ReasonCode::NoPolicy));
    assert_eq!(verdict.audit.iter().map(|mark| &*mark.policy).collect::<Vec<_>>(), ["shop/watch"]);
    assert!(ask(&set, "PUT").audit.is_empty());
}

#[test]
fn a_dry_run_policy_says_what_it_would_have_decided_and_decides_nothing() {
    let given = tried(Given::default(), "shop/deny", &json!({"action": "DENY", "rules": get()}));
    let set = tried(given, "shop/allow", &json!({"rules": get()})).set();
    let verdict = ask(&set, "GET");
    assert_eq!((verdict.decision, verdict.reason.code), (Decision::Allow, ReasonCode::NoPolicy), "no default deny");
    let shadows = verdict.shadows.unwrap();
    assert_eq!(told(shadows.deny.as_ref()), Some((Decision::Deny, Some("shop/deny"))));
    assert_eq!(told(shadows.allow.as_ref()), Some((Decision::Allow, Some("shop/allow"))), "the sides are independent");
    let shadows = ask(&set, "PUT").shadows.unwrap();
    assert_eq!(told(shadows.deny.as_ref()), Some((Decision::Allow, None)));
    assert_eq!(told(shadows.allow.as_ref()), Some((Decision::Deny, None)), "it would have been denied by default");
}

#[test]
fn one_side_alone_has_one_result_and_enforced_policies_have_none() {
    let set = tried(Given::default(), "shop/allow", &json!({"rules": get()}))
        .policy("shop/enforced", json!({"action": "DENY", "rules": get()}))
        .set();
    let verdict = ask(&set, "GET");
    assert_eq!(verdict.reason.code, ReasonCode::DeniedByRule);
    let shadows = verdict.shadows.unwrap();
    assert_eq!((shadows.deny.is_some(), told(shadows.allow.as_ref()).unwrap().0), (false, Decision::Allow));
    let enforced = Given::default().policy("shop/enforced", json!({"action": "DENY", "rules": get()})).set();
    assert_eq!(ask(&enforced, "GET").shadows, None);
}

#[test]
fn only_allow_and_deny_can_be_tried() {
    for action in ["AUDIT", "CUSTOM"] {
        let spec = json!({"action": action, "rules": [{}]});
        let problems = tried(Given::default(), "shop/p", &spec).compile().unwrap_err();
        assert!(problems.iter().any(|problem| problem.path.contains("dry-run")), "{action}: {problems:#?}");
    }
}

#[test]
fn an_attached_policy_is_about_its_gateway_and_no_sidecar() {
    const NAME: &str = "gateway.networking.k8s.io/gateway-name";
    const CLASS: &str = "gateway.networking.k8s.io/gateway-class-name";
    let target = |kind: &str, name: &str| json!({"group": "gateway.networking.k8s.io", "kind": kind, "name": name});
    let deny = |target: Json| json!({"action": "DENY", "targetRefs": [target], "rules": [{}]});
    let service = json!({"kind": "Service", "name": "edge"});
    let set = Given::default()
        .policy("shop/gateway", deny(target("Gateway", "edge")))
        .policy("istio-system/class", deny(target("GatewayClass", "public")))
        .policy("shop/service", deny(service))
        .set();
    let asked = |namespace: &str, labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let verdict = request("GET", "/").ask(&set, &WorkloadIdentity::new(None, namespace, labels, None));
        verdict.reason.policy.map(|policy| policy.to_string())
    };
    assert_eq!(asked("shop", &[]), None, "a sidecar");
    assert_eq!(asked("shop", &[(NAME, "edge")]).as_deref(), Some("shop/gateway"));
    assert_eq!(asked("shop", &[(NAME, "other")]), None);
    assert_eq!(asked("other", &[(NAME, "edge")]), None, "references never cross namespaces");
    assert_eq!(asked("other", &[(NAME, "x"), (CLASS, "public")]).as_deref(), Some("istio-system/class"));
}

#[test]
fn a_selecting_policy_is_not_about_waypoints() {
    let set = Given::default().policy("shop/all", json!({"action": "DENY", "rules": [{}]})).set();
    let labels = [("gateway.networking.k8s.io/gateway-class-name".to_owned(), "istio-waypoint".to_owned())];
    let waypoint = WorkloadIdentity::new(None, "shop", labels.into(), None);
    assert!(request("GET", "/").ask(&set, &waypoint).is_allow());
    assert!(!ask(&set, "GET").is_allow());
}
