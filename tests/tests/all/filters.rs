//! proxy-wasm filters give the same answers in the sidecar as in a real Envoy: the same module, the same configuration, the
//! same requests to both.

mod backend;
mod pair;

use pair::{Pair, Set};
use weir_tests::client::Call;
use weir_tests::house::Plan;
use weir_tests::patience;

fn get(target: &str) -> Call {
    Call::get(target)
}

#[tokio::test]
async fn headers_and_local_responses_are_envoys() {
    let Some(pair) = Pair::start("headers", Set::one("headers")).await else { return };
    let long = "v".repeat(3000);
    let calls = [
        get("/plain"),
        get("/plain").header("x-replace", "old").header("x-replace", "older").header("x-remove", "1"),
        get("/plain").header("x-added", "zero").header("x-long", &long),
        get("/private"),
        Call::new("HEAD", "/private"),
        Call::new("POST", "/private").body("a body that nobody reads"),
        get("/empty"),
        get("/rewrite").header("x-replace", "old"),
        get("/all").header("x-keep", "1").header("x-drop", "1"),
        get("/pseudo"),
        get("/plain").header("x-want-x-upstream-secret", "s").header("x-want-x-other", "o"),
        get("/plain").header("x-want-x-teapot", "1"),
        get("/plain").header("x-want-x-answer", "1"),
        get("/none").header("x-want-x-none", "1"),
        Call::new("POST", "/plain").body("with a body"),
        get("/private").header("content-type", "application/grpc"),
        get("/plain").header("x-want-x-answer", "1").header("content-type", "application/grpc"),
    ];
    pair.same(calls.clone()).await;
    pair.same_over_http2(calls).await;
    let answer = pair.ours(get("/private")).await;
    assert_eq!((answer.status, answer.body.as_str(), answer.header("x-why")), (403, "not for you\n", Some("private")));
    assert_eq!(answer.header("x-response"), Some("one"), "the filter sees its own answer on the way back");
}

#[tokio::test]
async fn bodies_are_held_and_rewritten_as_in_envoy() {
    let Some(pair) = Pair::start("body", Set::one("body")).await else { return };
    let post = |mode: &str, body: &str| Call::new("POST", "/echo").header("x-mode", mode).body(body.to_owned());
    let large = "some text. ".repeat(20_000);
    let calls = [
        post("hold", "hello"),
        post("hold", &large),
        post("append", "hello"),
        post("prepend", "hello"),
        post("deny", "a good body"),
        post("deny", "a bad body"),
        post("keep", "hello"),
        post("keep", &large),
        get("/echo").header("x-mode", "hold"),
        get("/big?bytes=300000"),
        get("/big?bytes=300000").header("x-mode", "keep"),
        get("/none"),
    ];
    pair.same(calls.clone()).await;
    pair.same_over_http2(calls).await;
    let answer = pair.ours(post("hold", "hello")).await;
    assert!(answer.body.contains("HELLO") && answer.body.starts_with("filter saw"), "{answer:?}");
    // Envoy cuts the response too, but tells of it in its own time.
    let too_much = pair.ours(post("forever", &"x".repeat(1_100_000))).await;
    assert_eq!((too_much.status, too_much.body.as_str()), (413, "Payload Too Large"));
    assert_eq!(pair.envoys(post("forever", &"x".repeat(1_100_000))).await.status, 413);
}

#[tokio::test]
async fn a_filter_asks_another_service_and_waits_as_in_envoy() {
    let Some(pair) = Pair::start("auth", Set::one("auth")).await else { return };
    let token = |token: &str| get("/orders").header("x-auth", token);
    let calls = [
        token("good"),
        token("bad"),
        Call::new("POST", "/orders").header("x-auth", "good").body("the body waits too"),
        token("nowhere"),
        token("incomplete"),
        token("dead"),
        token("slow"),
    ];
    pair.same(calls).await;
    let answer = pair.ours(token("good")).await;
    assert!(
        answer.body.contains("x-user-id: alice") && answer.body.contains("x-auth-said: welcome true"),
        "{answer:?}"
    );
    assert_eq!(pair.ours(token("slow")).await.header("x-auth-status"), Some("504"));
}

