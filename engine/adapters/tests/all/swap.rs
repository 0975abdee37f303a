//! Generations: one after the other behind one handle, and the old one for as long as the new one is not good.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use weir_adapters::{AdapterDecision, AdapterSpec, Cause, Emitted, Error, Host, HostOptions, Limits, StoreSize};
use weir_attributes::{Bag, slot};

use crate::guests::{host, spec};
use crate::stress::{held, resident};

fn from(ip: &str) -> Bag {
    Bag::builder().text(slot::SOURCE_IP, ip).build()
}

fn denying(ip: &str) -> AdapterSpec {
    spec("deny-list", json!({"attribute": "source.ip", "list": [ip]}))
}

#[tokio::test]
async fn a_pending_adapter_has_no_answer_and_a_swap_is_seen_by_the_next_call() {
    let (host, bag) = (host(), from("10.0.0.1"));
    let adapter = host.adapter("a");
    assert_eq!(adapter.check(&bag).await.unwrap_err().cause, Cause::Pending);
    assert!(!adapter.status().ready);
    let stats = adapter.stats();
    assert_eq!((stats.held_back, stats.last_error), (1, None), "it was not called: that is no failure of the plugin");
    for (generation, ip, expected) in
        [(1, "10.0.0.1", AdapterDecision::Deny), (2, "10.0.0.2", AdapterDecision::Abstain)]
    {
        let sound = host.look_at("a", denying(ip)).unwrap();
        adapter.install(host.start(&adapter, sound).await.unwrap());
        assert_eq!(adapter.check(&bag).await.unwrap().decision, expected);
        assert_eq!(adapter.status().generation, generation);
    }
}

#[tokio::test]
async fn a_new_generation_that_fails_at_any_step_leaves_the_old_one_serving() {
    let host = host();
    let adapter = host.load("a", denying("10.0.0.1")).await.unwrap();
    let plugin = |config: Json, limits: Limits| AdapterSpec { limits, ..spec("misbehave", config) };
    let usual = Limits { configure_time: Duration::from_millis(300), ..Limits::generous() };
    let small = Limits { memory_bytes: 1 << 20, ..usual.clone() };
    let steps = [
        ("bytes", AdapterSpec { wasm: "no".into(), ..denying("x") }, "not WebAssembly"),
        ("schema", plugin(json!({"configure": 1}), usual.clone()), "config.configure"),
        ("configure fails", plugin(json!({"configure": "fail"}), usual.clone()), "configure failed"),
        ("configure traps", plugin(json!({"configure": "trap"}), usual.clone()), "configure trapped"),
        ("configure loops", plugin(json!({"configure": "loop"}), usual.clone()), "configure took longer"),
        ("instantiate", plugin(Json::Null, small), "bytes of memory"),
        ("self-test", plugin(json!({"configure": "self-test"}), usual), "self-test failed: as I was told"),
    ];
    for (step, spec, expected) in steps {
        let error: Error = match host.look_at("a", spec) {
            Err(error) => error,
            Ok(sound) => host.start(&adapter, sound).await.map(|_| ()).expect_err(step),
        };
        assert!(error.to_string().contains(expected), "{step}: {error}");
        adapter.refuse(error.to_string());
        assert_eq!(adapter.check(&from("10.0.0.1")).await.unwrap().decision, AdapterDecision::Deny, "{step}");
        let status = adapter.status();
        assert!(status.ready && status.generation == 1 && status.refused.is_some(), "{step}: {status:?}");
    }
}

