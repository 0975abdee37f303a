//! Expressions over the attributes of a request.

use std::sync::Arc;

use weir_attributes::{Bag, slot};
use weir_cel::{Env, EvalErrorKind, Reference, Scratch};

fn bag() -> Bag {
    Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_PATH, "/api/items?q=1")
        .text(slot::REQUEST_URL_PATH, "/api/items")
        .text(slot::SOURCE_IP, "10.1.2.3")
        .int(slot::REQUEST_SIZE, 512)
        .int(slot::REQUEST_TIME, 1_700_000_000_000_000_000)
        .bool(slot::CONNECTION_MTLS, true)
        .header("X-Role", "user")
        .header("x-role", "admin")
        .header("x-one", "a,b")
        .labels(slot::DESTINATION_LABELS, Arc::new([("app".to_owned(), "shop".to_owned())].into()))
        .build()
}

fn run(source: &str) -> Result<bool, EvalErrorKind> {
    let program = Env::vocabulary().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
    program.evaluate_bool(&bag(), &mut Scratch::new()).map_err(|error| error.kind)
}

#[test]
fn attributes_have_their_values() {
    for source in [
        r#"request.method == "GET" && request.path.startsWith("/api/")"#,
        r#"request.method in ["GET", "HEAD"] && !(request.method in ["POST"])"#,
        r#"request.headers["x-role"] == "user,admin""#,
        r#"request.headers["X-Role"].contains("admin") && "X-ROLE" in request.headers"#,
        r#"has(request.headers.nothing) == false && "x-one" in request.headers"#,
        r#"request.headers_all["x-role"] == ["user", "admin"] && request.headers_all["x-role"].exists(v, v == "admin")"#,
        r#"request.headers_all["x-one"].size() == 1"#,
        r#"request.headers.exists(name, name == "x-one") && request.headers.size() == 2"#,
        r#"request.headers.all(name, value, value != "")"#,
        r#"request.headers["x-" + "one"] == "a,b""#,
        r#"request.size < 1024 && request.size + 1 == 513"#,
        r#"request.time > timestamp("2023-01-01T00:00:00Z") && request.time.getFullYear() == 2023"#,
        r#"connection.mtls && destination.labels.app == "shop" && destination.labels["app"] == "shop""#,
        r#"cidr("10.0.0.0/8").containsIP(source.ip)"#,
        r#"request.url_path.matches("^/api/[a-z]+$")"#,
        r#"request.headers[?"x-none"].orValue("none") == "none" && request.headers.?host.hasValue() == false"#,
        r#"request.method + request.url_path == "GET/api/items""#,
    ] {
        assert_eq!(run(source), Ok(true), "{source}");
    }
}

#[test]
fn joined_lines_that_cannot_be_told_apart_are_doubt() {
    let bag = Bag::builder().header("x-role", "user,admin").header("x-plain", "a").joined_by_proxy().build();
    let run = |source: &str| {
        let program = Env::vocabulary().compile(source).unwrap();
        program.evaluate_bool(&bag, &mut Scratch::new()).map_err(|error| error.kind)
    };
    assert_eq!(run(r#"request.headers_all["x-role"].exists(v, v == "admin")"#), Err(EvalErrorKind::Doubt));
    assert_eq!(run(r#"request.headers_all["x-plain"] == ["a"]"#), Ok(true));
    assert_eq!(run(r#"request.headers["x-role"] == "user,admin" && "x-role" in request.headers_all"#), Ok(true));
}

#[test]
fn references_are_all_that_can_be_read() {
    let env = Env::vocabulary();
    let names = |env: &Env, source: &str| {
        let program = env.compile(source).unwrap();
        let name = |reference: &Reference| match &reference.key {
            Some(key) => format!("{}[{key}]", reference.slot.attribute().name),
            None => reference.slot.attribute().name.to_owned(),
        };
        program.references().iter().map(name).collect::<Vec<_>>().join(" ")
    };
    for (source, expected) in [
        ("true", ""),
        (r#"request.method == "GET" || request.method == "PUT""#, "request.method"),
        (
            r#"request.headers["X-A"] == "1" && has(request.headers.b) && "c" in request.headers"#,
            "request.headers[b] request.headers[c] request.headers[x-a]",
        ),
        (r#"request.headers["a"] == request.headers[request.method]"#, "request.method request.headers"),
        (
            r#"request.headers_all["a"].size() > 1 && request.headers.size() > 1"#,
            "request.headers request.headers_all[a]",
        ),
        (r#"false && source.ip == "1""#, ""),
        (r#"has(source.principal)"#, "source.principal"),
    ] {
        assert_eq!(names(&env, source), expected, "{source}");
    }
    let role = env.compile(r#"request.headers["x-role"]"#).unwrap();
    let env = env.with_lazy("variables.role", &role).unwrap();
    assert_eq!(names(&env, r#"variables.role == "a" && source.port == 1"#), "request.headers[x-role] source.port");
}

#[test]
fn volatile_attributes_are_noticed() {
    let env = Env::vocabulary();
    assert!(!env.compile("request.size > 1").unwrap().reads_volatile());
    let hour = env.compile("request.time.getHours()").unwrap();
    assert!(hour.reads_volatile());
    let env = env.with_lazy("variables.hour", &hour).unwrap();
    assert!(env.compile("variables.hour > 8").unwrap().reads_volatile());
}

#[test]
fn the_response_is_readable_where_it_is_known() {
    let program = Env::vocabulary_all().compile("response.code >= 500 && check.decision == \"allow\"").unwrap();
    let bag = Bag::builder().int(slot::RESPONSE_CODE, 503).text(slot::CHECK_DECISION, "allow").build();
    assert!(program.evaluate_bool(&bag, &mut Scratch::new()).unwrap());
    assert!(program.evaluate_bool(&bag.as_told(), &mut Scratch::new()).unwrap());
}

#[test]
fn common_conditions_allocate_nothing() {
    let bag = bag();
    for source in [
        r#"request.method == "GET" && request.path.startsWith("/api/")"#,
        r#"request.method in ["PUT", "POST"] || request.headers["x-one"] == "a,b""#,
        r#"request.url_path.matches("^/api/[a-z]+$") && request.size < 1024"#,
        r#"cidr("10.0.0.0/8").containsIP(source.ip) && "x-one" in request.headers"#,
        r#"["/a", "/api"].exists(prefix, request.path.startsWith(prefix)) && has(request.headers.host) == false"#,
    ] {
        let program = Env::vocabulary().compile(source).unwrap();
        let mut scratch = Scratch::new();
        assert!(program.evaluate_bool(&bag, &mut scratch).unwrap(), "{source}");
        assert_eq!(scratch.bytes(), 0, "{source}");
    }
}

#[test]
fn a_program_crosses_threads() {
    fn crosses<T: Send + Sync + Clone + 'static>(_: &T) {}
    crosses(&Env::vocabulary().compile("true").unwrap());
    crosses(&Env::vocabulary());
}
