//! Adapters with the real engine: pending, changed in place, fetched, refused; and what enrichment tells the policies.

use std::path::Path;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::story::workload;
use weir_tests::client::Call;
use weir_tests::house::{House, Plan};
use weir_tests::{patience, repository};

/// An adapter of the cart with that spec.
fn adapter(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: policy.weir.dev/v1alpha1\nkind: Adapter\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n{spec}"
    )
}

fn plan() -> Plan {
    Plan::empty().document("cart.yaml", &workload("cart", "shop")).engine(&["--allow-empty"]).plaintext()
}

fn plugin(name: &str) -> Vec<u8> {
    std::fs::read(repository::plugins().unwrap().join(format!("{name}.wasm"))).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn shown(house: &House, name: &str) -> Value {
    let page = house.engine.page("/plugins").await.unwrap();
    let plugins = page["plugins"].as_array().unwrap();
    plugins.iter().find(|plugin| plugin["adapter"] == format!("shop/{name}")).cloned().unwrap_or_default()
}

async fn becomes(house: &House, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    let awaited = format!("{name} is {what}");
    let state = patience::until(&awaited, async || {
        let shown = shown(house, name).await;
        is(&shown).then_some(shown)
    });
    state.await.unwrap()
}

async fn status(house: &House, call: Call) -> u16 {
    house.plain_caller().unwrap().send(call).await.unwrap().status
}

fn tagged(value: &str) -> Call {
    Call::get("/cart").header("x-a", value)
}

/// The same component with a custom section more: other bytes, the same plugin.
fn touched(component: &[u8]) -> Vec<u8> {
    [component, b"\x00\x05\x04note"].concat()
}

/// Written beside and moved: nobody sees half of it.
fn overwrite(house: &House, name: &str, bytes: &[u8]) {
    let path = house.config.path().join(name);
    std::fs::write(path.with_extension("half"), bytes).unwrap();
    std::fs::rename(path.with_extension("half"), path).unwrap();
}

#[tokio::test]
async fn a_plugin_file_that_changes_is_a_new_generation_and_a_bad_one_leaves_the_old_serving() {
    let spec = "  source: {file: guard.wasm}\n  config: {header: x-a, list: [bad]}\n";
    let house = plan().start().await.unwrap();
    std::fs::write(house.config.path().join("guard.wasm"), plugin("deny-list")).unwrap();
    house.reload(|folder| folder.put("guard.yaml", &adapter("guard", spec))).await.unwrap();
    becomes(&house, "guard", "ready", |shown| shown["state"] == "ready" && shown["generation"] == 1).await;
    assert_eq!(status(&house, tagged("bad")).await, 403);
    assert_eq!(status(&house, tagged("good")).await, 200);
    let version = house.engine.version().await.unwrap();
    let (stop, caller) = (Arc::new(AtomicBool::new(false)), house.plain_caller().unwrap());
    let load = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut calls = 0;
            while !stop.load(Relaxed) {
                // Each its own value: none is answered from a cache.
                for (call, expected) in [(tagged(&format!("good-{calls}")), 200), (tagged("bad"), 403)] {
                    assert_eq!(caller.send(call).await.unwrap().status, expected, "call {calls}");
                }
                calls += 1;
            }
            calls
        }
    });
    overwrite(&house, "guard.wasm", &touched(&plugin("deny-list")));
    becomes(&house, "guard", "swapped", |shown| shown["generation"] == 2).await;
    stop.store(true, Relaxed);
    assert!(load.await.unwrap() > 0, "nothing was asked during the swap");
    assert_eq!(house.engine.version().await.unwrap(), version, "the configuration is the same");
    let bad: [(&str, Vec<u8>); 3] = [
        ("not WebAssembly", b"oops".to_vec()),
        ("spans, which is not granted", plugin("trace-spans")),
        ("user", plugin("teams")),
    ];
    for (words, bytes) in bad {
        overwrite(&house, "guard.wasm", &bytes);
        let refused = |shown: &Value| shown["refused"].as_str().is_some_and(|refused| refused.contains(words));
        let shown = becomes(&house, "guard", &format!("refused: {words}"), refused).await;
        assert_eq!((&shown["state"], &shown["generation"]), (&"ready".into(), &2.into()), "{shown}");
        assert_eq!(status(&house, tagged("bad")).await, 403);
        assert_eq!(status(&house, tagged("good")).await, 200);
    }
}

