//! The steps of the tour, in order.

use super::{Act, Place, Promise, Step};
use crate::client::Call;

/// The trace that the first request belongs to, so that its span can be found again.
pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What only a forged identity header says.
pub const FORGED: &str = "Hash=f0f0f0f0";

/// A policy with a misspelt field: refused with file, line and column.
const TYPO: &str = "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart-readers, namespace: shop}
spec:
  action: ALLOW
  rules:
    - to:
        - operation: {metods: [GET]}
";

/// All of them.
pub fn all() -> Vec<Step> {
    [who(), tricks(), numbers_and_plugins(), faults()].into_iter().flatten().collect()
}

fn item(number: u32) -> Call {
    Call::get(&format!("/api/v1/items/{number}"))
}

fn step(title: &'static str, caller: &'static str, act: Act, promise: Promise) -> Step {
    Step { title, caller, act, promise }
}

fn engine(status: u16, by: &'static str, says: &'static str) -> Promise {
    Promise { status, by, place: Place::Engine, says }
}

fn who() -> Vec<Step> {
    let traced = || item(1).header("traceparent", &format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let allowed = engine(200, "shop/cart-callers, rule 0", "/api/v1/items/1");
    let nobody = engine(403, "no ALLOW rule matches", "RBAC: access denied");
    vec![
        step("GET /api/v1/items/1", "shop/frontend", Act::Cart(traced()), allowed),
        step(
            "the same again",
            "shop/frontend",
            Act::Cart(item(1)),
            Promise { by: "the same verdict", place: Place::Cache, ..allowed },
        ),
        step("GET /api/v1/items/1", "marketing/banner", Act::Cart(item(1)), nobody),
        step(
            "the same, x-forwarded-client-cert: …/sa/frontend",
            "marketing/banner",
            Act::Cart(item(2).header(
                "x-forwarded-client-cert",
                &format!("{FORGED};URI=spiffe://cluster.local/ns/shop/sa/frontend"),
            )),
            nobody,
        ),
    ]
}

fn tricks() -> Vec<Step> {
    vec![
        step(
            "GET /api/v1/..%2f..%2Fadmin//users",
            "shop/frontend",
            Act::Cart(Call::get("/api/v1/..%2f..%2Fadmin//users")),
            engine(403, "shop/no-admin, rule 0", "RBAC: access denied"),
        ),
        step(
            "GET /api/v1/items/1, x-role: user, x-role: admin",
            "shop/frontend",
            Act::Cart(item(1).header("x-role", "user").header("x-role", "admin")),
            engine(403, "shop/no-borrowed-roles, rule 0", "RBAC: access denied"),
        ),
    ]
}

fn numbers_and_plugins() -> Vec<Step> {
    let orders = |agent| Call::get("/api/v1/orders").header("user-agent", agent);
    vec![
        step(
            "POST /api/v1/items/1, x-quantity: 500",
            "shop/frontend",
            Act::Cart(Call::new("POST", "/api/v1/items/1").header("x-quantity", "500").body("{}")),
            engine(422, "shop/cart-limits, too-many", "at most 100 of one thing in a cart, not 500"),
        ),
        step(
            "DELETE /api/v1/items/1 (audited)",
            "shop/checkout",
            Act::Cart(Call::new("DELETE", "/api/v1/items/1")),
            engine(200, "shop/cart-callers, rule 1", "DELETE"),
        ),
        step(
            "GET /api/v1/orders, user-agent: price-scraper/1.0",
            "shop/frontend",
            Act::Checkout(orders("price-scraper/1.0")),
            engine(403, "shop/scrapers (plugin)", "this client was asked to stop"),
        ),
        step(
            "GET /api/v1/orders, user-agent: firefox",
            "shop/frontend",
            Act::Checkout(orders("firefox")),
            engine(200, "shop/checkout-callers, rule 0", "/api/v1/orders"),
        ),
    ]
}

fn faults() -> Vec<Step> {
    let proxy = |status, by, says| Promise { status, by, place: Place::Proxy, says };
    let reading = Promise { status: 0, by: "typo.yaml:8:", place: Place::Configuration, says: "metods" };
    let allowed = engine(200, "shop/cart-callers, rule 0", "/api/v1/items/");
    vec![
        step("a policy with a typo is dropped into the folder", "", Act::BadPolicy("typo.yaml", TYPO), reading),
        step("GET /api/v1/items/2: the last good one serves", "shop/frontend", Act::Cart(item(2)), allowed),
        step(
            "kill -9 the engine, GET /api/v1/items/3",
            "shop/frontend",
            Act::KillThen(item(3)),
            proxy(503, "fail closed", ""),
        ),
        step(
            "start it again, GET /api/v1/items/3",
            "shop/frontend",
            Act::RestartThen(item(3)),
            engine(200, "shop/cart-callers, rule 0", "/api/v1/items/3"),
        ),
    ]
}
