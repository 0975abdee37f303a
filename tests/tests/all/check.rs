//! A request is decided by the policies, and the proxy obeys.

use crate::story;
use weir_tests::client::{Call, Caller};
use weir_tests::house::{House, Plan, engine};
use weir_tests::patience;

/// Who asks, what, with which header lines, and what must come of it: status, policy, rule.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    u16,
    &'static str,
    &'static str,
);

const CASES: &[Case] = &[
    ("frontend", "GET", "/api/v1/items", &[], 200, "shop/cart-callers", "0"),
    ("frontend", "POST", "/api/v1/items/1", &[], 200, "shop/cart-callers", "0"),
    ("frontend", "DELETE", "/api/v1/items/1", &[], 403, "", ""),
    ("frontend", "GET", "/api/v1/itemsX", &[], 403, "", ""),
    ("checkout", "DELETE", "/api/v1/items/1", &[], 200, "shop/cart-callers", "1"),
    ("checkout", "DELETE", "/api/v1/items", &[], 403, "", ""),
    ("operator", "PUT", "/anything", &[], 200, "shop/cart-callers", "2"),
    ("stranger", "GET", "/api/v1/items", &[], 403, "", ""),
    ("frontend", "GET", "/admin", &[], 403, "shop/no-admin", "0"),
    ("frontend", "GET", "/admin/users?x=1", &[], 403, "shop/no-admin", "0"),
    ("operator", "GET", "/admin/users", &[], 200, "shop/cart-callers", "2"),
    ("frontend", "GET", "/api/v1/../../admin/users", &[], 403, "shop/no-admin", "0"),
    ("frontend", "GET", "/api/v1/%2e%2e/%2e%2e/admin", &[], 403, "shop/no-admin", "0"),
    ("frontend", "GET", "/api/v1/..%2f..%2Fadmin//users", &[], 403, "shop/no-admin", "0"),
    ("frontend", "GET", "//admin", &[], 403, "shop/no-admin", "0"),
    ("frontend", "GET", "/api/..%5cadmin", &[], 403, "shop/no-admin", "0"),
    ("frontend", "GET", "/api/v1/items", &[("x-role", "user")], 200, "shop/cart-callers", "0"),
    ("frontend", "GET", "/api/v1/items", &[("x-role", "admin")], 403, "shop/no-borrowed-roles", "0"),
    (
        "frontend",
        "GET",
        "/api/v1/items",
        &[("x-role", "user"), ("x-role", "admin")],
        403,
        "shop/no-borrowed-roles",
        "0",
    ),
    (
        "frontend",
        "GET",
        "/api/v1/items",
        &[("X-Role", "admin"), ("x-role", "user")],
        403,
        "shop/no-borrowed-roles",
        "0",
    ),
    ("frontend", "GET", "/api/v1/items", &[("x-quantity", "100")], 200, "shop/cart-callers", "0"),
    ("frontend", "GET", "/api/v1/items", &[("x-quantity", "101")], 422, "shop/cart-limits", "too-many"),
    ("frontend", "GET", "/api/v1/items", &[("x-quantity", "many")], 400, "shop/cart-limits", "not-a-number"),
    ("frontend", "GET", "/api/v1/items", &[("x-quantity", "")], 400, "shop/cart-limits", "not-a-number"),
];

#[tokio::test]
async fn the_shop_decides_as_its_policies_say_over_a_stream() {
    decide_all(Plan::shop().unwrap().sidecar(&["--check-mode", "stream"]), false).await;
}

#[tokio::test]
async fn the_shop_decides_as_its_policies_say_over_unary_calls_and_http2() {
    decide_all(Plan::shop().unwrap().sidecar(&["--check-mode", "unary"]), true).await;
}