#[tokio::test]
async fn a_plugin_file_that_changes_before_it_is_looked_at_for_the_first_time_is_seen() {
    let spec = "  source: {file: guard.wasm}\n  config: {header: x-a, list: [bad]}\n";
    let house = plan().start().await.unwrap();
    overwrite(&house, "guard.wasm", &plugin("deny-list"));
    house.reload(|folder| folder.put("guard.yaml", &adapter("guard", spec))).await.unwrap();
    // At once: the first look comes within a second.
    overwrite(&house, "guard.wasm", &touched(&plugin("deny-list")));
    becomes(&house, "guard", "swapped", |shown| shown["generation"] == 2).await;
}

/// Built against the contract when it was frozen: it denies, counts by team, and lets its verdicts be reused for a second.
fn then() -> (Vec<u8>, String) {
    let component = repository::root().join("engine/adapters/tests/fixtures/v1.0.0.wasm");
    let spec = "  source: {file: then.wasm}\n  limits: {timeoutMs: 1000}\n  capabilities: {log: true, metrics: true, records: true, \
                spans: true, kv: [{name: seen}], lookup: [workloads], httpOut: [{name: authz, url: \"http://127.0.0.1:9\", \
                timeoutMs: 50}], sinks: [{name: out, udp: \"127.0.0.1:9\"}]}\n";
    (std::fs::read(component).unwrap(), spec.to_owned())
}

#[tokio::test]
async fn a_plugins_verdict_is_reused_for_requests_that_agree_in_what_the_plugin_reads_and_its_words_are_logged() {
    let (component, spec) = then();
    let house = plan().start().await.unwrap();
    overwrite(&house, "then.wasm", &component);
    house.reload(|folder| folder.put("then.yaml", &adapter("then", &spec))).await.unwrap();
    becomes(&house, "then", "ready", |shown| shown["state"] == "ready").await;
    let caller = house.plain_caller().unwrap();
    let mut ids = Vec::new();
    for team in ["blue", "red", "green"] {
        let answer = caller.send(Call::get("/cart").header("x-team", team)).await.unwrap();
        assert_eq!((answer.status, &*answer.body), (429, "no"), "{team}");
        let id = answer.header("x-weir-decision-id").unwrap().to_owned();
        let decision = house.decision(&id).await.unwrap();
        let said = &decision["adapters"][0];
        assert_eq!(said["plugin"], "weir-tests/built-against-1-0-0", "{decision}");
        assert_eq!(said["metadata"], format!("{{\"team\":\"{team}\"}}"), "{decision}");
        assert!(said["reason"].as_str().unwrap().contains("last="), "{decision}");
        ids.push(id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "a verdict about one team answered for another");
    assert_eq!(shown(&house, "then").await["calls"], 3);
}

/// Serves these bytes at every path from now on.
async fn serve(address: std::net::SocketAddr, bytes: Vec<u8>) {
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let bytes = bytes.clone();
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                while stream.read(&mut asked).await.is_ok_and(|read| read > 0) {
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", bytes.len());
                    let _ = stream.write_all(&[head.as_bytes(), &bytes].concat()).await;
                }
            });
        }
    });
}

