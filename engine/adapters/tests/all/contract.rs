//! The contract: what was built against 1.0.0 runs, and what was not granted is not there.

use std::sync::{Arc, Mutex};

use serde_json::Value as Json;
use weir_adapters::{
    AdapterDecision, AdapterSpec, Cause, Error, Grants, HeaderOp, Host, HostOptions, Limits, SinkTarget, StoreSize,
    Upstream, Value, World,
};
use weir_attributes::{Bag, slot};

use crate::guests::host;

/// Built when the contract was frozen, and never again.
const V1_0_0: &[u8] = include_bytes!("../fixtures/v1.0.0.wasm");

pub(crate) fn everything() -> Grants {
    let upstream =
        Upstream { url: "http://127.0.0.1:9".into(), timeout: std::time::Duration::from_millis(100), per_second: 10 };
    Grants {
        kv: [("seen".to_owned(), StoreSize::default())].into(),
        lookup: ["workloads".to_owned()].into(),
        http_out: [("authz".to_owned(), upstream)].into(),
        sinks: [("out".to_owned(), SinkTarget::Udp("127.0.0.1:9".into()))].into(),
        ..Grants::telemetry()
    }
}

pub(crate) fn built_then(grants: Grants) -> AdapterSpec {
    AdapterSpec {
        wasm: V1_0_0.into(),
        origin: "v1.0.0.wasm".into(),
        config: Json::Null,
        limits: Limits { instances: 2, ..Limits::generous() },
        grants,
        bindings: Vec::new(),
        condition: None,
    }
}

fn with_workloads(host: Host) -> Host {
    let row = vec![("owner".to_owned(), Value::Text("shop".into()))];
    host.set_table("workloads", [("10.0.0.1".into(), row)].into());
    host
}

#[tokio::test]
async fn a_plugin_of_1_0_0_runs_in_this_host() {
    let host = with_workloads(host());
    let adapter = host.load("then", built_then(everything())).await.unwrap();
    let bag = Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_HOST, "shop.test")
        .int(slot::REQUEST_SIZE, 7)
        .header("x-team", "blue")
        .build();
    let verdict = adapter.check(&bag).await.unwrap();
    let again = adapter.check(&bag).await.unwrap();
    assert_eq!((verdict.decision, verdict.status), (AdapterDecision::Deny, Some(429)));
    assert_eq!(verdict.headers, [HeaderOp::Set("x-a".into(), "1".into()), HeaderOp::Remove("x-b".into())]);
    assert_eq!(verdict.metadata, [("team".to_owned(), Value::Text("blue".into()))]);
    for (verdict, said) in [(&verdict, "count=1 first=true"), (&again, "count=2 first=false")] {
        let rest = "last=blue owner=shop";
        assert!(verdict.reason.starts_with(&format!("{said} {rest}")), "{}", verdict.reason);
        assert!(verdict.reason.ends_with("host=shop.test denied=RefusalCode::Denied bound="), "{}", verdict.reason);
    }
}

#[tokio::test]
async fn nothing_goes_out_of_a_call_whose_answer_cannot_be_used() {
    let emitted = Arc::new(Mutex::new(0));
    let outlet = {
        let emitted = emitted.clone();
        Arc::new(move |_| *emitted.lock().unwrap() += 1)
    };
    let host = Host::new(HostOptions { outlet: Some(outlet), ..HostOptions::default() }).unwrap();
    let mut broken = V1_0_0.to_vec();
    let names = b"x-ax-b";
    let at = broken.windows(names.len()).position(|window| window == names).unwrap();
    // A verdict that removes the header `x b`, which is no name.
    broken[at..at + names.len()].copy_from_slice(b"x-ax b");
    let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").build();
    for (what, wasm, messages) in [("sound", V1_0_0.to_vec(), 1), ("broken", broken, 0)] {
        let spec = AdapterSpec { wasm: wasm.into(), ..built_then(everything()) };
        let adapter = host.load(what, spec).await.unwrap();
        *emitted.lock().unwrap() = 0;
        let answer = adapter.check(&bag).await.map_err(|failure| failure.cause);
        assert_eq!(matches!(answer, Err(Cause::Output(_))), messages == 0, "{what}: {answer:?}");
        assert_eq!(adapter.stats().sinks[0].1.observed, messages, "{what}: messages for the sink");
        assert_eq!(*emitted.lock().unwrap(), messages, "{what}: emissions");
    }
}

#[tokio::test]
async fn what_is_asked_for_and_not_granted_is_refused_with_its_name() {
    type Take = fn(&mut Grants);
    let missing: [(&str, Take); 8] = [
        ("log", |grants| grants.log = false),
        ("metrics", |grants| grants.metrics = false),
        ("records", |grants| grants.records = false),
        ("spans", |grants| grants.spans = false),
        ("kv seen", |grants| grants.kv.clear()),
        ("lookup workloads", |grants| grants.lookup.clear()),
        ("httpOut authz", |grants| grants.http_out.clear()),
        ("sinks out", |grants| grants.sinks.clear()),
    ];
    for (name, take) in missing {
        let mut grants = everything();
        take(&mut grants);
        let error = host().load("then", built_then(grants)).await.unwrap_err();
        assert!(matches!(&error, Error::NotGranted { capability, .. } if capability == name), "{name}: {error}");
        assert!(error.to_string().contains(&format!("the plugin asks for {name}, which is not granted")), "{error}");
    }
}

#[tokio::test]
async fn inspect_tells_world_imports_and_what_is_imported_unasked() {
    let inspection = weir_adapters::inspect(V1_0_0, "x.wasm").unwrap();
    assert_eq!(inspection.manifest.world, World::Check);
    assert!(inspection.imports.iter().any(|import| import == "weir:plugin/kv@1.0.0"), "{:?}", inspection.imports);
    assert!(inspection.unasked.is_empty());
    let mut bytes = V1_0_0.to_vec();
    let asks = b"\"log\":true,";
    let at = bytes.windows(asks.len()).position(|window| window == asks).unwrap();
    // Same length: the section's size stays right.
    bytes[at..at + asks.len()].copy_from_slice(b"           ");
    let inspection = weir_adapters::inspect(&bytes, "x.wasm").unwrap();
    assert_eq!(inspection.unasked, ["weir:plugin/log@1.0.0"]);
    assert!(!inspection.manifest.capabilities.log);
    // Granted or not, what the manifest does not ask for answers `denied`: the plugin goes on without its log.
    let adapter = host().load("then", AdapterSpec { wasm: bytes.into(), ..built_then(everything()) }).await.unwrap();
    adapter.check(&Bag::builder().text(slot::REQUEST_METHOD, "GET").build()).await.unwrap();
}
