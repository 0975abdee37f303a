//! What people read when an expression is wrong.

use weir_attributes::{Bag, slot};
use weir_cel::{Env, Scratch};

fn refused(source: &str) -> String {
    Env::vocabulary().compile(source).expect_err(source).to_string()
}

#[test]
fn an_unknown_attribute_is_underlined_and_a_near_one_offered() {
    assert_eq!(
        refused("request.methods == \"GET\""),
        "1:1: `request.methods` is not declared\n  \
           | request.methods == \"GET\"\n  \
           | ^^^^^^^^^^^^^^^\n  \
         help: did you mean `request.method`?"
    );
    assert_eq!(
        refused("true &&\n  source.principle in [\"a\"]"),
        "2:3: `source.principle` is not declared\n  \
           |   source.principle in [\"a\"]\n  \
           |   ^^^^^^^^^^^^^^^^\n  \
         help: did you mean `source.principal`?"
    );
}

/// Sources, and the message and help of their first error.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "response.code == 200",
        "`response.code` is known only when the request is reported",
        "a check can read request.*, source.*, destination.*, connection.* and remote.ip",
    ),
    (
        "connection == null",
        "`connection` is only the beginning of a name",
        "name what is inside, such as `connection.id`, `connection.mtls`, `connection.requested_server_name`, \
         `connection.tls_version`",
    ),
    (
        "request.method == GET",
        "`GET` is not declared",
        "quote a text: \"...\"; attributes have dots, such as `request.method`",
    ),
    ("request.header[\"x\"] == \"y\"", "`request.header` is not declared", "did you mean `request.headers`?"),
    ("request.header.x == \"y\"", "`request.header.x` is not declared", "did you mean `request.headers`?"),
    ("request.size == \"1\"", "int and string are never equal", "convert one of them: string(...) or int(...)"),
    ("request.method.lower() == \"\"", "there is no function `lower`", ""),
    ("request.method.startWith(\"G\")", "there is no function `startWith`", "did you mean `startsWith`?"),
    ("startsWith(request.method, \"G\")", "`startsWith` is not called like this", "call it as value.startsWith(...)"),
    (
        "request.size.startsWith(\"G\")",
        "`startsWith` does not take (int, string)",
        "it takes string.startsWith(string)",
    ),
    (
        "request.method in \"GET\"",
        "`in` does not take string and string",
        "write a list: `in [\"...\"]`; for a part of a text use .contains(...)",
    ),
    ("request.method", "this is string, but a bool is needed", "compare it: `... == \"value\"`"),
    ("request.method.x == 1", "`request.method` is string: it has no field `x`", ""),
    (
        "request.path.matches(\"(\")",
        "not a regular expression: unclosed group",
        "RE2 syntax: no look-around, no back-references",
    ),
    ("duration(\"1 hour\") > duration(\"1s\")", "this is not a duration", "such as \"1h30m\", \"1.5s\" or \"100ms\""),
    (
        "request.time < timestamp(\"2030-01-32T00:00:00Z\")",
        "this is not a timestamp",
        "such as \"2030-01-31T23:59:00Z\"",
    ),
    (
        "request.time < \"2030\"",
        "`<` does not take timestamp and string",
        "write the timestamp as timestamp(\"2030-01-31T00:00:00Z\")",
    ),
    ("cidr(\"10.0.0.0/33\").containsIP(source.ip)", "this is not an address range", "such as \"10.0.0.0/8\""),
    ("cidr(\"10.0.0.0/8\").containsIP(\"10.0.0\")", "this is not an IP address", "such as \"10.0.0.1\""),
    ("request.headers[1] == \"\"", "the keys of this map are string, not int", ""),
    (
        "request.headers[?\"x\"] == \"a\"",
        "optional(string) and string are never equal",
        "take the value out with .orValue(...) or .value()",
    ),
    ("true ? 1 : \"a\"", "one branch is int, the other string", "give both one type, or wrap one in dyn(...)"),
    ("request.method = \"GET\"", "unexpected character '='", "compare with `==`"),
    ("request.method == \"GET", "a text is not closed", "end it with the same quote on the same line"),
    ("request.method == \"\\d\"", "an unknown escape", "write a backslash as `\\\\`, or the text as r\"...\""),
    ("has(request)", "has() asks for a field, such as has(a.b)", "for a key that is no name: `\"key\" in map`"),
    ("[1].all(x + 1, true)", "a macro's variable is a plain name", ""),
    ("(1 == 1", "found the end, expected `)`", ""),
    ("1 == 1)", "found `)`, expected an operator or the end", ""),
    ("", "found the end, expected a value, a name or `(`", ""),
    ("for == 1", "`for` is reserved and cannot be a name", ""),
    ("99999999999999999999 > 1", "an int is out of range", "ints are 64 bits wide; a uint ends in `u`"),
    ("Msg{a: 1} == Msg{}", "messages cannot be built here", "build a map: {\"field\": value}"),
];

