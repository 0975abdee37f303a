//! Absent attributes and keys: when they are errors, and what to write instead.

use weir_attributes::{Bag, slot};
use weir_cel::{Env, EvalErrorKind, Scratch};

#[test]
fn absence_is_an_error_unless_asked_for() {
    use EvalErrorKind::{AbsentAttribute, AbsentKey};
    let principal = Err(AbsentAttribute(slot::SOURCE_PRINCIPAL));
    let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").build();
    for (source, expected) in [
        (r#"source.principal == "a""#, principal),
        (r#"source.principal != "a""#, principal),
        (r#"source.principal in ["a"]"#, principal),
        (r#"source.principal.startsWith("a")"#, principal),
        ("source.port == 1", Err(AbsentAttribute(slot::SOURCE_PORT))),
        ("connection.mtls", Err(AbsentAttribute(slot::CONNECTION_MTLS))),
        (r#"request.headers["x"] == "a""#, Err(AbsentKey)),
        (r#"request.headers.x == "a""#, Err(AbsentKey)),
        (r#"request.headers_all["x"].size() == 1"#, Err(AbsentKey)),
        (r#"destination.labels["app"] == "a""#, Err(AbsentAttribute(slot::DESTINATION_LABELS))),
        (r#""app" in destination.labels"#, Err(AbsentAttribute(slot::DESTINATION_LABELS))),
        ("has(source.principal)", Ok(false)),
        ("has(request.method)", Ok(true)),
        ("has(request.headers.x)", Ok(false)),
        ("has(destination.labels.app)", Ok(false)),
        (r#""x" in request.headers"#, Ok(false)),
        (r#"request.headers[?"x"].hasValue()"#, Ok(false)),
        (r#"destination.labels.?app.hasValue()"#, Ok(false)),
        (r#"has(source.principal) && source.principal == "a""#, Ok(false)),
        (r#"source.principal == "a" && has(source.principal)"#, Ok(false)),
        (r#"source.principal == "a" || request.method == "GET""#, Ok(true)),
        (r#"source.principal == "a" || request.method == "PUT""#, principal),
        (r#"!has(source.principal) || source.principal == "a""#, Ok(true)),
    ] {
        let program = Env::vocabulary().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        let outcome = program.evaluate_bool(&bag, &mut Scratch::new()).map_err(|error| error.kind);
        assert_eq!(outcome, expected, "{source}");
    }
}

/// Expressions, and for each unguarded read its condition in guarded form.
const TABLE: &[(&str, &[&str])] = &[
    ("request.method == \"GET\" && request.path != \"\" && request.headers.size() > 1", &[]),
    ("source.principal == \"a\"", &["has(source.principal) && source.principal == \"a\""]),
    ("!(source.principal == \"a\")", &["has(source.principal) && !(source.principal == \"a\")"]),
    ("has(source.principal) && source.principal == \"a\"", &[]),
    ("source.principal == \"a\" && has(source.principal)", &[]),
    ("!has(source.principal) || source.principal == \"a\"", &[]),
    ("has(source.principal) || source.principal == \"a\"", &["has(source.principal) && source.principal == \"a\""]),
    ("has(source.principal) ? source.principal == \"a\" : true", &[]),
    (
        "has(source.principal) ? true : source.principal == \"a\"",
        &["has(source.principal) && source.principal == \"a\""],
    ),
    (
        "request.method == \"GET\" && request.headers[\"x\"] == \"a\"",
        &["\"x\" in request.headers && request.headers[\"x\"] == \"a\""],
    ),
    ("request.headers.x == \"a\"", &["has(request.headers.x) && request.headers.x == \"a\""]),
    ("has(request.headers.x) && request.headers[\"x\"] == \"a\"", &[]),
    ("\"x\" in request.headers && request.headers.x == \"a\"", &[]),
    ("(\"x\" in request.headers && request.method == \"GET\") && request.headers.x == \"a\"", &[]),
    ("request.headers[?\"x\"].orValue(\"\") == \"a\"", &[]),
    ("request.method in request.headers && request.headers[request.method] == \"a\"", &[]),
    ("has(destination.labels.app) && destination.labels.app == \"a\"", &[]),
    (
        "\"app\" in destination.labels && destination.labels[\"app\"] == \"a\"",
        &["has(destination.labels) && \"app\" in destination.labels"],
    ),
    (
        "source.principal == \"a\" && source.principal != \"b\" && source.namespace == \"c\"",
        &["has(source.principal) && source.principal == \"a\"", "has(source.namespace) && source.namespace == \"c\""],
    ),
    ("request.headers[\"a\"] + \"x\"", &["\"a\" in request.headers ? request.headers[\"a\"] + \"x\" : \"\""]),
    ("[\"a\"].exists(p, source.principal == p)", &["has(source.principal) && source.principal == p"]),
    ("has(source.principal) && [\"a\"].exists(p, source.principal == p)", &[]),
];

#[test]
fn unguarded_reads_are_listed_with_their_guarded_form() {
    for (source, expected) in TABLE {
        let program = Env::vocabulary().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        let found: Vec<String> = program.unguarded().into_iter().map(|read| read.guarded).collect();
        assert_eq!(found, *expected, "{source}");
    }
}

#[test]
fn a_guarded_form_compiles_is_guarded_and_does_not_fail() {
    let env = Env::vocabulary();
    for (source, _) in TABLE {
        for read in env.compile(source).unwrap().unguarded() {
            // A form inside a macro has a variable that only the macro binds.
            let Ok(program) = env.compile(&read.guarded) else { continue };
            assert!(program.unguarded().is_empty(), "{}", read.guarded);
            assert!(program.evaluate(&Bag::default(), &mut Scratch::new()).is_ok(), "{}", read.guarded);
        }
    }
}
