//! Modules in WebAssembly text, started.

use std::sync::Arc;
use std::time::Duration;

use weir_attributes::Bag;
use weir_proxy_wasm::{
    Calls, Error, FailurePolicy, Filter, FilterSpec, Headers, Host, Limits, Scene, Step, Transaction, Vm,
};

/// Long enough for a debug build on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What every module needs: memory, and an allocator that only moves forward.
const COMMON: &str = r#"
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "malloc") (param i32) (result i32)
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get 0))))
"#;

/// A module of ABI 0.2.1 with these imports and functions.
pub fn module(imports: &str, functions: &str) -> String {
    format!("(module {imports} {COMMON} (func (export \"proxy_abi_version_0_2_1\")) {functions})")
}

/// A module whose request callback does that; it answers with the status that the last line leaves on the stack, plus 200.
pub fn answering(imports: &str, body: &str) -> String {
    module(
        &format!(
            r#"{imports} (import "env" "proxy_send_local_response"
                (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))"#
        ),
        &format!(
            r#"(func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
                (drop (call $respond (i32.add (i32.const 200) {body})
                    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))
                (i32.const 0))"#
        ),
    )
}

/// A specification with time enough.
pub fn spec(wat: &str) -> FilterSpec {
    FilterSpec {
        name: "test".to_owned(),
        wasm: wat.as_bytes().to_vec().into(),
        limits: Limits { call_time: PATIENCE, start_time: PATIENCE, memory_bytes: 4 << 20 },
        upstreams: vec!["auth".to_owned()],
        ..FilterSpec::default()
    }
}

pub fn load(mut spec: FilterSpec) -> Result<Arc<Filter>, Error> {
    spec.wasm = wat::parse_bytes(&spec.wasm).unwrap().into_owned().into();
    Host::new().unwrap().load(spec)
}

/// Loads and starts, with its chores beside it.
pub async fn start(spec: FilterSpec) -> (Arc<Vm>, Calls) {
    let (vm, calls) = Vm::start(load(spec).unwrap()).await.unwrap();
    tokio::spawn(Arc::clone(&vm).run());
    (vm, calls)
}

pub fn closed(wat: &str, call_time: Duration) -> FilterSpec {
    let spec = spec(wat);
    FilterSpec { limits: Limits { call_time, ..spec.limits }, failure_policy: FailurePolicy::FailClosed, ..spec }
}

/// A request without anything special.
pub fn request() -> Transaction {
    let mut headers = Headers::default();
    for (name, value) in [(":authority", "shop"), (":path", "/a"), (":method", "GET"), ("x-one", "1")] {
        headers.push(name, value.as_bytes());
    }
    Transaction::new(Scene::new(headers, Bag::default()))
}

/// What the request callback makes of a request.
pub async fn ask(vm: &Arc<Vm>) -> Step {
    let transaction = request();
    let stream = vm.stream(&transaction);
    let step = tokio::time::timeout(PATIENCE, stream.request_headers(true)).await.expect("it ends in time");
    stream.end().await;
    step
}

/// The status of a local response.
pub fn status(step: &Step) -> u32 {
    match step {
        Step::Respond(response) => response.status,
        other => panic!("no response but {other:?}"),
    }
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "in vain for: {what}");
        tokio::task::yield_now().await;
    }
}
