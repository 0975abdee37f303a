//! PeerAuthentication: which mode holds, and whom STRICT denies.

use serde_json::{Value as Json, json};
use weir_attributes::slot;
use weir_policy::{Decision, ReasonCode, WorkloadIdentity, document::PeerMode};

use crate::given::{Given, cart, connection, request};

fn peer(given: Given, id: &str, created: &str, spec: &Json) -> Given {
    let (namespace, name) = id.split_once('/').unwrap();
    let metadata = json!({"namespace": namespace, "name": name, "creationTimestamp": created});
    given.resource(&json!({"kind": "PeerAuthentication", "metadata": metadata, "spec": spec})).unwrap()
}

fn workload() -> WorkloadIdentity {
    WorkloadIdentity::new(None, "shop", [("app".to_owned(), "web".to_owned())].into(), None)
}

fn mode(mode: &str) -> Json {
    json!({"mtls": {"mode": mode}})
}

fn web(spec: &Json) -> Json {
    let mut spec = spec.clone();
    spec["selector"] = json!({"matchLabels": {"app": "web"}});
    spec
}

#[test]
fn the_narrowest_scope_that_says_something_decides() {
    use PeerMode::{Disable, Permissive, Strict};
    let (old, new) = ("2020-01-01T00:00:00Z", "2024-01-01T00:00:00Z");
    type Documents = Vec<(&'static str, &'static str, Json)>;
    let rows: Vec<(Documents, PeerMode)> = vec![
        (vec![], Permissive),
        (vec![("istio-system/mesh", old, mode("STRICT"))], Strict),
        (vec![("istio-system/mesh", old, mode("STRICT")), ("shop/ns", old, mode("DISABLE"))], Disable),
        (vec![("istio-system/mesh", old, mode("STRICT")), ("shop/ns", old, mode("UNSET"))], Strict),
        (vec![("shop/ns", old, mode("STRICT")), ("shop/web", old, web(&mode("DISABLE")))], Disable),
        (vec![("shop/ns", old, mode("STRICT")), ("shop/web", old, web(&json!({})))], Strict),
        (vec![("other/ns", old, mode("STRICT"))], Permissive),
        (vec![("istio-system/web", old, web(&mode("STRICT")))], Permissive),
        (vec![("shop/a", new, mode("STRICT")), ("shop/b", old, mode("DISABLE"))], Disable),
        (vec![("shop/b", old, mode("STRICT")), ("shop/a", old, mode("DISABLE"))], Disable),
        (vec![("shop/ns", old, json!({"selector": {"matchLabels": {}}, "mtls": {"mode": "STRICT"}}))], Strict),
    ];
    for (documents, expected) in rows {
        let given = documents.iter().fold(Given::default(), |given, (id, at, spec)| peer(given, id, at, spec));
        assert_eq!(given.set().ruleset(&workload()).peer().mode(), expected, "{documents:?}");
    }
}

#[test]
fn nothing_said_is_told_apart_from_permissive() {
    let silent = Given::default().set();
    let silent = silent.ruleset(&workload());
    assert_eq!((silent.peer().said(), silent.peer().mode()), (PeerMode::Unset, PeerMode::Permissive));
    let ports = web(&json!({"portLevelMtls": {"80": {"mode": "STRICT"}, "90": {"mode": "UNSET"}}}));
    let set = peer(Given::default(), "shop/web", "", &ports).set();
    let ruleset = set.ruleset(&workload());
    let said = [80, 90, 100].map(|port| ruleset.peer().said_of_port(port));
    assert_eq!(said, [PeerMode::Strict, PeerMode::Unset, PeerMode::Unset]);
    assert_eq!(ruleset.peer().of_port(90), PeerMode::Permissive);
}

#[test]
fn ports_are_those_of_the_workloads_own_rule_and_inherit_when_unset() {
    let ports = json!({"80": {"mode": "DISABLE"}, "90": {"mode": "UNSET"}, "100": {"mode": ""}});
    let given = peer(Given::default(), "shop/ns", "", &mode("STRICT"));
    let set = peer(given, "shop/web", "", &web(&json!({"portLevelMtls": ports}))).set();
    let ruleset = set.ruleset(&workload());
    let modes = [80, 90, 100, 110].map(|port| ruleset.peer().of_port(port));
    assert_eq!(modes, [PeerMode::Disable, PeerMode::Strict, PeerMode::Strict, PeerMode::Strict]);
}

#[test]
fn strict_denies_whoever_is_not_authenticated_before_any_policy() {
    let given = peer(Given::default(), "shop/strict", "", &mode("STRICT"));
    let set = given.policy("shop/allow", json!({"rules": [{}]})).set();
    let denied = request("GET", "/").ask(&set, &cart());
    assert_eq!((denied.decision, denied.status), (Decision::Deny, 403));
    assert_eq!(denied.reason.code, ReasonCode::PeerNotAuthenticated);
    assert!(!connection().ask(&set, &cart()).is_allow(), "a connection without HTTP");
    assert!(request("GET", "/").from("td/ns/shop/sa/web").ask(&set, &cart()).is_allow());
    assert!(request("GET", "/").truth(slot::CONNECTION_MTLS, true).ask(&set, &cart()).is_allow());
    let reads = set.ruleset(&cart()).referenced().slots().to_vec();
    assert!(reads.contains(&slot::SOURCE_PRINCIPAL) && reads.contains(&slot::DESTINATION_PORT));
}

#[test]
fn a_port_that_nobody_told_is_the_strictest() {
    let spec = web(&json!({"portLevelMtls": {"9000": {"mode": "STRICT"}}}));
    let set = peer(Given::default(), "shop/web", "", &spec).set();
    let asked = |address: Option<&str>| {
        let asked = connection().text(slot::REQUEST_METHOD, "GET").text(slot::REQUEST_PATH, "/");
        let asked = address.into_iter().fold(asked, |asked, told| asked.text(slot::DESTINATION_ADDRESS, told));
        asked.ask(&set, &workload()).is_allow()
    };
    assert_eq!((asked(Some("10.0.0.1:8080")), asked(Some("10.0.0.1:9000")), asked(None)), (true, false, false));
}

#[test]
fn what_istio_refuses_is_refused() {
    for (spec, path) in [
        (json!({"portLevelMtls": {"80": {"mode": "STRICT"}}}), "spec.portLevelMtls"),
        (web(&json!({"portLevelMtls": {}})), "spec.portLevelMtls"),
        (web(&json!({"portLevelMtls": {"0": {}}})), "spec.portLevelMtls[\"0\"]"),
        (web(&json!({"portLevelMtls": {"65536": {}}})), "spec.portLevelMtls[\"65536\"]"),
    ] {
        let problems = peer(Given::default(), "shop/p", "", &spec).compile().unwrap_err();
        assert!(problems.iter().any(|problem| problem.path == path), "{spec}: {problems:#?}");
    }
    let unknown = json!({"kind": "PeerAuthentication", "metadata": {}, "spec": mode("ALWAYS")});
    assert!(Given::default().resource(&unknown).is_err());
}
