//! PeerAuthentication with the real engine and sidecar: who may connect, port by port, also after a reload.

use crate::story::{allow, workload};
use weir_tests::client::{Call, Caller};
use weir_tests::house::{House, Plan};
use weir_tests::{Outcome, patience};

fn plan() -> Plan {
    Plan::empty()
        .document("cart.yaml", &workload("cart", "shop"))
        .document("open.yaml", &allow("open", "shop", "/open"))
}

/// A PeerAuthentication for the cart, with the modes of ports behind it.
fn peers(mode: &str, ports: &[(u16, &str)]) -> String {
    let ports: String = ports.iter().map(|(port, mode)| format!("\n    {port}: {{mode: {mode}}}")).collect();
    let level = if ports.is_empty() { String::new() } else { format!("  portLevelMtls:{ports}\n") };
    format!(
        "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: cart, namespace: shop}}\nspec:\n  \
         selector: {{matchLabels: {{app: cart}}}}\n  mtls: {{mode: {mode}}}\n{level}"
    )
}

struct Callers {
    plain: Caller,
    secured: Caller,
}

impl Callers {
    fn of(house: &House) -> Self {
        Self { plain: house.plain_caller().unwrap(), secured: house.caller("shop", "frontend").unwrap() }
    }

    /// The status in plaintext and over mutual TLS; none where the connection is closed.
    async fn statuses(&self) -> (Option<u16>, Option<u16>) {
        let status = |answer: Outcome<weir_tests::client::Answer>| answer.ok().map(|answer| answer.status);
        (status(self.plain.get("/open").await), status(self.secured.get("/open").await))
    }
}

/// Waits until the sidecar has heard of that mode.
async fn heard(house: &House, mode: &str) {
    let admin = Caller::to(house.front().unwrap().admin().unwrap());
    patience::until(&format!("the sidecar has heard of {mode}"), async || {
        let status = admin.get("/status").await.ok()?.json();
        (status.pointer("/peers/mode")?.as_str()? == mode).then_some(())
    })
    .await
    .unwrap();
}

async fn set(house: &House, mode: &str, ports: &[(u16, &str)]) {
    house.reload(|folder| folder.put("peers.yaml", &peers(mode, ports))).await.unwrap();
    heard(house, mode).await;
}

#[tokio::test]
async fn each_mode_takes_what_it_says_and_a_reload_flips_it() {
    let house = plan().document("peers.yaml", &peers("STRICT", &[])).start().await.unwrap();
    let callers = Callers::of(&house);
    assert_eq!(callers.statuses().await, (None, Some(200)), "STRICT from the start: there is no moment without it");
    set(&house, "DISABLE", &[]).await;
    assert_eq!(callers.statuses().await, (Some(200), None));
    set(&house, "PERMISSIVE", &[]).await;
    assert_eq!(callers.statuses().await, (Some(200), Some(200)), "one port, told apart by the first byte");
    set(&house, "STRICT", &[]).await;
    assert_eq!(callers.statuses().await, (None, Some(200)));
    house.reload(|folder| folder.remove("peers.yaml")).await.unwrap();
    heard(&house, "UNSET").await;
    assert_eq!(callers.statuses().await, (None, Some(200)), "nothing said: TLS alone, as the flags have it");
    let scrape = house.front().unwrap().scrape().await.unwrap();
    for reason in ["plaintext", "tls"] {
        let labels = format!("reason=\"{reason}\"");
        let refused = "weir_sidecar_connections_refused_total";
        assert!(weir_tests::house::engine::sample(&scrape, refused, &[&labels]) >= 1.0, "{reason}\n{scrape}");
    }
}

#[tokio::test]
async fn a_port_has_its_own_mode() {
    let house = plan().start().await.unwrap();
    let callers = Callers::of(&house);
    let port = house.front().unwrap().http().unwrap().port();
    set(&house, "STRICT", &[(port, "DISABLE")]).await;
    assert_eq!(callers.statuses().await, (Some(200), None));
    set(&house, "DISABLE", &[(port, "STRICT")]).await;
    assert_eq!(callers.statuses().await, (None, Some(200)));
    set(&house, "STRICT", &[(port ^ 1, "DISABLE")]).await;
    assert_eq!(callers.statuses().await, (None, Some(200)), "another port's mode is not ours");
}

#[tokio::test]
async fn connections_that_are_taken_no_longer_end_and_their_requests_never_pass() {
    let house = plan().document("peers.yaml", &peers("PERMISSIVE", &[])).start().await.unwrap();
    let callers = Callers::of(&house);
    let (mut plain, mut secured) = (callers.plain.connect().await.unwrap(), callers.secured.connect().await.unwrap());
    for session in [&mut plain, &mut secured] {
        assert_eq!(session.send(Call::get("/open")).await.unwrap().status, 200);
    }
    set(&house, "STRICT", &[]).await;
    let reached = house.echo.count();
    patience::until("the plaintext connection is closed", async || {
        match plain.send(Call::get("/open")).await {
            // The mode and the verdict come separately: until the connection is closed the engine denies.
            Ok(answer) => {
                assert_eq!(answer.status, 403, "{answer:?}");
                None
            }
            Err(_) => Some(()),
        }
    })
    .await
    .unwrap();
    assert_eq!(house.echo.count(), reached);
    assert_eq!(secured.send(Call::get("/open")).await.unwrap().status, 200, "the other one lives on");
}

#[tokio::test]
async fn the_last_told_mode_outlives_the_engine_and_without_one_nothing_passes() {
    let mut house = plan().document("peers.yaml", &peers("STRICT", &[])).start().await.unwrap();
    let callers = Callers::of(&house);
    assert_eq!(callers.statuses().await, (None, Some(200)));
    house.engine.kill().await.unwrap();
    assert_eq!(callers.statuses().await.0, None, "an engine that is away opens nothing");
    assert_eq!(callers.secured.get("/other").await.unwrap().status, 503);
}
