//! What cannot be decided is denied, and the house recovers by itself.

use crate::story::{self, allow, workload};
use weir_tests::client::{Call, Caller};
use weir_tests::house::{Plan, engine::Engine, sidecar::Sidecar};
use weir_tests::patience;

#[tokio::test]
async fn without_the_engine_requests_fail_closed_and_recover() {
    for mode in ["stream", "unary"] {
        let plan = Plan::shop().unwrap().sidecar(&["--check-mode", mode]);
        let mut house = plan.start().await.unwrap();
        let frontend = house.caller("shop", "frontend").unwrap();
        assert_eq!(frontend.get("/api/v1/items/1").await.unwrap().status, 200);
        let reached = house.echo.count();
        house.engine.kill().await.unwrap();
        for item in 100..105 {
            let answer = frontend.get(&format!("/api/v1/items/{item}")).await.unwrap();
            assert_eq!(answer.status, 503, "{mode}: {}", answer.body);
            assert!(answer.body.contains("engine"), "{mode}: it says what is away: {}", answer.body);
        }
        assert_eq!(house.echo.count(), reached, "{mode}: nothing passed");
        house.engine.restart().await.unwrap();
        house.recovered(&frontend, "/api/v1/items/200").await.unwrap();
        assert_eq!(frontend.get("/admin").await.unwrap().status, 403);
    }
}

#[tokio::test]
async fn a_sidecar_told_to_fail_open_lets_pass_and_counts() {
    let mut house = Plan::shop().unwrap().sidecar(&["--fail-open"]).start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    assert_eq!(frontend.get("/admin").await.unwrap().status, 403);
    house.engine.kill().await.unwrap();
    assert_eq!(frontend.get("/api/v1/items/300").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_sidecar_without_an_engine_starts_and_denies() {
    let house = Plan::shop().unwrap().without_sidecar().start().await.unwrap();
    let identity = house.authority.identity("shop", "cart").unwrap();
    let tls = house.authority.write(&house.place.path().join("tls"), "cart", &identity).unwrap();
    let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let mut sidecar = Sidecar::prepare(house.place.path(), house.echo.address(), nowhere, Some(&tls), &[]).unwrap();
    sidecar.program.start().await.unwrap();
    let frontend = Caller::to(sidecar.http().unwrap());
    let identity = house.authority.identity("shop", "frontend").unwrap();
    let frontend = frontend.with_tls(&house.authority, Some(&identity)).unwrap();
    assert_eq!(frontend.get("/api/v1/items").await.unwrap().status, 503);
    assert_eq!(house.echo.count(), 0);
    assert!(sidecar.program.runs());
    let health = Caller::to(sidecar.program.address("health").unwrap());
    assert_eq!(health.get("/healthz/live").await.unwrap().status, 200);
    assert_eq!(health.get("/healthz/ready").await.unwrap().status, 503);
}

#[tokio::test]
async fn with_no_good_configuration_every_check_is_denied() {
    let place = tempfile::tempdir().unwrap();
    std::fs::create_dir(place.path().join("config")).unwrap();
    let mut engine = Engine::prepare(place.path(), &[]).unwrap();
    engine.program.start().await.unwrap();
    assert!(!engine.is_ready().await.unwrap());
    let health = Caller::to(engine.health().unwrap());
    assert_eq!(health.get("/healthz/live").await.unwrap().status, 200);
    let denied = crate::envoy_api::check(&engine, crate::envoy_api::request("GET", "/", &[])).await;
    assert_eq!(denied.code, 7, "{denied:?}");
    let line = engine.decision(&denied.id).await.unwrap();
    assert_eq!(line["reason"], "no-config", "{line}");
    // The first good folder makes it ready, without a restart.
    let rules = [workload("cart", "shop"), allow("open", "shop", "/")].join("---\n");
    std::fs::write(place.path().join("config/rules.yaml"), rules).unwrap();
    engine.ready().await.unwrap();
    let allowed = crate::envoy_api::check(&engine, crate::envoy_api::request("GET", "/", &[])).await;
    assert_eq!(allowed.code, 0, "{allowed:?}");
}

#[tokio::test]
async fn an_unknown_workload_is_denied_and_the_log_says_what_was_received() {
    let house = Plan::shop().unwrap().sidecar(&["--workload", "shop/nobody"]).start().await.unwrap();
    let answer = house.caller("shop", "operator").unwrap().get("/").await.unwrap();
    assert_eq!(answer.status, 403);
    let line = house.decision(answer.header("x-weir-decision-id").unwrap()).await.unwrap();
    assert_eq!(line["reason"], "unknown-workload", "{line}");
    assert!(line["message"].as_str().unwrap_or_default().contains("shop/nobody"), "{line}");
    assert!(house.engine.metric(story::CHECKS, &["unknown-workload"]).await.unwrap() >= 1.0);
}

#[tokio::test]
async fn sigterm_lets_requests_under_way_finish() {
    let mut house = Plan::shop().unwrap().start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    let mut session = frontend.connect().await.unwrap();
    assert_eq!(session.send(Call::get("/api/v1/items/1")).await.unwrap().status, 200);
    let sidecar = house.sidecar.as_mut().unwrap();
    assert!(sidecar.program.end().await.unwrap().success());
    assert!(house.engine.program.end().await.unwrap().success());
    let decided = house.engine.decisions();
    assert!(!decided.is_empty(), "what was decided is in the log after the end");
    assert!(!house.engine.records().is_empty(), "what was reported is in the log after the end");
}

#[tokio::test]
async fn a_busy_port_names_itself_and_its_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--grpc", "--admin", "--health", "--metrics"] {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("config")).unwrap();
        let mut engine = Engine::prepare(place.path(), &[flag.to_owned(), address.clone()]).unwrap();
        engine.program.spawn().unwrap();
        assert!(!engine.program.exit().await.unwrap().success());
        patience::until("it says why", async || {
            let said = engine.program.said();
            (said.contains(&address) && said.contains(flag)).then_some(())
        })
        .await
        .unwrap_or_else(|trouble| panic!("{flag}: {trouble}: {}", engine.program.said()));
    }
}
