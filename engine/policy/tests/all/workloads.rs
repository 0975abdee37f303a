//! Which workload a check is about, and what is derived for it.

use serde_json::json;
use weir_attributes::{Bag, slot};
use weir_policy::{Claim, InvalidPath, PolicySet, UnknownWorkload, Verdict, prepare};

use crate::given::{Given, cart};

fn set() -> PolicySet {
    Given::default()
        .workload(
            "shop/cart",
            json!({"labels": {"app": "cart"}, "principals": ["td/ns/shop/sa/cart"], "addresses": ["10.0.0.1:8080"]}),
        )
        .workload("shop/front", json!({"addresses": ["10.0.0.1", "2001:db8::1"]}))
        .workload("other/cart", json!({}))
        .set()
}

#[test]
fn the_first_claim_that_is_given_decides() {
    let set = set();
    let none = Claim::default();
    let principal = Claim { principal: Some("spiffe://td/ns/shop/sa/cart"), ..none };
    let rows = [
        (Claim { workload: Some("shop/cart"), ..principal }, "shop/cart"),
        (Claim { workload: Some("front"), ..principal }, "shop/front"),
        (principal, "shop/cart"),
        (Claim { address: Some("10.0.0.1:9"), ..principal }, "shop/cart"),
        (Claim { address: Some("10.0.0.1:8080"), ..none }, "shop/cart"),
        (Claim { address: Some("10.0.0.1:9"), ..none }, "shop/front"),
        (Claim { address: Some("[::ffff:10.0.0.1]:9"), ..none }, "shop/front"),
        (Claim { address: Some("[2001:db8::1]:80"), ..none }, "shop/front"),
        (Claim { principal: Some("td/ns/x/sa/y"), default: Some("other/cart"), ..none }, "other/cart"),
    ];
    for (claim, expected) in rows {
        let found = set.workloads().resolve(&claim).unwrap_or_else(|error| panic!("{claim:?}: {error}"));
        assert_eq!(format!("{}/{}", found.namespace, found.name.as_deref().unwrap()), expected, "{claim:?}");
    }
}

#[test]
fn a_proxy_may_describe_a_workload() {
    let set = set();
    let claim = Claim { namespace: Some("shop"), labels: Some("app=cart, tier=a"), ..Claim::default() };
    let found = set.workloads().resolve(&claim).unwrap();
    assert_eq!((found.name.as_deref(), &*found.namespace, found.labels.len()), (None, "shop", 2));
    assert!(std::sync::Arc::ptr_eq(&found, &set.workloads().resolve(&claim).unwrap()));
    let bare = Claim { namespace: Some("shop"), ..Claim::default() };
    assert!(set.workloads().resolve(&bare).unwrap().labels.is_empty());
}

#[test]
fn a_claim_that_leads_to_nothing_says_what_came() {
    let set = set();
    let none = Claim::default();
    let rows = [
        (Claim { workload: Some("nobody"), principal: Some("td/ns/shop/sa/cart"), ..none }, "nobody"),
        (Claim { workload: Some("cart"), ..none }, "several"),
        (Claim { workload: Some("shop/cart"), namespace: Some("shop"), ..none }, "both"),
        (Claim { namespace: Some(""), ..none }, "weir.namespace came empty"),
        (Claim { labels: Some("a=b"), ..none }, "without weir.namespace"),
        (Claim { namespace: Some("shop"), labels: Some("a"), ..none }, "\"a\""),
        (Claim { namespace: Some("shop"), labels: Some("a=b,a=c"), ..none }, "\"a=c\""),
        (Claim { principal: Some("td/x"), address: Some("1.2.3.4:5"), ..none }, "td/x"),
        (Claim { default: Some("gone"), ..none }, "--default-workload"),
        (none, "weir.workload"),
    ];
    for (claim, says) in rows {
        let error: UnknownWorkload = set.workloads().resolve(&claim).unwrap_err();
        assert!(error.to_string().contains(says), "{claim:?}: {error}");
    }
}

#[test]
fn a_principal_or_address_of_two_workloads_is_refused() {
    let given = Given::default()
        .workload("a/one", json!({"principals": ["td/ns/a/sa/b"], "addresses": ["10.0.0.1"]}))
        .workload("a/two", json!({"principals": ["td/ns/a/sa/b"], "addresses": ["::ffff:10.0.0.1", "host:80"]}));
    let paths: Vec<_> = given.compile().unwrap_err().into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["spec.principals[0]", "spec.addresses[0]", "spec.addresses[1]"]);
}

#[test]
fn what_follows_from_the_request_is_derived() {
    let set = Given::default().mesh(&json!({"numTrustedProxies": 1})).unwrap().set();
    let mut bag = Bag::builder()
        .text(slot::REQUEST_METHOD, "POST")
        .text(slot::REQUEST_PATH, "/a/b?x=1?y")
        .text(slot::SOURCE_ADDRESS, "[::ffff:10.0.0.7]:40000")
        .text(slot::DESTINATION_ADDRESS, "[2001:db8::1]:8080")
        .text(slot::SOURCE_PRINCIPAL, "spiffe://td/ns/front/sa/web")
        .header("User-Agent", "curl")
        .header("Content-Type", "application/grpc+proto")
        .header("X-Forwarded-For", "1.1.1.1, 2.2.2.2")
        .build();
    let doubts = prepare(&mut bag, set.mesh(), &cart()).unwrap();
    assert!(!doubts.path && !doubts.headers);
    let texts = [
        (slot::REQUEST_URL_PATH, "/a/b"),
        (slot::REQUEST_QUERY, "x=1?y"),
        (slot::REQUEST_USERAGENT, "curl"),
        (slot::CONTEXT_PROTOCOL, "grpc"),
        (slot::SOURCE_IP, "10.0.0.7"),
        (slot::SOURCE_PRINCIPAL, "td/ns/front/sa/web"),
        (slot::SOURCE_NAMESPACE, "front"),
        (slot::SOURCE_SERVICE_ACCOUNT, "web"),
        (slot::REMOTE_IP, "2.2.2.2"),
        (slot::DESTINATION_IP, "2001:db8::1"),
        (slot::DESTINATION_NAMESPACE, "shop"),
        (slot::DESTINATION_WORKLOAD, "cart"),
        (slot::DESTINATION_SERVICE_ACCOUNT, "cart"),
    ];
    for (slot, expected) in texts {
        assert_eq!(bag.str(slot), Some(expected), "{}", slot.attribute().name);
    }
    assert_eq!((bag.int(slot::SOURCE_PORT), bag.int(slot::DESTINATION_PORT)), (Some(40000), Some(8080)));
}

#[test]
fn a_path_that_cannot_be_normalized_is_answered_400() {
    let set = Given::default().set();
    for (target, error) in [
        ("*", InvalidPath::NotAbsolute),
        ("admin", InvalidPath::NotAbsolute),
        ("\\admin", InvalidPath::NotAbsolute),
        ("ftp://x/admin", InvalidPath::NotAbsolute),
        ("/a%00b", InvalidPath::EscapedNul),
        ("/é", InvalidPath::RawByte),
        ("/a b", InvalidPath::RawByte),
        ("/a?b\u{7f}", InvalidPath::RawByte),
    ] {
        let mut bag = Bag::builder().text(slot::REQUEST_PATH, target).build();
        assert_eq!(prepare(&mut bag, set.mesh(), &cart()), Err(error), "{target:?}");
        let verdict = Verdict::invalid_path(error);
        assert_eq!((verdict.status, verdict.is_allow()), (400, false));
    }
}
