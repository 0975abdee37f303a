//! How literals and names are written.

use weir_cel::{Env, Scratch, Type, Value};

fn env() -> Env {
    Env::builder().variable("x", Type::Dyn).build()
}

fn holds(table: &[&str]) {
    for source in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        match program.evaluate_bool(&[Value::Null], &mut Scratch::new()) {
            Ok(value) => assert!(value, "{source}"),
            Err(error) => panic!("{source}: {error}"),
        }
    }
}

fn refused(table: &[&str]) {
    for source in table {
        assert!(env().compile(source).is_err(), "{source}");
    }
}

/// The value of a literal.
fn literal(source: &str) -> Value<'static> {
    let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
    program.evaluate(&[Value::Null], &mut Scratch::new()).unwrap().into_static()
}

/// Escapes, and the code points that they are in a text; those above 255 are not for bytes.
const ESCAPES: &[(&str, u32)] = &[
    (r"\\", 0x5c),
    (r"\?", 0x3f),
    (r#"\""#, 0x22),
    (r"\'", 0x27),
    (r"\`", 0x60),
    (r"\a", 7),
    (r"\b", 8),
    (r"\f", 12),
    (r"\n", 10),
    (r"\r", 13),
    (r"\t", 9),
    (r"\v", 11),
    (r"\000", 0),
    (r"\012", 10),
    (r"\177", 0x7f),
    (r"\377", 0xff),
    (r"\x00", 0),
    (r"\x4a", 0x4a),
    (r"\X4B", 0x4b),
    (r"\xfF", 0xff),
    (r"\u0000", 0),
    (r"\u00e9", 0xe9),
    (r"\uFFFD", 0xfffd),
    (r"\U0000004c", 0x4c),
    (r"\U0001F62C", 0x1_f62c),
    (r"\U0010ffff", 0x10_ffff),
    (r"\ud83d\ude2c", 0x1_f62c),
];

#[test]
fn escapes_mean_the_same_in_every_kind_of_quotes() {
    for quote in ["'", "\"", "'''", "\"\"\""] {
        for (escape, point) in ESCAPES {
            let character = char::from_u32(*point).unwrap();
            let text = literal(&format!("{quote} {escape} {quote}"));
            assert_eq!(text.as_str(), Some(&*format!(" {character} ")), "{quote}{escape}");
            let raw = literal(&format!("r{quote} {} {quote}", escape.replace(['\'', '"'], "`")));
            assert_eq!(raw.as_str(), Some(&*format!(" {} ", escape.replace(['\'', '"'], "`"))), "r{quote}{escape}");
            let bytes = env().compile(&format!("b{quote}{escape}{quote}"));
            if escape.starts_with("\\u") || escape.starts_with("\\U") {
                assert!(bytes.is_err(), "b{quote}{escape}");
                continue;
            }
            let program = bytes.unwrap();
            match program.evaluate(&[Value::Null], &mut Scratch::new()) {
                Ok(Value::Bytes(bytes)) => assert_eq!(&*bytes, [*point as u8], "b{quote}{escape}"),
                other => panic!("b{quote}{escape}: {other:?}"),
            }
        }
        for wrong in [r"\q", r"\8", r"\400", r"\x4", r"\xg0", r"\u12", r"\ud83d", r"\ude2c\ud83d", r"\U00110000"] {
            assert!(env().compile(&format!("{quote}{wrong} {quote}")).is_err(), "{quote}{wrong}");
        }
    }
}

#[test]
fn literals_keep_what_is_written_in_them() {
    assert_eq!(literal("'''a\nb'c\"d'''").as_str(), Some("a\nb'c\"d"));
    assert_eq!(literal("r'''\\''' + R\"\\n\"").as_str(), Some("\\\\n"));
    assert_eq!(literal("'\u{88888} é \t \u{1}'").as_str(), Some("\u{88888} é \t \u{1}"));
    holds(&[
        "b'é' == b'\\303\\251' && B\"a\" == bR'a' && br\"\\x\" == b'\\\\x' && size(b'''ÿ''') == 2",
        "0x1f == 31 && 0X1F == 31 && 0x1Fu == 31U && -0x10 == -16 && 007 == 7 && 18446744073709551615u > 0u",
        ".5 == 0.5 && 1e3 == 1000.0 && 1.5E-3 == 0.0015 && 1e+2 == 100.0 && -.5 == 0.0 - 0.5",
        "- 9223372036854775808 == -9223372036854775807 - 1",
        "[1, 2,] == [1, 2] && {'a': 1,} == {'a': 1}",
        "\t[ 1\n,\r2\x0c] // to the end\n == [1,2]",
    ]);
    refused(&[
        "'a\nb'",
        "1.",
        "9223372036854775808",
        "18446744073709551616u",
        "'a' 'b'",
        "rb'a'",
        "size([1],)",
        "1e999",
    ]);
}

#[test]
fn a_field_may_have_any_name_between_backticks_and_reserved_words_after_a_dot() {
    holds(&[
        "{'a-b': 1}.`a-b` == 1 && {'/x': 1}.`/x` == 1 && has({'a.b': 1}.`a.b`) && {'in': 1}.`in` == 1",
        "{'for': 1}.for + {'if': 2}.if + {'var': 3}.var + {'package': 4}.package == 10",
        "{'a': {'b c': 2}}.a.`b c` == 2 && {'a b': 1}.?`a b`.value() == 1",
    ]);
    refused(&["for", "{'for': 1}.in", "var + 1", "{'a': 1}.``"]);
}
