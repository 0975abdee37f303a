//! A plugin that misbehaves hurts nobody: each call ends, with a reason, and the next one works.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use weir_adapters::{Adapter, AdapterDecision, Cause, Error, Limits};
use weir_attributes::{Bag, slot};

use crate::guests::{host, load, spec};

fn told_to(act: &str) -> Bag {
    Bag::builder().text(slot::REQUEST_METHOD, "GET").header("x-do", act).build()
}

async fn misbehave(limits: Limits) -> Adapter {
    host().load("test-misbehave", weir_adapters::AdapterSpec { limits, ..spec("misbehave", Json::Null) }).await.unwrap()
}

async fn cause(adapter: &Adapter, act: &str) -> Cause {
    adapter.check(&told_to(act)).await.expect_err(act).cause
}

#[tokio::test]
async fn every_misdeed_has_its_cause_and_the_next_call_works() {
    let adapter = misbehave(Limits { instances: 1, breaker: false, ..Limits::generous() }).await;
    let output = |text: &str| Cause::Output(text.into());
    let cases = [
        ("trap", Cause::Trap("wasm `unreachable` instruction executed".into()), true),
        ("memory", Cause::Memory(16 << 20), true),
        ("giant-message", output("more than its limit of 1048576 bytes"), true),
        ("many-headers", output("more than its limit of 1048576 bytes"), true),
        ("bad-utf8", Cause::Trap("invalid utf-8 sequence of 1 bytes from index 0".into()), true),
        ("wild-pointer", Cause::Trap("string pointer/length out of bounds of memory".into()), true),
        ("bad-status", output("status 42 is not in 200 to 599"), false),
        ("bad-header", output("a header operation's value has a control character"), false),
        ("fail", Cause::Refused("unavailable: as I was told".into()), false),
    ];
    let mut restarts = 0;
    for (act, expected, fatal) in cases {
        assert_eq!(cause(&adapter, act).await, expected, "{act}");
        restarts += u64::from(fatal);
        assert_eq!(adapter.check(&told_to("")).await.unwrap().decision, AdapterDecision::Allow, "after {act}");
        assert_eq!(adapter.stats().restarts, restarts, "{act}");
    }
    let stats = adapter.stats();
    assert_eq!((stats.calls, stats.traps, stats.timeouts, stats.errors, stats.instances), (18, 4, 0, 5, 1));
}

#[tokio::test]
async fn deep_recursion_traps() {
    let adapter = misbehave(Limits { instances: 1, breaker: false, ..Limits::generous() }).await;
    let Cause::Trap(text) = cause(&adapter, "recurse").await else { panic!("no trap") };
    assert!(text.contains("stack") || text.contains("out of bounds"), "{text}");
}

#[tokio::test]
async fn an_endless_loop_yields_to_others_and_ends_at_its_deadline() {
    let check_time = Duration::from_secs(2);
    let adapter = misbehave(Limits { check_time, instances: 2, breaker: false, ..Limits::generous() }).await;
    let looping = tokio::spawn({
        let adapter = adapter.clone();
        async move {
            let begun = Instant::now();
            (cause(&adapter, "loop").await, begun.elapsed())
        }
    });
    tokio::task::yield_now().await;
    // One thread: these answers come only because the loop yields.
    for _ in 0..5 {
        assert_eq!(adapter.check(&told_to("")).await.unwrap().decision, AdapterDecision::Allow);
    }
    assert!(!looping.is_finished(), "the loop ended before its deadline");
    let (cause, took) = looping.await.unwrap();
    assert_eq!(cause, Cause::Timeout(check_time));
    assert!(took >= check_time, "{took:?}");
    assert_eq!(adapter.stats().timeouts, 1);
}

#[tokio::test]
async fn sleeping_in_the_host_ends_at_the_deadline_too() {
    let check_time = Duration::from_millis(50);
    let adapter = misbehave(Limits { check_time, instances: 1, breaker: false, ..Limits::generous() }).await;
    assert_eq!(cause(&adapter, "sleep").await, Cause::Timeout(check_time));
}

#[tokio::test]
async fn a_call_that_finds_no_free_instance_ends_at_its_deadline() {
    let check_time = Duration::from_millis(100);
    let adapter = misbehave(Limits { check_time, instances: 1, breaker: false, ..Limits::generous() }).await;
    let bag = told_to("loop");
    let (first, second) = tokio::join!(adapter.check(&bag), adapter.check(&bag));
    assert_eq!(first.unwrap_err().cause, Cause::Timeout(check_time));
    // The first one's instance may be replaced just before the second gives up.
    let second = second.unwrap_err().cause;
    assert!(matches!(second, Cause::Busy(_) | Cause::Timeout(_)), "{second:?}");
    assert_eq!(adapter.stats().timeouts, 2);
}

#[tokio::test]
async fn an_abandoned_call_costs_its_instance_and_nothing_else() {
    let adapter = misbehave(Limits { instances: 1, breaker: false, ..Limits::generous() }).await;
    let abandoned = tokio::time::timeout(Duration::from_millis(20), adapter.check(&told_to("loop"))).await;
    assert!(abandoned.is_err());
    assert_eq!(adapter.check(&told_to("")).await.unwrap().decision, AdapterDecision::Allow);
    assert_eq!(adapter.stats().restarts, 1);
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut_and_counted() {
    let adapter =
        misbehave(Limits { instances: 1, log_lines_per_second: 10, breaker: false, ..Limits::generous() }).await;
    adapter.check(&told_to("log")).await.unwrap();
    let dropped = adapter.stats().log_lines_dropped;
    assert!((190_000..=199_990).contains(&dropped), "{dropped}");
}

#[tokio::test]
async fn nothing_of_the_machine_is_seen_from_inside() {
    let adapter = misbehave(Limits { breaker: false, ..Limits::generous() }).await;
    assert_eq!(adapter.check(&told_to("look-around")).await.unwrap().reason, format!("{:?}", [false; 7]));
    assert_eq!(adapter.check(&told_to("print")).await.unwrap().decision, AdapterDecision::Abstain);
}

#[tokio::test]
async fn a_plugin_that_does_not_start_is_not_loaded() {
    let quick = Limits { configure_time: Duration::from_millis(100), breaker: false, ..Limits::generous() };
    for (act, expected) in [
        ("fail", "configure failed: unavailable: as I was told"),
        ("trap", "configure trapped: wasm `unreachable` instruction executed"),
        ("loop", "configure took longer than its limit of 100ms"),
    ] {
        let spec = spec("misbehave", json!({ "configure": act }));
        let error = host()
            .load("test-misbehave", weir_adapters::AdapterSpec { limits: quick.clone(), ..spec })
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Start(_)), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    }
    let small = Limits { memory_bytes: 1 << 20, breaker: false, ..Limits::generous() };
    let spec = spec("misbehave", Json::Null);
    let error = host()
        .load("test-misbehave", weir_adapters::AdapterSpec { limits: small, ..spec })
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("more than its limit of 1048576 bytes of memory"), "{error}");
}

#[tokio::test]
async fn two_hundred_traps_leave_as_many_instances_as_before() {
    let adapter = load("misbehave", Json::Null).await.unwrap();
    let before = adapter.stats();
    for _ in 0..200 {
        assert!(matches!(cause(&adapter, "trap").await, Cause::Trap(_)));
    }
    adapter.check(&told_to("")).await.unwrap();
    adapter.check(&told_to("")).await.unwrap();
    let after = adapter.stats();
    assert_eq!((after.traps, after.restarts), (200, 200));
    assert!(after.instances <= before.instances && after.memory_bytes <= before.memory_bytes, "{before:?} {after:?}");
}
