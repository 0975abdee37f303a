//! A secret in headers, query, token or configuration appears in no output.

use weir_tests::client::{Call, Caller};
use weir_tests::collector::Collector;
use weir_tests::house::{House, Plan};
use weir_tests::patience;

/// What must never be seen again. Its parts make it easy to find when it is cut or escaped.
const CANARY: &str = "c4n4ry-in-the-coal-mine";

/// Policies that read the secret places, an adapter that is configured with the secret, and a rule that compares it.
fn policies() -> [(&'static str, String); 2] {
    let rules = format!(
        "apiVersion: policy.weir.dev/v1alpha1\nkind: CelPolicy\nmetadata: {{name: tokens, namespace: shop}}\nspec:\n  \
         action: DENY\n  rules:\n    - name: known\n      expression: '\"authorization\" in request.headers && \
         request.headers[\"authorization\"] == \"Bearer {CANARY}-denied\"'\n    - name: key\n      expression: \
         '\"x-api-key\" in request.headers && request.headers[\"x-api-key\"] == \"nobody\"'\n    - name: cookie\n      \
         expression: '\"cookie\" in request.headers && request.headers[\"cookie\"] == \"nobody\"'\n    - name: query\n      \
         expression: 'request.path.contains(\"nobody\")'\n"
    );
    let adapter = format!(
        "apiVersion: policy.weir.dev/v1alpha1\nkind: Adapter\nmetadata: {{name: keys, namespace: shop}}\nspec:\n  \
         source: {{file: deny-list.wasm}}\n  config:\n    header: x-api-key\n    list: [{CANARY}-listed]\n"
    );
    [("tokens.yaml", rules), ("keys.yaml", adapter)]
}

fn telling(target: &str, suffix: &str) -> Call {
    let secret = format!("{CANARY}{suffix}");
    Call::get(&format!("{target}?token={secret}&page=1"))
        .header("authorization", &format!("Bearer {secret}"))
        .header("cookie", &format!("session={secret}"))
        .header("x-api-key", &secret)
        .header("proxy-authorization", &format!("Basic {secret}"))
        .header("referer", &format!("https://shop.test/?token={secret}"))
        .header("traceparent", "00-00112233445566778899aabbccddeeff-0123456789abcdef-01")
}

#[tokio::test]
async fn a_canary_is_in_none_of_the_outputs() {
    let collector = Collector::start().await.unwrap();
    let [tokens, keys] = policies();
    let plan = Plan::shop()
        .unwrap()
        .document(tokens.0, &tokens.1)
        .document(keys.0, &keys.1)
        .engine(&["--otlp-endpoint", &collector.endpoint(), "--log-level", "debug"])
        .sidecar(&["--log-level", "debug"]);
    let house = plan.start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    let mut upstream_saw = 0;
    for (target, suffix, status) in [
        ("/api/v1/items", "", 200),
        ("/api/v1/items", "-denied", 403),
        ("/api/v1/items", "-listed", 403),
        ("/admin", "", 403),
    ] {
        let answer = frontend.send(telling(target, suffix)).await.unwrap();
        assert_eq!(answer.status, status, "{target} {suffix}: {}", answer.body);
        upstream_saw += usize::from(status == 200);
    }
    assert!(house.echo.seen().iter().any(|seen| seen.to_string().contains(CANARY)), "what is allowed arrives whole");
    assert_eq!(house.echo.count(), upstream_saw);
    // Errors in configuration show the line they are about, but not what is secret on it.
    let broken = keys.1.replace("header: x-api-key", "header: [x-api-key]");
    house.config.put("keys.yaml", &broken).unwrap();
    house.engine.refusal("keys.yaml").await.unwrap();
    let broken = tokens.1.replace("request.path.contains", "request.nonsense.contains");
    house.config.put("tokens.yaml", &broken).unwrap();
    house.engine.refusal("tokens.yaml").await.unwrap();
    everything_is_written(&house, &collector).await;
    for (what, text) in outputs(&house, &collector).await {
        assert!(!text.is_empty(), "{what} is empty: nothing was looked at");
        let found = text.lines().find(|line| line.contains(CANARY));
        assert!(found.is_none(), "{what} has the secret: {found:?}");
    }
}

async fn everything_is_written(house: &House, collector: &Collector) {
    patience::until("decisions, records and spans are written", async || {
        let written = house.engine.decisions().len() >= 4 && house.engine.records().len() >= 4;
        (written && collector.look(|kept| !kept.spans.is_empty())).then_some(())
    })
    .await
    .unwrap();
}

async fn outputs(house: &House, collector: &Collector) -> Vec<(String, String)> {
    let read = |name: &str| std::fs::read_to_string(house.place.path().join(name)).unwrap();
    let sidecar = house.front().unwrap();
    let mut outputs = vec![
        ("decision log".to_owned(), read("decisions.jsonl")),
        ("log records".to_owned(), read("records.jsonl")),
        ("access log".to_owned(), sidecar.access()),
        ("the engine's own log".to_owned(), house.engine.program.said()),
        ("the sidecar's own log".to_owned(), sidecar.program.said()),
        ("the engine's metrics".to_owned(), house.engine.scrape().await.unwrap()),
        ("the sidecar's metrics".to_owned(), sidecar.scrape().await.unwrap()),
        ("OTLP".to_owned(), collector.look(|kept| kept.texts.join("\n"))),
    ];
    for page in ["/status", "/config", "/policies", "/plugins", "/limits", "/decisions"] {
        outputs.push((format!("admin {page}"), house.engine.raw_page(page).await.unwrap().body));
    }
    for page in ["/status", "/limits", "/config"] {
        let answer = Caller::to(sidecar.admin().unwrap()).get(page).await.unwrap();
        outputs.push((format!("sidecar's admin {page}"), answer.body));
    }
    outputs
}
