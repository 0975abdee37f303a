//! A real Envoy, with the deployed configuration and with settings left out, enforces through the engine and reports.

use weir_tests::client::{Call, Caller};
use weir_tests::envoy::{Envoy, Places};
use weir_tests::house::{House, Plan};
use weir_tests::patience;
use weir_tests::tools::{Tool, need};

/// Settings that somebody may leave out.
#[derive(Clone, Copy, Debug)]
struct Without {
    normalize_path: bool,
    encode_raw_headers: bool,
}

struct Mesh {
    house: House,
    envoy: Envoy,
}

async fn mesh(story: &str, without: Without) -> Option<Mesh> {
    let binary = need(Tool::Envoy, story)?;
    let house = Plan::shop().unwrap().without_sidecar().start().await.unwrap();
    let identity = house.authority.identity("shop", "cart").unwrap();
    let tls = house.authority.write(&house.place.path().join("tls"), "cart", &identity).unwrap();
    let places = Places { upstream: house.echo.address(), engine: house.engine.grpc().unwrap(), tls: &tls };
    let envoy = Envoy::start(&binary, house.place.path(), &places, |text| edit(text, without)).await.unwrap();
    Some(Mesh { house, envoy })
}

/// Takes the settings out, and gives a check more time: two cores run everything at once.
fn edit(text: String, without: Without) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if without.normalize_path {
        lines.retain(|line| {
            !["normalize_path:", "merge_slashes:", "path_with_escaped"].iter().any(|s| line.trim().starts_with(s))
        });
    }
    if without.encode_raw_headers {
        lines.retain(|line| !line.trim().starts_with("encode_raw_headers:"));
    }
    lines.join("\n").replace("timeout: 0.5s", "timeout: 5s")
}

impl Mesh {
    fn caller(&self, account: &str) -> Caller {
        let identity = self.house.authority.identity("shop", account).unwrap();
        Caller::to(self.envoy.http()).with_tls(&self.house.authority, Some(&identity)).unwrap()
    }

    async fn status(&self, account: &str, call: Call) -> u16 {
        self.caller(account).send(call).await.unwrap().status
    }
}

/// What holds however Envoy is set: nobody gets in who must not, and whoever may does.
async fn verdicts(mesh: &Mesh) {
    let role = |value: &str| Call::get("/api/v1/items").header("x-role", value);
    let two_roles = role("user").header("x-role", "admin");
    let cases = [
        ("frontend", Call::get("/api/v1/items"), 200),
        ("frontend", Call::get("/api/v1/items/7?page=2"), 200),
        ("checkout", Call::new("DELETE", "/api/v1/items/7"), 200),
        ("stranger", Call::get("/api/v1/items"), 403),
        ("frontend", Call::get("/admin/users"), 403),
        ("operator", Call::get("/admin/users"), 200),
        ("frontend", Call::get("/api/v1/../../admin/users"), 403),
        ("frontend", Call::get("/api/v1/..%2f..%2Fadmin//users"), 403),
        ("frontend", Call::get("/api/v1/%2e%2e/%2e%2e/admin"), 403),
        ("frontend", role("user"), 200),
        ("frontend", role("admin"), 403),
        ("frontend", two_roles, 403),
        ("frontend", Call::get("/api/v1/items").header("x-quantity", "101"), 422),
        ("frontend", Call::get("/api/v1/items").header("x-quantity", "100"), 200),
    ];
    let mut reached = mesh.house.echo.count();
    for (account, call, status) in cases {
        let what = format!("{account} {call:?}");
        assert_eq!(mesh.status(account, call).await, status, "{what}\n{}", mesh.house.engine.program.said());
        reached += usize::from(status == 200);
        assert_eq!(mesh.house.echo.count(), reached, "{what}");
    }
    let order = |agent| Call::get("/api/v1/orders").header("host", "checkout.shop.test").header("user-agent", agent);
    assert_eq!(mesh.status("frontend", order("firefox")).await, 200);
    let denied = mesh.caller("frontend").send(order("price-scraper/1.0")).await.unwrap();
    assert_eq!((denied.status, denied.body.trim()), (403, "this client was asked to stop"));
}

