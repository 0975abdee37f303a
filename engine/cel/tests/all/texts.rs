//! Values as text: what is printed can be pasted back.

use weir_attributes::{Bag, slot};
use weir_cel::{Env, Scratch, Value, limits::VALUE_TEXT_MAX};

fn text(source: &str) -> String {
    let bag = Bag::builder().header("X-A", "1").header("x-a", "2").header("b", "\"").build();
    let program = Env::vocabulary().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
    program.evaluate(&bag, &mut Scratch::new()).unwrap_or_else(|error| panic!("{source}: {error}")).to_string()
}

/// Sources, and the text of their values; nothing where that is the source itself.
const TEXTS: &[(&str, &str)] = &[
    ("null", ""),
    ("true", ""),
    ("-9223372036854775808", ""),
    ("18446744073709551615u", ""),
    ("1.0", ""),
    ("-0.0", ""),
    ("1e300", ""),
    ("0.0 / 0.0", "double(\"NaN\")"),
    ("-1.0 / 0.0", "double(\"-Infinity\")"),
    (r#""plain 'text' é""#, ""),
    (r#"'"\\\n\r\t\a\u202e\U000e0001\x7f'"#, "\"\\\"\\\\\\n\\r\\t\\u0007\\u202e\\U000e0001\\u007f\""),
    (r#"b"a\x00\xff\"\\""#, ""),
    (r#"timestamp("2024-02-29T12:00:00.5Z")"#, ""),
    (r#"duration("-1h30m")"#, r#"duration("-5400s")"#),
    (r#"duration("1.5s")"#, ""),
    ("[1, [], [2u]]", ""),
    (r#"{"a": 1, 2: {}, true: [null]}"#, ""),
    ("type(1)", "int"),
    ("type(type(1))", "type"),
    ("optional.of([1])", ""),
    ("optional.none()", ""),
    (r#"ip("2001:db8::1")"#, ""),
    (r#"cidr("10.0.0.1/8")"#, ""),
    ("request.headers", r#"{"x-a": "1,2", "b": "\""}"#),
    ("request.headers_all", r#"{"x-a": ["1", "2"], "b": ["\""]}"#),
];

#[test]
fn a_value_is_written_as_an_expression_that_gives_it_back() {
    for (source, expected) in TEXTS {
        let written = text(source);
        assert_eq!(written, if expected.is_empty() { source } else { *expected }, "{source}");
        assert_eq!(text(&written), written, "{source}");
    }
}

#[test]
fn a_small_value_with_an_endless_text_is_cut() {
    let mut source = "[1, 1]".to_owned();
    for _ in 0..40 {
        source = format!("cel.bind(a, {source}, [a, a])");
    }
    let written = text(&source);
    assert!(written.ends_with('…') && written.len() <= VALUE_TEXT_MAX + '…'.len_utf8(), "{}", written.len());
}

#[test]
fn the_text_of_an_attribute_is_that_of_the_bag() {
    let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").build();
    assert_eq!(Value::from(bag.get(slot::REQUEST_METHOD).unwrap()).to_string(), "\"GET\"");
}