#[tokio::test]
async fn properties_have_envoys_values_and_encodings() {
    let Some(pair) = Pair::start("properties", Set::one("properties")).await else { return };
    let paths = [
        "request/path,request/url_path,request/query,request/host,request/method,request/scheme,request/protocol",
        "request/referer,request/useragent,request/headers/x-one,request/headers/x-two,request/headers/x-none",
        "request/size,request/none,request/duration,response/code,response/flags,response/size",
        "plugin_name,plugin_root_id,plugin_vm_id,cluster_name,route_name,listener_direction",
        "node/id,node/cluster,node/metadata/NAME,node/metadata/LABELS,node/metadata/LABELS/app,node/metadata/NUMBER",
        "source/none,connection/mtls,connection/requested_server_name,connection/tls_version,none,none/none",
        "own_property,own_property/inside,destination/none,plugin_name/inside,metadata/none,upstream/address",
        "xds/cluster_name,xds/route_name,xds/listener_direction,node/none,node/metadata/NONE",
        "xds/node/id,xds/node/cluster,xds/node/metadata/NAME,xds/node/metadata/LABELS,xds/node/metadata/LABELS/app",
        "xds/node/metadata/NUMBER,xds/node/none,xds/none,xds/plugin_name,xds/node/metadata/LABELS/none",
        "xds/listener_metadata/none,xds/cluster_metadata/none,xds/route_metadata/none,xds/filter_chain_name/none,cluster_name",
    ];
    let mut calls: Vec<Call> = paths
        .iter()
        .map(|paths| {
            let call = get("/a/b?c=d&e=f").header("x-property", paths).header("referer", "there").header("x-one", "1");
            call.header("x-two", "a").header("x-two", "b").header("user-agent", "tests").header("host", "shop.example")
        })
        .collect();
    calls.push(get("/a").header("x-when", "response").header("x-want-x-secret", "s"));
    calls.push(get("/none").header("x-when", "response"));
    calls.push(
        Call::new("POST", "/a").header("x-property", "request/size,request/headers/content-length").body("12345"),
    );
    pair.same(calls).await;
    let answer = pair
        .ours(
            get("/a")
                .header("x-property", "source/address,source/port,request/time,request/id,connection/id,connection_id"),
        )
        .await;
    let told: Vec<&str> = answer.body.lines().collect();
    assert!(told[0].starts_with("source/address \"127.0.0.1:"), "{told:?}");
    assert!(told[1..].iter().all(|line| !line.ends_with(" none")), "{told:?}");
}

#[tokio::test]
async fn ticks_shared_data_metrics_and_logs_work_as_in_envoy() {
    let Some(pair) = Pair::start("ticker", Set::one("ticker")).await else { return };
    let shared = |step: &str| get("/shared").header("x-shared", step);
    pair.same(["read", "set", "swap", "stale", "read"].map(shared)).await;
    for way in [&pair.sidecar, &pair.envoy] {
        patience::until("the filter has ticked", async || {
            (way.send(shared("ticks")).await.body == "ticked true").then_some(())
        })
        .await
        .unwrap();
    }
    pair.same([get("/logged/one"), get("/logged/one"), get("/missing").header("x-want-status", "404")]).await;
    let counted = ["test_log_logged_one_200_200 2", "test_log_missing_404_404 1", "test_log_shared_200_200 "];
    for way in [&pair.sidecar, &pair.envoy] {
        patience::until("requests are logged by the filter", async || {
            let metrics = way.metrics().await;
            let lines: Vec<String> = metrics.lines().map(without_labels).collect();
            counted.iter().all(|line| lines.iter().any(|have| have.starts_with(line))).then_some(())
        })
        .await
        .unwrap();
    }
    assert!(pair.sidecar.metrics().await.contains("test_ticks{filter=\"ticker\"}"));
}

