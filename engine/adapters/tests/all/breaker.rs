//! A plugin that keeps failing is left alone for a while, and nobody else pays for it.

use serde_json::Value as Json;
use weir_adapters::{AdapterSpec, Cause, Limits, QUARANTINE};
use weir_attributes::Bag;

use crate::guests::{host, spec};

fn told_to(act: &str) -> Bag {
    Bag::builder().header("x-do", act).build()
}

#[tokio::test]
async fn three_failures_quarantine_a_plugin_and_a_new_generation_is_not_blamed() {
    let host = host();
    let with =
        || AdapterSpec { limits: Limits { instances: 1, ..Limits::generous() }, ..spec("misbehave", Json::Null) };
    let adapter = host.load("a", with()).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(adapter.check(&told_to("trap")).await.unwrap_err().cause, Cause::Trap(_)));
        adapter.check(&told_to("")).await.unwrap();
    }
    assert!(matches!(adapter.check(&told_to("trap")).await.unwrap_err().cause, Cause::Trap(_)));
    let failure = adapter.check(&told_to("")).await.unwrap_err();
    let Cause::Quarantined(left) = failure.cause else { panic!("{failure}") };
    assert!(left <= QUARANTINE);
    let text = failure.to_string();
    assert!(
        text.starts_with("adapter a (weir/misbehave 0.1.0): check was not called: the plugin failed too often"),
        "{text}"
    );
    let (status, stats) = (adapter.status(), adapter.stats());
    assert!(status.quarantined_ms.is_some());
    assert_eq!((stats.quarantines, stats.held_back, stats.traps, stats.calls), (1, 1, 3, 5));
    let sound = host.look_at("a", with()).unwrap();
    adapter.install(host.start(&adapter, sound).await.unwrap());
    adapter.check(&told_to("")).await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_fails_at_every_call_is_called_a_few_times_only() {
    let times = crate::stress::many(200, 10_000);
    let limits = Limits { instances: 1, ..Limits::generous() };
    let adapter = host().load("a", AdapterSpec { limits, ..spec("misbehave", Json::Null) }).await.unwrap();
    let began = std::time::Instant::now();
    for _ in 0..times {
        let cause = adapter.check(&told_to("trap")).await.unwrap_err().cause;
        assert!(matches!(cause, Cause::Trap(_) | Cause::Quarantined(_)), "{cause:?}");
    }
    let (stats, took) = (adapter.stats(), began.elapsed());
    println!("{times} calls with the breaker: {} reached the plugin, {took:?}", stats.calls);
    assert!(stats.calls <= 3 + took.as_secs(), "{} calls in {took:?}", stats.calls);
    assert_eq!((stats.traps, stats.held_back), (stats.calls, times - stats.calls));
}

#[tokio::test]
async fn a_plugin_that_says_no_politely_is_never_quarantined() {
    let limits = Limits { instances: 1, ..Limits::generous() };
    let adapter = host().load("a", AdapterSpec { limits, ..spec("misbehave", Json::Null) }).await.unwrap();
    for _ in 0..20 {
        assert!(matches!(adapter.check(&told_to("fail")).await.unwrap_err().cause, Cause::Refused(_)));
    }
    let stats = adapter.stats();
    assert_eq!((stats.errors, stats.quarantines, stats.restarts), (20, 0, 0));
}
