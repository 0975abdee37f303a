//! Tokens whose keys are fetched: found, missed, withdrawn; and what the workload sees of a token.

use crate::story::{CACHE_HITS, workload};
use weir_tests::client::{Answer, Call};
use weir_tests::envoy::{Envoy, Places};
use weir_tests::house::engine::sample;
use weir_tests::house::{House, Plan};
use weir_tests::issuer::Issuer;
use weir_tests::patience;
use weir_tests::tools::{Tool, need};

/// Whoever has a token may pass; `rule` is about the issuer.
fn plan(rule: &str, local: bool) -> Plan {
    Plan::empty()
        .document("cart.yaml", &workload("cart", "shop"))
        .document(
            "mesh.yaml",
            &format!(
                "apiVersion: policy.weir.dev/v1alpha1\nkind: MeshConfig\nmetadata: {{name: mesh, namespace: istio-system}}\n\
                 spec: {{allowLocalJwksUris: {local}}}\n"
            ),
        )
        .document(
            "tokens.yaml",
            &format!(
                "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {{name: tokens, namespace: shop}}\n\
                 spec:\n  jwtRules: [{rule}]\n---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n\
                 metadata: {{name: bearers, namespace: shop}}\nspec:\n  action: ALLOW\n  rules:\n    - from:\n        - source: \
                 {{requestPrincipals: [\"*\"]}}\n"
            ),
        )
}

fn by_uri(issuer: &Issuer) -> String {
    format!("{{issuer: \"{}\", jwksUri: \"{}\", timeout: 500ms}}", issuer.name(), issuer.keys())
}

async fn ask(house: &House, token: &str) -> Answer {
    let call = Call::get("/items").header("authorization", &format!("Bearer {token}"));
    house.plain_caller().unwrap().send(call).await.unwrap()
}

/// Waits until a token is answered so.
async fn becomes(house: &House, token: &str, status: u16) {
    patience::until(&format!("a token becomes {status}"), async || {
        (ask(house, token).await.status == status).then_some(())
    })
    .await
    .unwrap_or_else(|trouble| panic!("{trouble}\n{}", house.engine.program.said()));
}

#[tokio::test]
async fn a_new_key_is_found_and_a_withdrawn_one_ends_what_was_cached() {
    let issuer = Issuer::start(&["old"]).await.unwrap();
    let house = plan(&by_uri(&issuer), true).plaintext().start().await.unwrap();
    let (old, new) = (issuer.token("old", "ann"), issuer.token("new", "bob"));
    becomes(&house, &old, 200).await;
    patience::until("the verdict is cached", async || {
        assert_eq!(ask(&house, &old).await.status, 200);
        (sample(&house.front().unwrap().scrape().await.ok()?, CACHE_HITS, &[]) >= 1.0).then_some(())
    })
    .await
    .unwrap();
    let before = issuer.asked();
    issuer.publish(&["new"]);
    assert_eq!(ask(&house, &new).await.status, 401, "not known yet: 401 now, and the keys are fetched");
    becomes(&house, &new, 200).await;
    // The token is valid for ever and its verdict for a minute, but its key is withdrawn.
    becomes(&house, &old, 401).await;
    assert!((1..=3).contains(&(issuer.asked() - before)), "at most once in five seconds: {}", issuer.asked());
    let asked = issuer.asked();
    issuer.hang();
    patience::until("a fetch fails", async || {
        assert_eq!(ask(&house, &old).await.status, 401);
        (house.engine.metric("weir_jwks_fetches_total", &["failed"]).await.ok()? >= 1.0).then_some(())
    })
    .await
    .unwrap();
    assert!(issuer.asked() > asked);
    assert_eq!(ask(&house, &new).await.status, 200, "old keys stay when a fetch fails");
}

#[tokio::test]
async fn an_issuer_is_asked_where_its_keys_are() {
    let issuer = Issuer::start(&["a"]).await.unwrap();
    let house = plan(&format!("{{issuer: \"{}\"}}", issuer.name()), true).plaintext().start().await.unwrap();
    becomes(&house, &issuer.token("a", "ann"), 200).await;
    assert_eq!(ask(&house, &issuer.token("b", "ann")).await.status, 401);
}

#[tokio::test]
async fn without_leave_nobody_on_this_machine_is_asked_for_keys() {
    let issuer = Issuer::start(&["a"]).await.unwrap();
    for rule in [by_uri(&issuer), format!("{{issuer: \"{}\"}}", issuer.name())] {
        let house = plan(&rule, false).plaintext().start().await.unwrap();
        patience::until("the fetch is refused", async || {
            (house.engine.metric("weir_jwks_fetches_total", &["failed"]).await.ok()? >= 1.0).then_some(())
        })
        .await
        .unwrap();
        assert_eq!(ask(&house, &issuer.token("a", "ann")).await.status, 401);
        assert!(house.engine.program.said().contains("allowLocalJwksUris"), "{}", house.engine.program.said());
    }
    assert_eq!(issuer.asked(), 0);
}

/// What the workload saw of the last request.
fn seen(house: &House) -> (String, bool) {
    let seen = house.echo.seen().pop().unwrap();
    (seen["target"].as_str().unwrap().to_owned(), !weir_tests::echo::lines(&seen, "authorization").is_empty())
}

#[tokio::test]
async fn a_token_in_the_query_does_not_reach_the_workload_and_the_rest_stays_as_it_is() {
    let issuer = Issuer::start(&["a"]).await.unwrap();
    let house = plan(&by_uri(&issuer), true).plaintext().start().await.unwrap();
    let token = issuer.token("a", "ann");
    becomes(&house, &token, 200).await;
    assert_eq!(seen(&house), ("/items".to_owned(), false));
    let caller = house.plain_caller().unwrap();
    // Twice: as the engine decided, and from the cache.
    for _ in 0..2 {
        let call = Call::get(&format!("/items?z=1&access%5Ftoken={token}&a=%26b&flag"));
        assert_eq!(caller.send(call).await.unwrap().status, 200);
        assert_eq!(seen(&house), ("/items?z=1&a=%26b&flag".to_owned(), false));
    }
}

#[tokio::test]
async fn envoy_takes_the_token_out_of_the_query_when_told() {
    let Some(binary) = need(Tool::Envoy, "envoy and a token in the query") else { return };
    let issuer = Issuer::start(&["a"]).await.unwrap();
    let house = plan(&by_uri(&issuer), true).without_sidecar().start().await.unwrap();
    let identity = house.authority.identity("shop", "cart").unwrap();
    let tls = house.authority.write(&house.place.path().join("tls"), "cart", &identity).unwrap();
    let places = Places { upstream: house.echo.address(), engine: house.engine.grpc().unwrap(), tls: &tls };
    let patient = |text: String| text.replace("timeout: 0.5s", "timeout: 5s");
    let envoy = Envoy::start(&binary, house.place.path(), &places, patient).await.unwrap();
    let caller = weir_tests::client::Caller::to(envoy.http()).with_tls(&house.authority, Some(&identity)).unwrap();
    let token = issuer.token("a", "ann");
    patience::until("the keys are there", async || {
        let call = Call::get("/items").header("authorization", &format!("Bearer {token}"));
        (caller.send(call).await.ok()?.status == 200).then_some(())
    })
    .await
    .unwrap();
    assert_eq!(seen(&house), ("/items".to_owned(), false));
    let call = Call::get(&format!("/items?z=1&access%5Ftoken={token}&a=%26b"));
    assert_eq!(caller.send(call).await.unwrap().status, 200);
    assert_eq!(seen(&house), ("/items?a=%26b&z=1".to_owned(), false), "Envoy sorts what stays");
}