#[test]
fn each_mistake_has_its_message_and_help() {
    for (source, message, help) in TABLE {
        let env = Env::vocabulary();
        let outcome = env.compile_as(source, &weir_cel::Type::Bool);
        // A text where a condition should be is only wrong at the root, which `&&` makes it be.
        let errors = match outcome {
            Err(errors) if *source != "request.method" => errors,
            _ => env.compile(&format!("{source} && true")).unwrap_err(),
        };
        let first = &errors.errors()[0];
        assert_eq!((first.message.as_str(), first.help.as_deref().unwrap_or("")), (*message, *help), "{source}");
    }
}

#[test]
fn all_errors_of_a_source_come_at_once_in_order() {
    let errors = Env::vocabulary().compile("nothing == 1 && request.size == \"a\" && request.path.foo()").unwrap_err();
    let spans: Vec<_> = errors.errors().iter().map(|error| error.span.clone()).collect();
    assert_eq!(spans, [0..7, 16..35, 39..57]);
}

#[test]
fn a_long_line_is_cut_around_the_mistake() {
    let source = format!("{} && nope == 1 && {}", vec!["true"; 60].join(" && "), vec!["true"; 60].join(" && "));
    let text = refused(&source);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "1:481: `nope` is not declared");
    assert!(lines[1].starts_with("  | …") && lines[1].ends_with('…') && lines[1].chars().count() < 110, "{text}");
    let mark = lines[2].chars().position(|character| character == '^').unwrap();
    assert_eq!(lines[1].chars().skip(mark).take(4).collect::<String>(), "nope");
}

#[test]
fn run_time_errors_name_the_source_and_never_a_value() {
    let bag = Bag::builder()
        .text(slot::REQUEST_METHOD, "CANARY")
        .header("x-secret", "CANARY")
        .header("x-key", "CANARY-key")
        .int(slot::REQUEST_SIZE, 0)
        .build();
    let table = [
        ("source.principal == \"a\"", "attribute `source.principal` is absent"),
        ("request.headers[\"x-role\"] == \"a\"", "`request.headers` has no key `x-role`"),
        ("request.headers.role == \"a\"", "`request.headers` has no key `role`"),
        (
            "request.headers[request.headers[\"x-key\"]] == \"a\"",
            "`request.headers[request.headers[\"x-key\"]]`: no such key",
        ),
        ("int(request.headers[\"x-secret\"]) == 1", "`int(request.headers[\"x-secret\"])`: cannot be converted"),
        ("1 / request.size == 1", "`1 / request.size`: division by zero"),
        ("request.path == \"a\"", "attribute `request.path` is absent"),
        (
            "\"a\".matches(request.method + \"(\")",
            "`\"a\".matches(request.method + \"(\")`: not a regular expression, or too large a one",
        ),
        ("dyn(request.method)", "`dyn(request.method)`: no such form for these types"),
    ];
    for (source, message) in table {
        let program = Env::vocabulary().compile(source).unwrap();
        let error = program.evaluate_bool(&bag, &mut Scratch::new()).unwrap_err();
        assert_eq!(error.to_string(), message, "{source}");
        assert!(!format!("{error:?}{error}").contains("CANARY"), "{source}");
    }
}
