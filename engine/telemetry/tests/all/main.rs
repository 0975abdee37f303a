//! Telemetry through its public face: what goes in, and what comes out of each sink.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{sync::Arc, time::Duration};

use weir_attributes::{Bag, slot};
use weir_telemetry::{Decision, DecisionId, Outcome, Reads, Redactor};

mod canary;
mod decision_log;
mod exposition;
mod otlp;

/// Longer than anything here takes; reaching it is a failure.
const LONG: Duration = Duration::from_secs(20);

fn redactor() -> Arc<Redactor> {
    Arc::new(Redactor::with_key(b"a key of these tests, 32 bytes..").expect("long enough"))
}

/// A request with much in it.
fn bag() -> Bag {
    Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_PATH, "/orders/1?token=s3cret")
        .text(slot::REQUEST_URL_PATH, "/orders/1")
        .text(slot::REQUEST_HOST, "shop.example")
        .text(slot::SOURCE_PRINCIPAL, "cluster.local/ns/web/sa/front")
        .text(slot::SOURCE_IP, "10.0.0.7")
        .int(slot::DESTINATION_PORT, 8080)
        .bool(slot::CONNECTION_MTLS, true)
        .header("x-role", "user")
        .header("x-role", "admin")
        .header("authorization", "Bearer s3cret-token")
        .build()
}

fn decision(outcome: Outcome, number: u128) -> Decision {
    Decision {
        id: DecisionId(number),
        time: 1_700_000_000_123_456_789,
        duration: Duration::from_nanos(4_321),
        snapshot: "v7".into(),
        workload: Some("shop/orders".into()),
        door: "ext_authz",
        outcome,
        status: if outcome == Outcome::Deny { 403 } else { 0 },
        reason: if outcome == Outcome::Deny { "denied-by-rule" } else { "allowed-by-rule" },
        policy: Some("shop/no-admins".into()),
        rule: Some("roles".into()),
        message: None,
        audit: Vec::new(),
        dry_run: Vec::new(),
        adapters: Vec::new(),
        in_doubt: false,
        reads: Arc::new(Reads::new(
            vec![slot::REQUEST_METHOD, slot::DESTINATION_PORT, slot::CONNECTION_MTLS, slot::REQUEST_ID],
            vec!["x-role".into(), "x-absent".into(), "authorization".into()],
            false,
        )),
        bag: bag(),
    }
}
