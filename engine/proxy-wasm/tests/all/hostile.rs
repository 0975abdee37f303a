//! Filters that mean harm: each ends in time, harms nobody else, and is replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use weir_proxy_wasm::{BODY_BYTES_MAX, Direction, FailurePolicy, FilterSpec, LOG_LINES_PER_SECOND, Step};

use crate::module::{answering, ask, closed, load, module, request, spec, start, status, until};

fn on_request(body: &str) -> String {
    module("", &format!(r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {body})"#))
}

const LOOP: &str = "(loop $again (br $again)) (i32.const 0)";

#[tokio::test]
async fn an_endless_loop_ends_at_its_deadline_and_holds_no_worker() {
    let (vm, _calls) = start(closed(&on_request(LOOP), Duration::from_millis(400))).await;
    let turns = Arc::new(AtomicUsize::new(0));
    let other = Arc::clone(&turns);
    let beside = tokio::spawn(async move {
        loop {
            other.fetch_add(1, Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let began = Instant::now();
    let step = ask(&vm).await;
    beside.abort();
    assert_eq!(status(&step), 503);
    assert!(began.elapsed() >= Duration::from_millis(400));
    // Had the loop held the worker, nobody else would have run before its end. How often depends on the machine's load.
    assert!(turns.load(Relaxed) > 0);
    let stats = vm.filter().stats();
    assert_eq!((stats.failures, stats.timeouts, stats.failed_requests), (1, 1, 1));
}

#[tokio::test]
async fn a_trap_drops_the_machine_and_another_takes_its_place() {
    let (vm, _calls) = start(spec(&on_request("(unreachable)"))).await;
    let Step::Respond(response) = ask(&vm).await else { panic!("no response") };
    assert_eq!((response.status, response.details.as_str(), response.body), (503, "wasm_fail_stream", Bytes::new()));
    until("the machine is replaced", || vm.filter().stats().restarts == 1).await;
    assert_eq!(vm.filter().stats().machines, 1);
    assert_eq!(status(&ask(&vm).await), 503);
    // The second failure so soon after the first waits for its replacement, and requests do not.
    assert_eq!(status(&ask(&vm).await), 503);
    assert_eq!((vm.filter().stats().failures, vm.filter().stats().failed_requests), (2, 3));
    until("the machine is replaced again", || vm.filter().stats().restarts == 2).await;
}

#[tokio::test]
async fn fail_open_lets_requests_pass() {
    let open = FilterSpec { failure_policy: FailurePolicy::FailOpen, ..spec(&on_request("(unreachable)")) };
    let (vm, _calls) = start(open).await;
    assert_eq!(ask(&vm).await, Step::Continue);
    assert_eq!(vm.filter().stats().failed_requests, 1);
}

#[tokio::test]
async fn a_failure_reaches_requests_that_wait_in_the_same_machine() {
    let wat = module(
        "",
        r#"(global $seen (mut i32) (i32.const 0))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (if (global.get $seen) (then (unreachable)))
            (global.set $seen (i32.const 1))
            (i32.const 1))"#,
    );
    let (vm, _calls) = start(spec(&wat)).await;
    let transaction = request();
    let waiting = vm.stream(&transaction);
    assert_eq!(waiting.request_headers(true).await, Step::Pause);
    assert_eq!(waiting.resumed(Direction::Request), Step::Pause);
    assert_eq!(status(&ask(&vm).await), 503);
    transaction.rung(Direction::Request).await;
    assert_eq!(status(&waiting.resumed(Direction::Request)), 503);
}

#[tokio::test]
async fn a_body_that_is_lost_with_its_machine_does_not_go_on_even_when_open() {
    let wat = module(
        "",
        r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
            (if (local.get 2) (then (unreachable)))
            (i32.const 1))"#,
    );
    let (vm, _calls) = start(FilterSpec { failure_policy: FailurePolicy::FailOpen, ..spec(&wat) }).await;
    let stream = vm.stream(&request());
    assert_eq!(stream.request_headers(false).await, Step::Continue);
    let chunk = || Bytes::from_static(b"chunk");
    assert_eq!(stream.body(Direction::Request, chunk(), false).await.step, Step::Pause);
    assert_eq!(status(&stream.body(Direction::Request, chunk(), true).await.step), 503);
}

#[tokio::test]
async fn a_memory_bomb_is_told_no() {
    let wat =
        on_request("(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)");
    let (vm, _calls) = start(spec(&wat)).await;
    assert_eq!(status(&ask(&vm).await), 503);
    assert_eq!(vm.filter().stats().timeouts, 0);
}

#[tokio::test]
async fn deep_recursion_traps() {
    let wat = module(
        "",
        r#"(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $deep (i32.const 0)))"#,
    );
    let (vm, _calls) = start(spec(&wat)).await;
    assert_eq!(status(&ask(&vm).await), 503);
}

#[tokio::test]
async fn a_body_held_for_ever_is_refused_at_the_limit() {
    let wat = module("", r#"(func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (i32.const 1))"#);
    let (vm, _calls) = start(spec(&wat)).await;
    let stream = vm.stream(&request());
    assert_eq!(stream.request_headers(false).await, Step::Continue);
    let chunk = Bytes::from(vec![0; BODY_BYTES_MAX / 2]);
    assert_eq!(stream.body(Direction::Request, chunk.clone(), false).await.step, Step::Pause);
    assert_eq!(stream.body(Direction::Request, chunk.clone(), false).await.step, Step::Pause);
    assert_eq!(status(&stream.body(Direction::Request, chunk, false).await.step), 413);
}

/// The status that a call gives, as the response's own.
async fn told(imports: &str, body: &str) -> u32 {
    let (vm, _calls) = start(spec(&answering(imports, body))).await;
    status(&ask(&vm).await) - 200
}

#[tokio::test]
async fn garbage_pointers_are_refused_and_the_machine_goes_on() {
    let log = r#"(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))"#;
    let time = r#"(import "env" "proxy_get_current_time_nanoseconds" (func $time (param i32) (result i32)))"#;
    let property = r#"(import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))"#;
    let set = r#"(import "env" "proxy_set_header_map_pairs" (func $set (param i32 i32 i32) (result i32)))"#;
    let write = r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#;
    let random = r#"(import "wasi_unstable" "random_get" (func $random (param i32 i32) (result i32)))"#;
    let cases = [
        (log, "(call $log (i32.const 2) (i32.const 0xffffffff) (i32.const 10))", 6),
        (log, "(call $log (i32.const 2) (i32.const 0) (i32.const 0xffffffff))", 6),
        (log, "(call $log (i32.const 2) (i32.const 65530) (i32.const 10))", 6),
        (log, "(call $log (i32.const 99) (i32.const 0) (i32.const 1))", 2),
        (time, "(call $time (i32.const 65532))", 6),
        (property, "(call $property (i32.const 0) (i32.const 0xffffffff) (i32.const 0) (i32.const 4))", 6),
        (set, "(call $set (i32.const 0) (i32.const 0xfffffff0) (i32.const 64))", 6),
        (set, "(call $set (i32.const 99) (i32.const 0) (i32.const 0))", 2),
        (write, "(call $write (i32.const 1) (i32.const 0xfffffff8) (i32.const 2) (i32.const 0))", 21),
        (write, "(call $write (i32.const 7) (i32.const 0) (i32.const 0) (i32.const 0))", 8),
        (write, "(call $write (i32.const 1) (i32.const 0) (i32.const 0x7fffffff) (i32.const 0))", 28),
        (random, "(call $random (i32.const 0) (i32.const 0x7fffffff))", 28),
        (random, "(call $random (i32.const 65535) (i32.const 2))", 21),
    ];
    for (import, call, expected) in cases {
        assert_eq!(told(import, call).await, expected, "{call}");
    }
}

#[tokio::test]
async fn pairs_that_lie_about_their_number_are_refused() {
    let set = r#"(import "env" "proxy_set_header_map_pairs" (func $set (param i32 i32 i32) (result i32)))"#;
    let body = "(block (result i32) (i32.store (i32.const 0) (i32.const 0x7fffffff))
        (call $set (i32.const 0) (i32.const 0) (i32.const 64)))";
    assert_eq!(told(set, body).await, 2);
}

#[tokio::test]
async fn an_allocator_that_lies_gets_nothing() {
    let module = |address: &str| {
        format!(
            r#"(module
            (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
            (import "env" "proxy_send_local_response"
                (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1) (data (i32.const 0) "plugin_name")
            (func (export "proxy_abi_version_0_2_0"))
            (func (export "proxy_on_memory_allocate") (param i32) (result i32) {address})
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (drop (call $respond
                    (i32.add (i32.const 200)
                        (call $property (i32.const 0) (i32.const 11) (i32.const 100) (i32.const 104)))
                    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))
                (i32.const 0)))"#
        )
    };
    let cases =
        [("(i32.const 200)", 200), ("(i32.const 0)", 206), ("(i32.const 0xfffffffe)", 206), ("(unreachable)", 503)];
    for (address, expected) in cases {
        let (vm, _calls) = start(spec(&module(address))).await;
        assert_eq!(status(&ask(&vm).await), expected, "{address}");
    }
}

#[tokio::test]
async fn more_header_lines_than_a_message_may_have_are_refused() {
    // A count, then nothing but zeros: each line has an empty name and value.
    let many = "(block (result i32)
        (drop (memory.grow (i32.const 6)))
        (i32.store (i32.const 65536) (i32.const 30000))
        (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i32.const 65536) (i32.const 300004) (i32.const -1)))";
    let (vm, _calls) = start(spec(&answering("", many))).await;
    assert_eq!(status(&ask(&vm).await), 202);
}

#[tokio::test]
async fn a_log_flood_is_dropped_and_counted() {
    let wat = module(
        r#"(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))"#,
        r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $n i32)
            (loop $again
                (drop (call $log (i32.const 0) (i32.const 0) (i32.const 10)))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $n) (i32.const 5000))))
            (i32.const 0))"#,
    );
    let (vm, _calls) = start(spec(&wat)).await;
    assert_eq!(ask(&vm).await, Step::Continue);
    assert!(vm.filter().stats().log_lines_dropped >= 5000 - 20 * u64::from(LOG_LINES_PER_SECOND));
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_a_callback_breaks_nothing() {
    let wat = on_request(
        "(local $n i32)
        (loop $again
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 400000000))))
        (i32.const 0)",
    );
    let (vm, _calls) = start(spec(&wat)).await;
    let stream = vm.stream(&request());
    // The callback takes many milliseconds and yields at each; the client has gone after the first.
    assert!(tokio::time::timeout(Duration::from_millis(1), stream.request_headers(true)).await.is_err());
    drop(stream);
    assert_eq!(ask(&vm).await, Step::Continue);
    assert_eq!(vm.filter().stats().failures, 0);
}

#[test]
fn what_is_no_filter_is_not_loaded() {
    let cases = [
        ("(module)", "proxy_abi_version"),
        (r#"(module (func (export "proxy_abi_version_0_3_0")))"#, "proxy_abi_version"),
        (
            r#"(module (func (export "proxy_abi_version_0_2_0")) (func (export "proxy_abi_version_0_1_0")))"#,
            "more than one",
        ),
        (r#"(module (func (export "proxy_abi_version_0_2_0")) (memory (export "memory") 1))"#, "malloc"),
        (
            r#"(module (func (export "proxy_abi_version_0_2_0")) (func (export "malloc") (param i32) (result i32) (i32.const 0)))"#,
            "memory",
        ),
    ];
    for (wat, reason) in cases {
        let error = load(spec(wat)).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("filter test"), "{wat}: {error}");
    }
    let mut large = spec(&module("", ""));
    large.plugin_config = vec![0; weir_proxy_wasm::CONFIG_BYTES_MAX + 1].into();
    assert!(load(large).unwrap_err().to_string().contains("plugin configuration"));
}