/// One of two components in turn, both in the cache: the other has a custom section more, and another digest.
fn of_two(swap: u64) -> AdapterSpec {
    let one = denying(if swap.is_multiple_of(2) { "10.0.0.2" } else { "10.0.0.1" });
    match swap.is_multiple_of(2) {
        true => AdapterSpec { wasm: [&one.wasm[..], b"\x00\x05\x04note"].concat().into(), ..one },
        false => one,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaps_under_load_fail_no_check_and_leave_nothing_behind() {
    // A thousand of them in `make stress`.
    let swaps = crate::stress::many(50, 1000);
    let host = host();
    let adapter = host.load("a", denying("10.0.0.1")).await.unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let load = (0..2).map(|_| {
        let (adapter, stop) = (adapter.clone(), stop.clone());
        tokio::spawn(async move {
            let (bag, mut calls) = (from("10.0.0.1"), 0u64);
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let verdict = adapter.check(&bag).await.expect("a check failed during a swap");
                assert_ne!(verdict.decision, AdapterDecision::Allow);
                calls += 1;
                tokio::task::yield_now().await;
            }
            calls
        })
    });
    let load: Vec<_> = load.collect();
    let (mut before, mut memory) = (held(), resident());
    for swap in 0..swaps {
        if swap == 20 {
            (before, memory) = (held(), resident());
        }
        let sound = host.look_at("a", of_two(swap)).unwrap();
        adapter.install(host.start(&adapter, sound).await.unwrap());
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for load in load {
        assert!(load.await.unwrap() > 0);
    }
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while adapter.stats().instances > 2 {
        assert!(std::time::Instant::now() < deadline, "{} instances are left", adapter.stats().instances);
        tokio::task::yield_now().await;
    }
    assert_eq!(adapter.status().generation, swaps + 1);
    let after = held();
    assert!(after.0 <= before.0 + 1 && after.1 <= before.1 + 1, "threads and files: {before:?} then {after:?}");
    let now = resident();
    println!(
        "{swaps} swaps: {memory} bytes resident after the 20th, {now} at the end; threads and files {before:?}, {after:?}"
    );
    // Among other tests the figure is theirs too.
    if !cfg!(debug_assertions) {
        assert!(now as f64 <= memory as f64 * 1.05, "{memory} bytes resident after the 20th swap, {now} at the end");
    }
}

/// A request of that team: the plugin counts them in its store.
fn of(team: &str) -> Bag {
    Bag::builder().text(slot::REQUEST_METHOD, "GET").header("x-team", team).build()
}

#[tokio::test]
async fn a_candidate_that_never_serves_leaves_the_stores_as_they_are() {
    let host = host();
    let adapter = host.load("then", crate::contract::built_then(crate::contract::everything())).await.unwrap();
    let mut counted = Vec::new();
    let mut ask = async |what: &str| {
        let said = adapter.check(&of("blue")).await.unwrap().reason;
        counted.push(format!("{what}: {}", said.split(' ').next().unwrap()));
    };
    ask("before").await;
    let mut grants = crate::contract::everything();
    grants.kv.insert("seen".into(), StoreSize { entries: 1, bytes: 1 });
    let sound = host.look_at("then", crate::contract::built_then(grants)).unwrap();
    let generation = host.start(&adapter, sound).await.unwrap();
    ask("started").await;
    adapter.install(generation);
    ask("installed").await;
    assert_eq!(counted, ["before: count=1", "started: count=2", "installed: count=1"], "a byte holds nothing");
}

#[tokio::test]
async fn an_old_generation_drains_and_stores_outlive_it() {
    let emitted = Arc::new(Mutex::new(Vec::<Emitted>::new()));
    let outlet = {
        let emitted = emitted.clone();
        Arc::new(move |one: Emitted| emitted.lock().unwrap().push(one))
    };
    let host = Host::new(HostOptions { outlet: Some(outlet), ..HostOptions::default() }).unwrap();
    let spec = || crate::contract::built_then(crate::contract::everything());
    let adapter = host.load("then", spec()).await.unwrap();
    let bag = of("blue");
    let first = adapter.check(&bag).await.unwrap().reason;
    assert!(first.starts_with("count=1 first=true"), "{first}");
    let sound = host.look_at("then", spec()).unwrap();
    adapter.install(host.start(&adapter, sound).await.unwrap());
    let second = adapter.check(&bag).await.unwrap().reason;
    assert!(second.starts_with("count=2 first=false"), "the store was emptied by the swap: {second}");
    {
        let emitted = emitted.lock().unwrap();
        assert_eq!(emitted.len(), 2, "what a check emits goes out");
        assert_eq!((emitted[0].emissions.len(), emitted[0].families.len()), (4, 2));
    }
    // `drain` counts under this name too.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    for asked in 1u64.. {
        let said = adapter.check(&of("drains")).await.unwrap().reason;
        let count: u64 = said.trim_start_matches("count=").split(' ').next().unwrap().parse().unwrap();
        if count > asked {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "the old generation has not drained");
    }
}
