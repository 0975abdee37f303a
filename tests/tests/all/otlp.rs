//! Traces, metrics and logs arrive at an OTLP receiver that is not ours.

use serde_json::Value;
use weir_tests::client::Call;
use weir_tests::house::Plan;
use weir_tests::patience;
use weir_tests::process::Program;
use weir_tests::repository;
use weir_tests::tools::{Tool, need};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn a_receiver_in_python_gets_traces_metrics_and_logs() {
    let Some(python) = need(Tool::OtlpPython, "an OTLP receiver that is not ours") else { return };
    let script = repository::root().join("tests/otlp_receiver.py");
    let mut receiver = Program::new("otlp receiver", &python, [script]);
    receiver.start().await.unwrap();
    let endpoint = format!("http://{}", receiver.address("otlp").unwrap());
    let house = Plan::shop().unwrap().engine(&["--otlp-endpoint", &endpoint]).start().await.unwrap();
    let frontend = house.caller("shop", "frontend").unwrap();
    let traced = Call::get("/api/v1/items/1").header("traceparent", &format!("00-{TRACE}-b7ad6b7169203331-01"));
    assert_eq!(frontend.send(traced).await.unwrap().status, 200);
    assert_eq!(frontend.get("/admin").await.unwrap().status, 403);

    let span = wait(&receiver, "traces", &|export| find(export, "traceId", |id| same_id(id, TRACE))).await;
    assert!(span.to_string().contains("/api/v1/items/1") && span.to_string().contains("weir.decision"), "{span}");
    wait(&receiver, "logs", &|export| find(export, "stringValue", |text| text == "/admin")).await;
    wait(&receiver, "metrics", &|export| find(export, "name", |name| name == "istio_requests_total")).await;
}

async fn wait(receiver: &Program, signal: &str, wanted: &dyn Fn(&Value) -> bool) -> Value {
    let limit = std::time::Duration::from_secs(75);
    patience::within(limit, &format!("{signal} arrive"), async || {
        let lines = receiver.output().out;
        let exports = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        exports.filter(|export| export["signal"] == signal).find(|export| wanted(export))
    })
    .await
    .unwrap_or_else(|trouble| panic!("{trouble}: {}", receiver.said()))
}

/// Whether a string under `key`, anywhere inside, is as wanted.
fn find(value: &Value, key: &str, wanted: fn(&str) -> bool) -> bool {
    match value {
        Value::Object(fields) => fields
            .iter()
            .any(|(name, inner)| (name == key && inner.as_str().is_some_and(wanted)) || find(inner, key, wanted)),
        Value::Array(items) => items.iter().any(|inner| find(inner, key, wanted)),
        _ => false,
    }
}

/// protobuf's JSON has bytes as base64.
fn same_id(base64: &str, hex: &str) -> bool {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = String::new();
    for byte in base64.bytes().filter(|byte| *byte != b'=') {
        bits += &format!("{:06b}", DIGITS.iter().position(|digit| *digit == byte).unwrap_or(0));
    }
    let nibbles = bits.as_bytes().chunks_exact(4).map(|four| u8::from_str_radix(std::str::from_utf8(four).unwrap(), 2));
    let text: String = nibbles.map(|nibble| format!("{:x}", nibble.unwrap())).collect();
    text.starts_with(hex)
}
