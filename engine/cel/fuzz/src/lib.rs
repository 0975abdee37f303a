//! What the targets share: the stack, the names, what must hold of every error.

use std::thread;

use weir_attributes::{Bag, Labels, slot};
use weir_cel::{Env, Errors, Type, Value};

/// The stack that a tokio worker has. A panic in it ends the process, as libFuzzer has it.
const STACK: usize = 2 * 1024 * 1024;

/// Runs a body as a server would.
pub fn on_a_small_stack(body: impl FnOnce() + Send) {
    thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, body).expect("a thread");
        worker.join().expect("no panic");
    });
}

/// Attributes, and variables of the types that attributes do not have.
#[must_use]
pub fn env() -> Env {
    Env::builder()
        .vocabulary()
        .variable("a", Type::Dyn)
        .variable("d", Type::Double)
        .variable("l", Type::list(Type::Int))
        .variable("m", Type::map(Type::String, Type::list(Type::String)))
        .variable("s", Type::String)
        .variable("u", Type::Uint)
        .variable("y", Type::Bytes)
        .build()
}

/// The values of these variables.
#[must_use]
pub fn variables() -> Vec<Value<'static>> {
    let texts = |texts: &[&'static str]| Value::from(texts.iter().map(|text| Value::from(*text)).collect::<Vec<_>>());
    let mut map = weir_cel::Entries::default();
    map.push(Value::from("x"), texts(&["a", "é"])).expect("a new key");
    vec![
        Value::Map(weir_cel::Map::new(map.clone())),
        Value::Double(1.5),
        Value::from(vec![Value::Int(1), Value::Int(-2)]),
        Value::Map(weir_cel::Map::new(map)),
        Value::from("héllo, wörld"),
        Value::Uint(7),
        Value::Bytes(weir_cel::Bytes::Shared(b"\xff\x00abc".as_slice().into())),
    ]
}

/// A request with most of what requests have.
#[must_use]
pub fn bag() -> Bag {
    let labels = Labels::new([("app".to_owned(), "web".to_owned())].into());
    Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_PATH, "/api/v1/items?q=1")
        .text(slot::REQUEST_URL_PATH, "/api/v1/items")
        .text(slot::SOURCE_PRINCIPAL, "spiffe://cluster.local/ns/prod/sa/web")
        .text(slot::SOURCE_IP, "10.1.2.3")
        .int(slot::REQUEST_SIZE, 512)
        .labels(slot::DESTINATION_LABELS, labels)
        .header("x-role", "admin")
        .header("x-role", "user,ops")
        .build()
}

/// Errors point into their source, between characters, and can be shown.
pub fn are_in_place(errors: &Errors, source: &str) {
    assert!(!errors.errors().is_empty());
    assert!(!errors.to_string().is_empty());
    for error in errors.errors() {
        assert!(error.span.start <= error.span.end, "{error:?}");
        assert!(source.get(error.span.clone()).is_some(), "{error:?} is not in the source");
    }
}