fn without_labels(line: &str) -> String {
    match (line.find('{'), line.find('}')) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &line[..from], &line[to + 1..]),
        _ => line.to_owned(),
    }
}

#[tokio::test]
async fn what_the_host_answers_is_what_envoy_answers() {
    let Some(pair) = Pair::start("probe", Set::one("probe")).await else { return };
    pair.same([get("/a"), Call::new("POST", "/a").body("a body")]).await;
}

#[tokio::test]
async fn filters_run_in_order_and_a_broken_one_fails_as_its_strategy_says() {
    let set = Set { behaviours: &["a", "b", "c"], fail_open: &["b"] };
    let Some(pair) = Pair::start("order", set).await else { return };
    pair.same([get("/a"), get("/a").header("x-want-x-stamp", "upstream")]).await;
    let answer = pair.ours(get("/a")).await;
    assert!(answer.body.contains("x-stamp: a\nx-stamp: b\nx-stamp: c\n"), "{answer:?}");
    // In Envoy a filter that failed stays so; here it is replaced.
    let panic = |whose: &str| get("/a").header("x-panic", whose);
    assert_eq!(pair.ours(panic("b")).await.status, 200, "open");
    assert_eq!(pair.ours(panic("c")).await.status, 503, "closed");
    assert_eq!(pair.envoys(panic("c")).await.status, 503);
    patience::until("the filter runs again", async || {
        let answer = pair.ours(get("/a")).await;
        (answer.status == 200 && answer.body.contains("x-stamp: b\nx-stamp: c\n")).then_some(())
    })
    .await
    .unwrap();
    let metrics = pair.sidecar.metrics().await;
    assert!(metrics.contains("weir_filter_failures_total{filter=\"c\"} 1"), "{metrics}");
    assert!(metrics.contains("weir_filter_restarts_total{filter=\"b\"} 1"), "{metrics}");
}

/// Only what an early filter has stamped gets in.
const STAMPED: &str = "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: stamped, namespace: shop}
spec:
  action: ALLOW
  rules:
    - to: [{operation: {paths: [/open]}}]
      when: [{key: 'request.headers[x-stamp]', values: [early]}]
---
apiVersion: policy.weir.dev/v1alpha1
kind: Workload
metadata: {name: cart, namespace: shop}
spec: {}
";

#[tokio::test]
async fn the_check_sees_what_early_filters_made_and_denials_go_back_through_them() {
    let place = tempfile::tempdir().unwrap();
    let (file, module) = (place.path().join("filters.yaml"), pair::module());
    let entry = |name: &str, phase: &str| {
        let limits = "{callMs: 10000, startMs: 20000}";
        format!(
            "- {{pluginName: {name}, url: {}, pluginConfig: {name}, phase: {phase}, limits: {limits}}}\n",
            module.display()
        )
    };
    std::fs::write(&file, format!("filters:\n{}{}", entry("late", "STATS"), entry("early", "AUTHN"))).unwrap();
    let plan = Plan::empty().document("stamped.yaml", STAMPED).plaintext();
    let house = plan.sidecar(&["--filters", &file.display().to_string()]).start().await.unwrap();
    let caller = house.plain_caller().unwrap();
    let open = caller.get("/open").await.unwrap();
    assert_eq!(open.status, 200, "{open:?}");
    let sent = &house.echo.seen()[0]["headers"];
    let stamps: Vec<_> =
        sent.as_array().unwrap().iter().filter(|line| line[0] == "x-stamp").map(|line| &line[1]).collect();
    assert_eq!(stamps, ["early", "late"]);
    let stamps = |answer: &weir_tests::client::Answer| -> Vec<String> {
        answer.headers.iter().filter(|(name, _)| name == "x-stamp").map(|(_, value)| value.clone()).collect()
    };
    assert_eq!(stamps(&open), ["late", "early"], "back in the reverse order");
    let closed = caller.get("/closed").await.unwrap();
    assert_eq!((closed.status, stamps(&closed)), (403, vec!["early".to_owned()]), "the late one never saw it");
    assert!(closed.header("x-weir-decision-id").is_some());
}
