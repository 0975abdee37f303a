//! The three versions of the ABI, and imports that nobody uses.

use weir_proxy_wasm::{AbiVersion, FilterSpec, Step, Vm};

use crate::module::{answering, ask, load, module, request, spec, start, status};

#[tokio::test]
async fn abi_0_1_0_has_short_header_callbacks_and_reads_an_absent_header_as_empty() {
    let wat = r#"(module
        (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
        (import "env" "proxy_get_configuration" (func $configuration (param i32 i32) (result i32)))
        (import "env" "proxy_continue_request" (func $continue (result i32)))
        (import "env" "proxy_continue_response" (func (result i32)))
        (import "env" "proxy_clear_route_cache" (func $clear (result i32)))
        (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "x-nonex-out")
        (func (export "proxy_abi_version_0_1_0"))
        (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1000))
        (func (export "proxy_on_configure") (param i32 i32) (result i32)
            (drop (call $configuration (i32.const 100) (i32.const 104)))
            (i32.eq (i32.load (i32.const 104)) (i32.const 2)))
        (func (export "proxy_on_request_headers") (param i32 i32) (result i32)
            (i32.store (i32.const 104) (i32.const 99))
            (drop (call $clear))
            (if (call $get (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 100) (i32.const 104)) (then (unreachable)))
            (if (i32.load (i32.const 104)) (then (unreachable)))
            (drop (call $add (i32.const 0) (i32.const 6) (i32.const 5) (i32.const 1000) (i32.const 2)))
            (drop (call $continue))
            (i32.const 1)))"#;
    let filter = load(FilterSpec { plugin_config: "ok".into(), ..spec(wat) }).unwrap();
    assert_eq!(filter.abi(), AbiVersion::V0_1_0);
    let (vm, _calls) = Vm::start(filter).await.unwrap();
    let transaction = request();
    assert_eq!(vm.stream(&transaction).request_headers(true).await, Step::Continue);
    assert_eq!(transaction.scene().request_headers.first("x-out"), Some(&b"ok"[..]));
}

#[tokio::test]
async fn every_import_resolves_and_says_what_it_is_when_it_is_not_there() {
    let unknown = r#"(import "env" "proxy_of_the_future" (func $it (param i32 i64) (result i32)))
        (import "env" "emscripten_notify_memory_growth" (func (param i32)))
        (import "env" "envoy_resolve_dns" (func (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open" (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#;
    let cases = [
        (unknown, "(call $it (i32.const 0) (i64.const 0))", 212),
        (r#"(import "env" "proxy_grpc_cancel" (func $it (param i32) (result i32)))"#, "(call $it (i32.const 1))", 212),
        (
            r#"(import "wasi_snapshot_preview1" "fd_sync" (func $it (param i32) (result i32)))"#,
            "(call $it (i32.const 1))",
            252,
        ),
        (r#"(import "other" "thing" (func $it (result i32)))"#, "(call $it)", 503),
        (
            r#"(import "wasi_snapshot_preview1" "proc_exit" (func $it (param i32)))"#,
            "(block (result i32) (call $it (i32.const 3)) (i32.const 0))",
            503,
        ),
    ];
    for (imports, call, expected) in cases {
        let (vm, _calls) = start(spec(&answering(imports, call))).await;
        assert_eq!(status(&ask(&vm).await), expected, "{call}");
    }
}

#[tokio::test]
async fn a_filter_that_refuses_its_configuration_does_not_start() {
    let refuses = |callback: &str| {
        module("", &format!(r#"(func (export "{callback}") (param i32 i32) (result i32) (i32.const 0))"#))
    };
    for (callback, reason) in [("proxy_on_vm_start", "virtual machine"), ("proxy_on_configure", "its configuration")] {
        let error = Vm::start(load(spec(&refuses(callback))).unwrap()).await.unwrap_err().to_string();
        assert!(error.contains("refused") && error.contains(reason), "{error}");
    }
    let traps = module("", r#"(func (export "_initialize") (unreachable))"#);
    let error = Vm::start(load(spec(&traps)).unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("trapped"), "{error}");
}

#[tokio::test]
async fn a_command_starts_at_start_and_a_reactor_runs_its_main() {
    let start_function = module(
        "",
        r#"(global $ready (mut i32) (i32.const 0))
        (func (export "_start") (global.set $ready (i32.const 1)))
        (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (global.get $ready))"#,
    );
    let reactor = module(
        "",
        r#"(global $ready (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $ready (i32.const 1)))
        (func (export "_start") (unreachable))
        (func (export "main") (param i32 i32) (result i32) (global.set $ready (i32.add (global.get $ready) (i32.const 1))) (i32.const 0))
        (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.eq (global.get $ready) (i32.const 2)))"#,
    );
    for wat in [start_function, reactor] {
        assert!(Vm::start(load(spec(&wat)).unwrap()).await.is_ok());
    }
}