async fn decide_all(plan: Plan, http2: bool) {
    let house = plan.start().await.unwrap();
    let mut reached = 0;
    for (who, method, target, headers, status, policy, rule) in CASES {
        let what = format!("{who} {method} {target} {headers:?}");
        let answer = caller(&house, who, http2).send(call(method, target, headers)).await.unwrap();
        assert_eq!(answer.status, *status, "{what}: {}", answer.body);
        if *status == 200 {
            reached += 1;
            let seen = answer.json();
            assert_eq!(seen["method"], *method, "{what}");
            assert!(answer.header("x-weir-decision-id").is_none(), "{what}: policy must not leak to callers");
        } else {
            let id = answer.header("x-weir-decision-id").expect("a deny names its decision");
            let line = house.decision(id).await.unwrap();
            assert_eq!(line["decision"], "deny", "{what}: {line}");
            assert_eq!(line["policy"].as_str().unwrap_or_default(), *policy, "{what}: {line}");
            assert_eq!(line["rule"].as_str().unwrap_or_default(), *rule, "{what}: {line}");
            assert_eq!(line["status"], *status, "{what}: {line}");
            assert!(!answer.body.contains("shop/"), "{what}: policy names stay inside: {}", answer.body);
        }
        assert_eq!(house.echo.count(), reached, "{what}: only what was allowed reaches the upstream");
    }
    let allowed: Vec<_> = house.engine.decisions().into_iter().filter(|line| line["decision"] == "allow").collect();
    for line in &allowed {
        assert_eq!(line["policy"], "shop/cart-callers", "{line}");
    }
}

fn caller(house: &House, account: &str, http2: bool) -> Caller {
    let caller = Caller::to(house.front().unwrap().http().unwrap());
    let caller = if http2 { caller.with_http2() } else { caller };
    caller.with_tls(&house.authority, Some(&house.authority.identity("shop", account).unwrap())).unwrap()
}

fn call(method: &str, target: &str, headers: &[(&str, &str)]) -> Call {
    headers.iter().fold(Call::new(method, target), |call, (name, value)| call.header(name, value))
}

#[tokio::test]
async fn an_identity_header_of_the_caller_reaches_neither_the_policy_nor_the_upstream() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    let forged = "By=spiffe://cluster.local/ns/shop/sa/cart;URI=spiffe://cluster.local/ns/shop/sa/operator";
    let forge = |target: &str| Call::get(target).header("x-forwarded-client-cert", forged);
    let stranger = house.caller("marketing", "banner").unwrap().send(forge("/api/v1/items")).await.unwrap();
    assert_eq!(stranger.status, 403);
    let frontend = house.caller("shop", "frontend").unwrap();
    assert_eq!(frontend.send(forge("/admin")).await.unwrap().status, 403);
    let allowed = frontend.send(forge("/api/v1/items")).await.unwrap();
    assert_eq!(allowed.status, 200);
    assert!(!allowed.body.contains("sa/operator"), "the upstream must not see it: {}", allowed.body);
}

#[tokio::test]
async fn without_a_certificate_of_our_authority_nobody_gets_in() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    assert!(house.caller_with(None).unwrap().get("/api/v1/items").await.is_err());
    let other = weir_tests::ca::Authority::new("another CA").unwrap();
    let forged = other.identity("shop", "operator").unwrap();
    assert!(house.caller_with(Some(&forged)).unwrap().get("/api/v1/items").await.is_err());
    assert_eq!(house.echo.count(), 0);
}

