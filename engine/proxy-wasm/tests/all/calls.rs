//! Calls, ticks, queues: what comes back to a filter by itself.

use std::sync::Arc;

use bytes::Bytes;
use weir_proxy_wasm::{CALLS_MAX, CallResponse, Direction, Headers, Step, Vm};

use crate::module::{load, module, request, spec, start, status, until};

/// Calls `auth` with `:method`, `:path` and `:authority`, and lets the request go when the answer is here.
fn calling(times: u32) -> String {
    let pairs = {
        let mut bytes = 3_u32.to_le_bytes().to_vec();
        let all = [(":method", "GET"), (":path", "/"), (":authority", "a")];
        all.iter().for_each(|(name, value)| {
            bytes.extend((name.len() as u32).to_le_bytes());
            bytes.extend((value.len() as u32).to_le_bytes());
        });
        all.iter().for_each(|(name, value)| bytes.extend(format!("{name}\0{value}\0").bytes()));
        bytes
    };
    let data: String = pairs.iter().map(|byte| format!("\\{byte:02x}")).collect();
    module(
        r#"(import "env" "proxy_http_call" (func $call (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_set_effective_context" (func $speak (param i32) (result i32)))
        (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
        (import "env" "proxy_get_buffer_bytes" (func $buffer (param i32 i32 i32 i32 i32) (result i32)))"#,
        &format!(
            r#"(data (i32.const 0) "auth") (data (i32.const 16) "{data}")
            (global $who (mut i32) (i32.const 0))
            (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (local $n i32)
                (global.set $who (local.get 0))
                (loop $again
                    (if (call $call (i32.const 0) (i32.const 4) (i32.const 16) (i32.const {length}) (i32.const 0) (i32.const 0)
                        (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 8)) (then (return (i32.const 0))))
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get $n) (i32.const {times}))))
                (i32.const 1))
            (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
                (if (i32.ne (local.get 3) (i32.const 3)) (then (unreachable)))
                (if (call $buffer (i32.const 4) (i32.const 0) (i32.const 9) (i32.const 8) (i32.const 12)) (then (unreachable)))
                (if (i32.ne (i32.load (i32.const 12)) (i32.const 3)) (then (unreachable)))
                (drop (call $speak (global.get $who)))
                (drop (call $continue (i32.const 0))))"#,
            length = pairs.len()
        ),
    )
}

fn response(body: &'static str) -> Option<CallResponse> {
    let mut headers = Headers::default();
    headers.push(":status", b"200");
    Some(CallResponse { headers, body: Bytes::from_static(body.as_bytes()), trailers: Headers::default() })
}

#[tokio::test]
async fn a_request_waits_for_the_answer_to_a_call_and_goes_on() {
    let (vm, mut calls) = start(spec(&calling(1))).await;
    let transaction = request();
    let stream = vm.stream(&transaction);
    assert_eq!(stream.request_headers(true).await, Step::Pause);
    let call = calls.next().await.unwrap();
    assert_eq!((call.upstream.as_str(), call.headers.first(":path")), ("auth", Some(&b"/"[..])));
    vm.answer(call.token, &call.id(), response("yes")).await;
    transaction.rung(Direction::Request).await;
    assert_eq!(stream.resumed(Direction::Request), Step::Continue);
    // The same answer once more is nobody's.
    vm.answer(call.token, &call.id(), response("no")).await;
    assert_eq!(vm.filter().stats().failures, 0);
}

#[tokio::test]
async fn an_answer_for_a_machine_that_is_gone_reaches_nobody() {
    let (vm, mut calls) = start(spec(&calling(2))).await;
    let stream = vm.stream(&request());
    assert_eq!(stream.request_headers(true).await, Step::Pause);
    let (first, second) = (calls.next().await.unwrap(), calls.next().await.unwrap());
    // Not what it expects: it traps.
    vm.answer(first.token, &first.id(), response("unexpected")).await;
    assert_eq!(status(&stream.resumed(Direction::Request)), 503);
    until("the machine is replaced", || vm.filter().stats().restarts == 1).await;
    vm.answer(second.token, &second.id(), response("unexpected")).await;
    assert_eq!(vm.filter().stats().failures, 1);
}

#[tokio::test]
async fn calls_have_an_end() {
    let (vm, _calls) = start(spec(&calling(CALLS_MAX as u32 + 10))).await;
    assert_eq!(vm.stream(&request()).request_headers(true).await, Step::Continue);
    let stats = vm.filter().stats();
    assert_eq!((stats.calls, stats.calls_refused), (CALLS_MAX as u64, 1));
}

#[tokio::test]
async fn ticks_come_by_themselves_and_a_queue_tells_who_registered() {
    let wat = module(
        r#"(import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
        (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
        (import "env" "proxy_register_shared_queue" (func $register (param i32 i32 i32) (result i32)))
        (import "env" "proxy_enqueue_shared_queue" (func $put (param i32 i32 i32) (result i32)))
        (import "env" "proxy_dequeue_shared_queue" (func $take (param i32 i32 i32) (result i32)))"#,
        r#"(data (i32.const 0) "ticksqueued")
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
            (drop (call $period (i32.const 1)))
            (drop (call $define (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 20)))
            (drop (call $define (i32.const 0) (i32.const 5) (i32.const 6) (i32.const 24)))
            (drop (call $register (i32.const 0) (i32.const 1) (i32.const 28)))
            (i32.const 1))
        (func (export "proxy_on_tick") (param i32)
            (drop (call $increment (i32.load (i32.const 20)) (i64.const 1))))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (drop (call $put (i32.load (i32.const 28)) (i32.const 0) (i32.const 3)))
            (i32.const 0))
        (func (export "proxy_on_queue_ready") (param i32 i32)
            (if (call $take (local.get 1) (i32.const 32) (i32.const 36)) (then (unreachable)))
            (drop (call $increment (i32.load (i32.const 24)) (i64.extend_i32_u (i32.load (i32.const 36))))))"#,
    );
    let (vm, _calls) = start(spec(&wat)).await;
    let value = |vm: &Arc<Vm>, name: &str| {
        vm.filter().metrics().iter().find(|metric| metric.name == name).map(|metric| metric.value)
    };
    until("three ticks", || value(&vm, "ticks") >= Some(3)).await;
    assert_eq!(vm.stream(&request()).request_headers(true).await, Step::Continue);
    until("the queue is told of", || value(&vm, "queued") == Some(3)).await;
    assert_eq!(vm.filter().stats().failures, 0);
}

#[tokio::test]
async fn all_machines_of_a_filter_count_into_the_same_metrics() {
    let wat = module(
        r#"(import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))"#,
        r#"(data (i32.const 0) "seen")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (drop (call $define (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 20)))
            (drop (call $increment (i32.load (i32.const 20)) (i64.const 1)))
            (i32.const 0))"#,
    );
    let filter = load(spec(&wat)).unwrap();
    for _ in 0..3 {
        let (vm, _calls) = Vm::start(Arc::clone(&filter)).await.unwrap();
        assert_eq!(vm.stream(&request()).request_headers(true).await, Step::Continue);
    }
    assert_eq!(filter.metrics()[0].value, 3);
}
