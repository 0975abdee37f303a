//! The same misdeed again and again, beside a plugin that behaves: 200 of each here, 10,000 in `make stress`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use weir_adapters::{Adapter, AdapterSpec, Limits};
use weir_attributes::{Bag, slot};

use crate::guests::{host, spec};

/// How often: `few` in `make test`, `many` in `make stress`.
pub(crate) fn many(few: u64, many: u64) -> u64 {
    if std::env::var_os("WEIR_STRESS").is_some() { many } else { few }
}

/// How long a call may go on after its deadline: what the issue allows in a release build, and on a busy machine that also
/// compiles far more.
fn grace() -> Duration {
    if cfg!(debug_assertions) { Duration::from_secs(2) } else { Duration::from_millis(10) }
}

/// Resident memory of this process, bytes.
pub(crate) fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// The number of this process's threads and open files.
pub(crate) fn held() -> (usize, usize) {
    let count = |path: &str| std::fs::read_dir(path).unwrap().count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}

fn told_to(act: &str) -> Bag {
    Bag::builder().text(slot::REQUEST_METHOD, "GET").header("x-do", act).build()
}

/// CPU time of this thread.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Median CPU time of a call of a well-behaved plugin, on a thread of its own; how many failed.
fn neighbour(adapter: Adapter, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<(Duration, u64, u64)> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let bag = Bag::builder().text(slot::SOURCE_IP, "10.0.0.1").build();
        let (mut times, mut failed, mut calls) = (Vec::new(), 0, 0);
        while !stop.load(Relaxed) || calls < 200 {
            // Ten at once: reading the clock costs as much as a call.
            let before = cpu();
            for _ in 0..10 {
                failed += u64::from(runtime.block_on(adapter.check(&bag)).is_err());
                calls += 1;
            }
            times.push((cpu() - before) / 10);
            std::thread::sleep(Duration::from_micros(500));
        }
        times.sort();
        (times[times.len() / 2], failed, calls)
    })
}

const MISDEEDS: [&str; 9] =
    ["loop", "trap", "memory", "recurse", "log", "giant-message", "many-headers", "bad-utf8", "bad-header"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misdeeds_end_in_time_hurt_no_other_plugin_and_leave_nothing_behind() {
    let host = host();
    let generous = if cfg!(debug_assertions) { 6 } else { 1 };
    let limits = Limits { instances: 2, breaker: false, ..Limits::default() };
    let limits = Limits { check_time: generous * limits.check_time, configure_time: Duration::from_secs(10), ..limits };
    let bad = AdapterSpec { limits: limits.clone(), ..spec("misbehave", Json::Null) };
    let bad = host.load("bad", bad).await.unwrap();
    let list = json!({"attribute": "source.ip", "list": ["10.0.0.9"]});
    // Unoptimised, among other tests, a machine may be away for longer than the usual deadline.
    let usual = if cfg!(debug_assertions) { Limits::generous() } else { Limits::default() };
    let good = AdapterSpec { limits: Limits { instances: 2, ..usual }, ..spec("deny-list", list) };
    let good = host.load("good", good).await.unwrap();
    let alone = neighbour(good.clone(), Arc::new(AtomicBool::new(true))).join().unwrap();
    let times = many(200, 10_000);
    for act in MISDEEDS {
        // The first call of a kind may make the allocator and the log grow for good.
        let _ = bad.check(&told_to(act)).await;
        let _ = bad.check(&told_to("")).await;
        settle(&bad, limits.instances).await;
        let (memory, held_before) = (resident(), held());
        let stop = Arc::new(AtomicBool::new(false));
        let neighbour = neighbour(good.clone(), stop.clone());
        let (mut longest, began) = (Duration::ZERO, Instant::now());
        for _ in 0..times {
            let call = Instant::now();
            let answer = bad.check(&told_to(act)).await;
            longest = longest.max(call.elapsed());
            assert!(answer.is_err() || act == "log", "{act} had an answer");
        }
        stop.store(true, Relaxed);
        let (median, failed, calls) = neighbour.join().unwrap();
        let per_call = began.elapsed() / times as u32;
        println!(
            "{act:14} {times} times, {per_call:?} each, longest {longest:?}; the neighbour: {calls} calls, {failed} failed, \
             median CPU {median:?} beside {:?} alone",
            alone.0
        );
        assert_eq!(failed, 0, "{act}: calls of the other plugin failed, or ended after their deadline");
        // Unoptimised, and with the other tests beside it, the figure says nothing.
        if !cfg!(debug_assertions) {
            let most = alone.0.mul_f64(1.1) + Duration::from_nanos(200);
            assert!(median <= most, "{act}: the other plugin's calls took {median:?}, {:?} alone", alone.0);
        }
        assert!(longest <= limits.check_time + grace(), "{act}: a call took {longest:?}");
        settle(&bad, limits.instances).await;
        let after = held();
        assert!(after.0 <= held_before.0 + 1 && after.1 <= held_before.1, "{act}: {held_before:?} then {after:?}");
        let grown = resident().saturating_sub(memory);
        assert!(grown <= 16 << 20, "{act}: {} MiB more than at the start", grown >> 20);
    }
}

/// Until the pool is full: what failed is replaced and what is left over is gone.
async fn settle(adapter: &Adapter, instances: usize) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while adapter.stats().instances != instances {
        assert!(Instant::now() < deadline, "{} instances where {instances} are due", adapter.stats().instances);
        tokio::task::yield_now().await;
    }
}