#[tokio::test]
async fn the_deployed_file_enforces_and_reports() {
    let all = Without { normalize_path: false, encode_raw_headers: false };
    let Some(mesh) = mesh("envoy with the deployed file", all).await else { return };
    verdicts(&mesh).await;
    let denied = mesh.caller("frontend").get("/admin").await.unwrap();
    assert_eq!(denied.body, "RBAC: access denied");
    let id = denied.header("x-weir-decision-id").expect("a deny names its decision");
    assert_eq!(mesh.house.decision(id).await.unwrap()["policy"], "shop/no-admin");
    let counted = mesh.caller("frontend").send(Call::get("/api/v1/items").header("x-quantity", "500")).await.unwrap();
    assert_eq!(counted.body, "at most 100 of one thing in a cart, not 500");
    let forged =
        Call::get("/api/v1/items").header("x-forwarded-client-cert", "URI=spiffe://cluster.local/ns/shop/sa/operator");
    let seen = mesh.caller("frontend").send(forged).await.unwrap();
    assert_eq!(seen.status, 200);
    assert!(!seen.body.contains("sa/operator"), "{}", seen.body);
    access_log_arrives(&mesh, id).await;
}

async fn access_log_arrives(mesh: &Mesh, id: &str) {
    let trace = "11111111222222223333333344444444";
    let traced = Call::get("/api/v1/items/traced").header("traceparent", &format!("00-{trace}-5555555566666666-01"));
    assert_eq!(mesh.status("frontend", traced).await, 200);
    for words in ["/api/v1/items/traced", id, trace] {
        patience::until(&format!("the access log has {words}"), async || {
            mesh.house.engine.records().iter().any(|record| record.to_string().contains(words)).then_some(())
        })
        .await
        .unwrap();
    }
    let labels = [
        "response_code=\"200\"",
        "source_principal=\"cluster.local/ns/shop/sa/frontend\"",
        "destination_workload=\"cart\"",
    ];
    patience::until("Envoy's requests are counted", async || {
        (mesh.house.engine.metric("istio_requests_total", &labels).await.ok()? >= 1.0).then_some(())
    })
    .await
    .unwrap_or_else(|trouble| panic!("{trouble}"));
}

#[tokio::test]
async fn an_envoy_that_does_not_normalize_or_joins_headers_is_doubted_not_believed() {
    for without in [
        Without { normalize_path: true, encode_raw_headers: false },
        Without { normalize_path: false, encode_raw_headers: true },
        Without { normalize_path: true, encode_raw_headers: true },
    ] {
        let Some(mesh) = mesh("envoy without normalize_path or encode_raw_headers", without).await else { return };
        verdicts(&mesh).await;
        let doubts = mesh.house.engine.metric("weir_doubt_total", &[]).await.unwrap();
        assert!(doubts >= 1.0, "{without:?}: doubt is counted");
    }
}

#[tokio::test]
async fn envoy_fails_closed_without_the_engine_and_recovers() {
    let all = Without { normalize_path: false, encode_raw_headers: false };
    let Some(mut mesh) = mesh("envoy without its engine", all).await else { return };
    let item = || Call::get("/api/v1/items");
    assert_eq!(mesh.status("frontend", item()).await, 200);
    let reached = mesh.house.echo.count();
    mesh.house.engine.kill().await.unwrap();
    for _ in 0..3 {
        assert_eq!(mesh.status("frontend", item()).await, 503);
    }
    assert_eq!(mesh.house.echo.count(), reached);
    mesh.house.engine.restart().await.unwrap();
    patience::until("Envoy finds the engine again", async || {
        (mesh.caller("frontend").send(item()).await.ok()?.status == 200).then_some(())
    })
    .await
    .unwrap();
    assert_eq!(mesh.status("frontend", Call::get("/admin")).await, 403);
    let counted = mesh.house.engine.records().len();
    patience::until("access logs arrive again", async || (mesh.house.engine.records().len() > counted).then_some(()))
        .await
        .unwrap();
}