/// An address that nobody listens on.
fn free() -> std::net::SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_plugin_that_is_not_here_yet_is_pending_and_its_failure_policy_holds() {
    let (address, component) = (free(), plugin("deny-list"));
    let spec = |policy: &str| {
        format!(
            "  source: {{http: \"http://{address}/x.wasm\", sha256: {}}}\n  phase: check\n  failurePolicy: {policy}\n  \
             config: {{header: x-a, list: [bad]}}\n",
            sha256(&component)
        )
    };
    let house = plan().start().await.unwrap();
    house.reload(|folder| folder.put("guard.yaml", &adapter("guard", &spec("Open")))).await.unwrap();
    assert_eq!(status(&house, tagged("bad")).await, 200, "open: it goes on as if it had allowed");
    house.reload(|folder| folder.put("guard.yaml", &adapter("guard", &spec("Closed")))).await.unwrap();
    assert_eq!(status(&house, tagged("good")).await, 403, "closed: nothing passes that it has not seen");
    let shown = becomes(&house, "guard", "refused for now", |shown| shown["refused"].is_string()).await;
    assert_eq!(shown["state"], "failed", "{shown}");
    let guard = r#"adapter="shop/guard""#;
    let metric = async |name: &str, more: &str| house.engine.metric(name, &[guard, more]).await.unwrap();
    assert!(metric("weir_plugin_failures_total", r#"cause="pending""#).await >= 2.0);
    assert_eq!((metric("weir_plugin_ready", "").await, metric("weir_plugin_generation", "").await), (0.0, 0.0));
    serve(address, component.clone()).await;
    becomes(&house, "guard", "ready", |shown| shown["state"] == "ready").await;
    assert_eq!(status(&house, tagged("good")).await, 200);
    assert_eq!(status(&house, tagged("bad")).await, 403);
    assert_eq!((metric("weir_plugin_ready", "").await, metric("weir_plugin_generation", "").await), (1.0, 1.0));
    assert_eq!(metric("weir_plugin_calls_total", r#"outcome="ok""#).await, 2.0);
    assert_eq!(
        metric("weir_plugin_call_duration_seconds_count", "").await,
        metric("weir_plugin_calls_total", "").await
    );
    assert_eq!(metric("weir_plugin_info", r#"plugin="weir/deny-list""#).await, 1.0);
    assert!(metric("weir_plugin_memory_bytes", "").await > 1e5);
}

#[tokio::test]
async fn what_came_and_has_another_digest_never_serves() {
    let address = free();
    serve(address, touched(&plugin("deny-list"))).await;
    let spec = format!(
        "  source: {{http: \"http://{address}/x.wasm\", sha256: {}}}\n  phase: check\n  config: {{header: x-a, list: [bad]}}\n",
        sha256(&plugin("deny-list"))
    );
    let house = plan().start().await.unwrap();
    let text = adapter("guard", &spec);
    house.config.put("guard.yaml", &text).unwrap();
    let refusal = house.engine.refusal("the SHA-256 of the component is").await.unwrap();
    assert!(refusal.contains("spec.source.sha256") || refusal.contains("guard.yaml:"), "{refusal}");
}

#[tokio::test]
async fn a_file_that_breaks_a_promise_refuses_the_configuration_with_its_field() {
    let house = plan().start().await.unwrap();
    std::fs::write(house.config.path().join("guard.wasm"), plugin("deny-list")).unwrap();
    let source = |more: &str| format!("  source: {{file: guard.wasm{more}}}\n  config: {{header: x-a, list: [bad]}}\n");
    let digest = "a".repeat(64);
    let (key, signature) = ("A".repeat(43) + "=", "A".repeat(86) + "==");
    let cases = [
        (source(&format!(", sha256: {digest}")), "the SHA-256 of the component is"),
        (source(&format!(", signature: {{trustedKeys: [{key}]}}")), "signature: there is none"),
        (
            source(&format!(", signature: {{trustedKeys: [{key}], value: {signature}}}")),
            "signature: none of the trusted keys signed this component",
        ),
        (source("").replace("header: x-a", "header: 7"), "config.header"),
        (source("") + "  bindings: {source.ip: 1 + 1}\n", "the expression is int, but string is needed"),
        (source("") + "  match: request.nonsense\n", "request.nonsense"),
        ("  source: {file: access-log.wasm}\n".to_owned(), "the plugin asks for records, which is not granted"),
        ("  source: {http: \"http://127.0.0.1:9/x\"}\n  phase: check\n".to_owned(), "needs its `sha256`"),
        (format!("  source: {{oci: a/b, sha256: {digest}}}\n"), "its phase must be said"),
    ];
    for (spec, words) in cases {
        house.config.put("guard.yaml", &adapter("guard", &spec)).unwrap();
        let refusal = house.engine.refusal(words).await.unwrap_or_else(|trouble| panic!("{words}: {trouble}"));
        assert!(refusal.contains("guard.yaml:"), "{refusal}");
    }
}

#[tokio::test]
async fn what_an_enrich_plugin_finds_out_policies_can_read_and_nobody_caches() {
    let adapter = adapter(
        "teams",
        "  source: {file: teams.wasm}\n  bindings: {user: 'request.headers[\"x-user\"]'}\n  \
         config: {users: {ann: {team: shop, roles: [buyer]}, bob: {team: ops}}}\n",
    );
    let policy = "apiVersion: policy.weir.dev/v1alpha1\nkind: CelPolicy\nmetadata: {name: shop-only, namespace: shop}\nspec:\n  \
                  action: ALLOW\n  rules:\n    - expression: '\"acme.team\" in metadata && metadata[\"acme.team\"] == \"shop\"'\n";
    let house = plan().document("teams.yaml", &adapter).document("policy.yaml", policy).start().await.unwrap();
    for _ in 0..2 {
        for (user, expected) in [("ann", 200), ("bob", 403), ("eve", 403)] {
            assert_eq!(status(&house, Call::get("/cart").header("x-user", user)).await, expected, "{user}");
        }
    }
    let shown = shown(&house, "teams").await;
    assert_eq!((&shown["phase"], &shown["state"], &shown["calls"]), (&"enrich".into(), &"ready".into(), &6.into()));
    assert!(Path::new(shown["source"].as_str().unwrap()).ends_with("teams.wasm"));
}