#[tokio::test]
async fn the_upstream_gets_the_path_that_the_policy_saw() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    let operator = house.caller("shop", "operator").unwrap();
    let table = [
        ("/a/b", "/a/b"),
        ("/a/./b/../c", "/a/c"),
        ("/a//b///c", "/a/b/c"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/..%2fb", "/b"),
        ("/a%5cb", "/a/b"),
        ("/%7Euser/%41", "/~user/A"),
        ("/a/%252e%252e/b", "/a/%252e%252e/b"),
        ("/a?x=/../b", "/a?x=/../b"),
        ("/a;v=1/b", "/a;v=1/b"),
        ("/%E2%82%AC", "/%E2%82%AC"),
    ];
    for (sent, normalized) in table {
        let answer = operator.get(sent).await.unwrap();
        assert_eq!(answer.status, 200, "{sent}: {}", answer.body);
        assert_eq!(answer.json()["target"], normalized, "{sent}");
    }
    for (sent, normalized) in table {
        let path = normalized.split('?').next().unwrap();
        patience::until(&format!("{sent}: the policy saw {path}"), async || {
            house.engine.decisions().iter().any(|line| line["path"] == path).then_some(())
        })
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn bodies_pass_both_ways_whole() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    let operator = house.caller("shop", "operator").unwrap();
    for size in [0, 1, 65_536, 3_000_001] {
        let answer = operator.send(Call::new("POST", "/upload").body(vec![b'x'; size])).await.unwrap();
        assert_eq!((answer.status, answer.json()["body_bytes"].as_u64()), (200, Some(size as u64)));
    }
}

#[tokio::test]
async fn a_verdict_from_the_cache_is_the_same_and_asks_nobody() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    let hits = async || engine::sample(&house.front().unwrap().scrape().await.unwrap(), story::CACHE_HITS, &[]);
    for (headers, status) in [(&[][..], 200), (&[("x-role", "admin")][..], 403)] {
        let first = frontend.send(call("GET", "/api/v1/items/7", headers)).await.unwrap();
        let (asked, kept) = (house.engine.metric(story::CHECKS, &[]).await.unwrap(), hits().await);
        let second = frontend.send(call("GET", "/api/v1/items/7", headers)).await.unwrap();
        assert_eq!((first.status, second.status), (status, status));
        assert_eq!(first.body.contains("RBAC"), second.body.contains("RBAC"));
        assert_eq!(house.engine.metric(story::CHECKS, &[]).await.unwrap(), asked, "the engine was not asked again");
        assert_eq!(hits().await, kept + 1.0);
    }
    // Whatever the policies read is part of the key: another caller, another path, another header.
    let other = house.caller("shop", "stranger").unwrap();
    assert_eq!(other.get("/api/v1/items/7").await.unwrap().status, 403);
    assert_eq!(frontend.get("/api/v1/items/7/../../../../admin").await.unwrap().status, 403);
    let counted = call("GET", "/api/v1/items/7", &[("x-quantity", "1000")]);
    assert_eq!(frontend.send(counted).await.unwrap().status, 422);
}

#[tokio::test]
async fn a_new_configuration_ends_what_was_cached() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    assert_eq!(frontend.get("/api/v1/items/7").await.unwrap().status, 200);
    assert_eq!(frontend.get("/api/v1/items/7").await.unwrap().status, 200);
    let closed = story::deny("closed", "shop", "/api/v1/items/7");
    house.reload(|folder| folder.put("closed.yaml", &closed)).await.unwrap();
    patience::until("the cached verdict is gone", async || {
        (frontend.get("/api/v1/items/7").await.ok()?.status == 403).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_plugin_turns_away_whom_the_policies_allow() {
    let plan = Plan::shop().unwrap().sidecar(&["--workload", "shop/checkout"]);
    let house = plan.start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    let order = |agent| Call::get("/api/v1/orders").header("user-agent", agent);
    assert_eq!(frontend.send(order("firefox")).await.unwrap().status, 200);
    let denied = frontend.send(order("price-scraper/1.0")).await.unwrap();
    assert_eq!((denied.status, denied.body.trim()), (403, "this client was asked to stop"));
    let line = house.decision(denied.header("x-weir-decision-id").unwrap()).await.unwrap();
    assert_eq!((line["reason"].as_str(), line["policy"].as_str()), (Some("adapter"), Some("shop/scrapers")), "{line}");
}

#[tokio::test]
async fn an_audit_policy_marks_the_decision_and_changes_nothing() {
    let house = Plan::shop().unwrap().start().await.unwrap();
    let checkout = house.caller("shop", "checkout").unwrap();
    assert_eq!(checkout.send(Call::new("DELETE", "/api/v1/items/1")).await.unwrap().status, 200);
    let line = patience::until("the audited decision is in the log", async || {
        house.engine.decisions().into_iter().find(|line| line["method"] == "DELETE")
    })
    .await
    .unwrap();
    assert!(line["audit"].to_string().contains("shop/emptied-carts"), "{line}");
    assert_eq!(line["decision"], "allow");
}
