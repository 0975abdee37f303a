//! Mixer's expression language.

mod hostile;
mod names;

use weir_cel::{
    EvalErrorKind, Overload, Reads, Scratch, Value,
    cexl::{Env, EnvBuilder, Reference, Type, Values},
};

/// The attributes of the tests, with their values where they are there.
fn attributes() -> Vec<(&'static str, Type, Option<Value<'static>>)> {
    let labels = |pairs: &[(&'static str, &'static str)]| {
        let mut entries = weir_cel::Entries::default();
        for (key, value) in pairs {
            entries.push(Value::text(key), Value::text(value)).unwrap();
        }
        Some(Value::Map(weir_cel::Map::new(entries)))
    };
    let at = |seconds| weir_cel::Timestamp::new(seconds, 0).map(Value::Timestamp);
    let text = |text: &'static str| Some(Value::text(text));
    vec![
        ("source.name", Type::String, text("reviews-v1")),
        ("source.user", Type::String, None),
        ("peer", Type::String, None),
        ("tag", Type::String, text("gold")),
        ("source.labels", Type::StringMap, labels(&[("app", "reviews"), ("gold", "yes"), ("empty", "")])),
        ("destination.labels", Type::StringMap, None),
        ("request.size", Type::Int64, Some(Value::Int(512))),
        ("response.size", Type::Int64, None),
        ("load", Type::Double, Some(Value::Double(0.5))),
        ("mtls", Type::Bool, Some(Value::Bool(true))),
        ("retried", Type::Bool, None),
        ("request.time", Type::Timestamp, at(1_000)),
        ("response.time", Type::Timestamp, at(2_000)),
        ("took", Type::Duration, Some(Value::Duration(20_000_000))),
        ("source.ip", Type::IpAddress, Some(Value::Ip("10.0.0.1".parse().unwrap()))),
        ("origin.ip", Type::IpAddress, Some(Value::Ip("::ffff:10.0.0.1".parse().unwrap()))),
        ("host", Type::DnsName, text("Ratings.Prod.")),
        ("owner", Type::EmailAddress, text("Ana@Example.com")),
        ("referer", Type::Uri, text("HTTP://Example.com:/a")),
        ("confused", Type::String, Some(Value::Int(7))),
    ]
}

fn builder() -> EnvBuilder {
    attributes().into_iter().fold(Env::builder(), |env, (name, ty, _)| env.attribute(name, ty))
}

fn values(env: &Env) -> Values<'static> {
    attributes().into_iter().fold(Values::of(env), |values, (name, _, value)| match value {
        Some(value) => values.with(name, value),
        None => values,
    })
}

/// The value as text, or the error.
fn outcome(env: &Env, source: &str) -> String {
    let program = env.compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
    let values = values(env);
    let shown = match program.evaluate(&values, &mut Scratch::new()) {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    };
    let mut reads = Reads::new();
    let tracked = program.evaluate_tracked(&values, &mut Scratch::new(), &mut reads);
    assert_eq!(tracked.map_or_else(|error| error.to_string(), |value| value.to_string()), shown, "{source}");
    if program.value_type() == Type::Bool {
        let truth = program.evaluate_bool(&values, &mut Scratch::new());
        assert_eq!(truth.map_or_else(|error| error.to_string(), |value| value.to_string()), shown, "{source}");
    }
    shown
}

/// Expressions and their values.
const VALUES: &[(&str, &str)] = &[
    // Literals.
    ("TRUE == True", "true"),
    ("1e3 + .5", "1000.5"),
    ("1. < 2.", "true"),
    ("'a'", "\"a\""),
    ("'\\''", "\"'\""),
    ("`a\\n\"`", r#""a\\n\"""#),
    (r#""\x41\101é\U0001F600\"""#, "\"AAé😀\\\"\""),
    (r#""\xc3\xa9""#, "\"é\""),
    // A comment and a line end are blanks.
    ("1 + // one\n /* and */ 2", "3"),
    // Operators bind as Go's do; `|` and `+` alike, from the left.
    ("1 + 2 == 3 && \"a\" + \"b\" == \"ab\" || false", "true"),
    ("peer | \"x\" + \"y\"", "\"xy\""),
    ("tag + (peer | \"-none\")", "\"gold-none\""),
    ("1 < 2 == true", "true"),
    ("9223372036854775807 + 1", "-9223372036854775808"),
    ("\"a\" < \"b\" && 1 <= 1 && 2.5 > 1.5 && response.time >= request.time", "true"),
    ("host < dnsName(\"zz\")", "true"),
    ("took", "duration(\"0.02s\")"),
    ("conditional(mtls, \"1s\", took)", "duration(\"1s\")"),
    // Defaults.
    ("source.name | \"x\"", "\"reviews-v1\""),
    ("source.user | peer | tag", "\"gold\""),
    ("source.user | (peer | tag)", "\"gold\""),
    ("source.labels[\"app\"] | \"x\"", "\"reviews\""),
    ("source.labels[\"empty\"] | \"x\"", "\"\""),
    ("source.labels[\"none\"] | \"x\"", "\"x\""),
    ("source.labels[peer] | \"x\"", "\"x\""),
    ("source.labels[peer | tag] | \"x\"", "\"yes\""),
    ("source.labels[source.user | peer] | \"x\"", "\"x\""),
    ("source.labels[tag + \"\"] | \"x\"", "\"yes\""),
    ("destination.labels[\"app\"] | source.labels[\"app\"]", "\"reviews\""),
    ("destination.labels[\"app\"] | source.labels[\"none\"]", "\"\""),
    ("(destination.labels | source.labels)[\"app\"]", "\"reviews\""),
    ("(destination.labels | emptyStringMap())[\"app\"] | \"x\"", "\"x\""),
    ("conditional(mtls, source.labels, destination.labels)[\"app\"]", "\"reviews\""),
    ("emptyStringMap()[\"a\"]", "\"\""),
    ("(request.size == 512) | retried", "true"),
    ("(tag + \"x\") | \"y\"", "\"goldx\""),
    ("size(tag) | 7", "4"),
    // A key that is absent outside of a default is empty text.
    ("source.labels[\"none\"]", "\"\""),
    ("source.labels[\"none\"] == \"\"", "true"),
    // Evaluated from the left, as far as needed.
    ("false && retried", "false"),
    ("true || retried", "true"),
    ("mtls && true && (retried | true)", "true"),
    ("conditional(true, tag, peer)", "\"gold\""),
    ("conditionalString(mtls, tag, \"b\")", "\"gold\""),
    // Functions.
    ("match(tag, \"go*\") && match(tag, \"*ld\") && match(tag, \"gold\") && match(tag, \"*\")", "true"),
    ("match(tag, \"g*d\") || match(tag, \"ol*\") || match(\"*\", tag)", "false"),
    ("match(tag, \"\" + \"go*\") && match(tag, source.labels[\"app\"]) == false", "true"),
    ("match(tag, tag) && match(tag + \"x\", tag + \"*\")", "true"),
    ("\"^g.*d$\".matches(tag) && \"ol\".matches(tag)", "true"),
    ("tag.matches(\"golden\")", "true"),
    ("(\"^\" + tag + \"$\").matches(\"golden\")", "false"),
    ("tag.startsWith(\"go\") && source.name.endsWith(source.labels[\"none\"] + \"v1\")", "true"),
    ("toLower(\"ÀB\")", "\"àb\""),
    ("size(\"é\")", "2"),
    ("source.labels[\"app\"].startsWith(\"rev\")", "true"),
    ("timestamp(\"1970-01-01T00:16:40Z\") == request.time", "true"),
    ("timestamp(\"1970-01-01T01:16:40.0+01:00\") == request.time", "true"),
    // Equality knows the types.
    ("source.ip == origin.ip && ip(\"10.0.0.2\") != origin.ip", "true"),
    ("host == dnsName(\"ratings.prod\")", "true"),
    ("dnsName(\"bücher.example\") == dnsName(\"xn--bcher-kva.EXAMPLE.\")", "true"),
    ("owner == email(\"Ana@EXAMPLE.COM\") && owner != email(\"ana@example.com\")", "true"),
    ("email(\"\\\"Ana\\\"@example.com\") == owner", "true"),
    ("referer == uri(\"http://example.com/a\") && referer != uri(\"http://example.com/A\")", "true"),
];

#[test]
fn expressions_have_their_values() {
    let env = builder().build();
    for (source, value) in VALUES {
        assert_eq!(outcome(&env, source), *value, "{source}");
    }
}

/// Expressions that fail, and how.
const FAILURES: &[(&str, &str)] = &[
    ("peer", "lookup failed: 'peer'"),
    ("source . user", "lookup failed: 'source.user'"),
    ("source.user | peer", "lookup failed: 'peer'"),
    ("destination.labels[\"app\"]", "lookup failed: 'destination.labels'"),
    ("source.labels[peer]", "lookup failed: 'peer'"),
    ("(destination.labels | destination.labels)[\"a\"]", "lookup failed: 'destination.labels'"),
    // An error on the left stands, whatever the right says.
    ("retried && false", "lookup failed: 'retried'"),
    ("retried || true", "lookup failed: 'retried'"),
    // What is given to a function must be there, whatever default follows.
    ("toLower(peer) | \"x\"", "lookup failed: 'peer'"),
    ("(peer + \"x\") | \"y\"", "lookup failed: 'peer'"),
    ("conditional(false, tag, peer) | \"x\"", "lookup failed: 'peer'"),
    ("conditionalString(true, tag, peer)", "lookup failed: 'peer'"),
    ("ip(tag)", "`ip(tag)`: cannot be converted"),
    ("ip(\"10.0.0.1/8\")", "`ip(\"10.0.0.1/8\")`: cannot be converted"),
    ("timestamp(\"yesterday\")", "`timestamp(\"yesterday\")`: cannot be converted"),
    ("tag.matches(\"a\") && (tag + \"(\").matches(\"a\")", ""),
    ("(tag + \"(\").matches(\"a\")", "`(tag + \"(\").matches(\"a\")`: not a regular expression, or too large a one"),
    ("confused", "`confused`: an attribute has a value that is no STRING"),
    ("confused | \"x\"", "`confused | \"x\"`: an attribute has a value that is no STRING"),
    ("confused == \"a\"", "`confused`: no such form for these types"),
];

#[test]
fn failures_say_what_failed_in_mixers_words_where_it_has_some() {
    let env = builder().build();
    for (source, error) in FAILURES.iter().filter(|(_, error)| !error.is_empty()) {
        assert_eq!(outcome(&env, source), *error, "{source}");
    }
}

/// Expressions that are refused: the error, the text that it is about, and the way out.
const REFUSED: &[(&str, &str, &str, &str)] = &[
    ("tga", "there is no attribute `tga`", "tga", "did you mean `tag`?"),
    ("source.nam == \"a\"", "there is no attribute `source.nam`", "source.nam", "did you mean `source.name`?"),
    ("request.size == true", "this is BOOL, but INT64 is needed", "true", ""),
    ("request.size < 1.0", "this is DOUBLE, but INT64 is needed", "1.0", ""),
    ("host == \"a\"", "this is STRING, but DNS_NAME is needed", "\"a\"", "make it one: dnsName(...)"),
    (
        "source.labels[\"10s\"]",
        "this is DURATION, but STRING is needed",
        "\"10s\"",
        "a text that reads as a duration is one, not a STRING",
    ),
    (
        "took | \"soon\"",
        "this is STRING, but DURATION is needed",
        "\"soon\"",
        "write durations as in \"1.5s\" or \"2h30m\"",
    ),
    ("tag && true", "this is STRING, but BOOL is needed", "tag", "compare it: `... == \"value\"`"),
    ("took == \"1s\"", "`==` does not take DURATION", "took == \"1s\"", ""),
    ("source.labels != source.labels", "`!=` does not take STRING_MAP", "source.labels != source.labels", ""),
    ("mtls < true", "`<` does not take BOOL", "mtls < true", ""),
    ("mtls + true", "`+` does not take BOOL", "mtls + true", ""),
    ("!mtls", "nothing implements the operator `!`", "!", "compare instead: `x == false`"),
    ("1 - 2", "nothing implements the operator `-`", "-", "there are == != < <= > >= && || + and |"),
    ("mtls & true", "nothing implements the operator `&`", "&", "both conditions: `&&`"),
    ("+tag", "`+` has nothing on its left", "+", "it adds two values"),
    ("tag = \"a\"", "unexpected character '='", "=", "compare with `==`"),
    ("matches(tag)", "`matches` is not called like this", "matches(tag)", "call it as value.matches(...)"),
    ("tag.size()", "`size` is not called like this", "tag.size()", "call it as size(value)"),
    ("match(tag)", "`match` takes 2 arguments, these are 1", "match(tag)", ""),
    ("tag.startsWith()", "`startsWith` takes 1 arguments, these are 0", "tag.startsWith()", ""),
    ("conditional(true, 1)", "`conditional` takes 3 arguments, these are 2", "conditional(true, 1)", ""),
    ("conditional(true, 1, 2.0)", "this is DOUBLE, but INT64 is needed", "2.0", ""),
    ("macth(tag, \"a\")", "there is no function `macth`", "macth(tag, \"a\")", "did you mean `match`?"),
    (
        "\"(\".matches(tag)",
        "not a regular expression: unclosed group",
        "\"(\"",
        "RE2 syntax: no look-around, no back-references",
    ),
    (
        "size(tag).a",
        "`a` is selected from a value",
        "a",
        "values have no fields: index a map with [\"key\"], call a function with (...)",
    ),
    ("tag tag", "found `tag`, expected an operator or the end", "tag", ""),
    ("(tag", "found the end, expected `)`", "", ""),
    ("tag |", "found the end, expected a value, a name or `(`", "", ""),
    ("\"a", "a text is not closed", "\"a", "end it with \" on the same line"),
    ("'ab'", "single quotes hold exactly one character", "'ab'", "quote longer texts with \""),
    ("\"\\q\"", "an unknown escape", "\\q", "write a backslash as `\\\\`, or the text in backticks"),
    ("\"\\xff\"", "its escapes do not make Unicode text", "\"\\xff\"", ""),
    ("/* a", "a comment is not closed", "/* a", "end it with */"),
    ("0x10", "not a number", "0x10", "numbers are decimal: 10, 0.5, 1e3"),
    ("010", "an INT64 does not start with 0", "010", "it would be octal elsewhere: leave the zeros out"),
    ("9223372036854775808", "an INT64 is out of range", "9223372036854775808", ""),
    ("1e999", "a DOUBLE is out of range", "1e999", ""),
    ("1e", "not a number", "1e", ""),
];

#[test]
fn what_is_refused_is_refused_with_its_place_and_a_way_out() {
    let env = builder().build();
    for (source, message, about, help) in REFUSED {
        let errors = env.compile(source).expect_err(source);
        let error = &errors.errors()[0];
        assert_eq!(error.message, *message, "{source}");
        assert_eq!(&source[error.span.clone()], *about, "{source}");
        assert_eq!(error.help.as_deref().unwrap_or_default(), *help, "{source}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let errors = builder().build().compile("tga == \"a\" && tag == 1 && nope(true)").unwrap_err();
    let messages: Vec<&str> = errors.errors().iter().map(|error| &*error.message).collect();
    let expected =
        ["there is no attribute `tga`", "this is INT64, but STRING is needed", "there is no function `nope`"];
    assert_eq!(messages, expected);
}

/// What an expression reads, as Mixer tells its proxies; `-` is absent.
const READS: &[(&str, &str)] = &[
    ("tag == \"gold\" || source.labels[\"app\"] == \"x\"", "tag"),
    ("tag == \"x\" && source.labels[\"app\"] == \"x\"", "tag"),
    ("source.labels[\"app\"] == \"x\" || tag == \"gold\"", "source.labels[app] tag"),
    ("source.user | peer | tag | source.name", "-source.user -peer tag"),
    ("source.labels[tag] | \"x\"", "tag source.labels[gold]"),
    ("source.labels[\"none\"] | tag", "-source.labels[none] tag"),
    ("source.labels[\"none\"]", "-source.labels[none]"),
    ("source.labels[peer] | \"x\"", "-peer source.labels"),
    ("destination.labels[tag] | \"x\"", "-destination.labels"),
    ("(destination.labels | source.labels)[\"app\"]", "-destination.labels source.labels[app]"),
    ("conditional(mtls, source.labels, destination.labels)[\"app\"]", "mtls source.labels[app]"),
    ("source.labels | emptyStringMap()", "source.labels"),
    ("emptyStringMap() | source.labels", ""),
    ("retried && mtls", "-retried"),
];

#[test]
fn an_evaluation_tells_what_it_read_and_what_was_absent() {
    let env = builder().build();
    for (source, expected) in READS {
        let program = env.compile(source).unwrap();
        let mut reads = Reads::new();
        let _ = program.evaluate_tracked(&values(&env), &mut Scratch::new(), &mut reads);
        let read = program.references(&reads).map(|Reference { name, key, present }| {
            let key = key.map_or_else(String::new, |key| format!("[{key}]"));
            format!("{}{name}{key}", if present { "" } else { "-" })
        });
        assert_eq!(read.collect::<Vec<_>>().join(" "), *expected, "{source}");
    }
}

/// In the mode COMPAT: an absent attribute is its zero value, the rest is CEL.
const COMPATIBLE: &[(&str, &str)] = &[
    ("peer", "\"\""),
    ("response.size == 0 && retried == false", "true"),
    ("retried || true", "true"),
    ("ip(peer) == source.ip && false", "false"),
    // Only names with dots and keys have defaults, and only the first of them.
    ("peer | \"x\"", "\"\""),
    ("source.user | \"x\"", "\"x\""),
    ("source.user | peer | \"x\"", "\"\""),
    ("source.labels[\"none\"] | \"x\"", "\"x\""),
    ("destination.labels[\"none\"] | \"x\"", "\"x\""),
    ("source.labels[\"none\"]", "`source.labels` has no key `none`"),
    ("tag.matches(\"^g.*d$\")", "true"),
    ("\"^g.*d$\".matches(tag)", "false"),
    ("size(\"é\")", "1"),
    ("9223372036854775807 + request.size", "`9223372036854775807 + request.size`: the result is out of range"),
];

#[test]
fn the_mode_compat_is_cel_with_this_syntax() {
    let env = builder().compatible().build();
    for (source, value) in COMPATIBLE {
        assert_eq!(outcome(&env, source), *value, "{source}");
    }
    let absent = Env::builder().attribute("ip", Type::IpAddress).compatible().build();
    let program = absent.compile("ip").unwrap();
    assert_eq!(program.evaluate(&Values::of(&absent), &mut Scratch::new()).unwrap().to_string(), "b\"\"");
}

#[test]
fn functions_of_the_host_take_the_place_of_those_of_the_language() {
    let shout = Overload::method(weir_cel::Type::String, [], weir_cel::Type::String).implemented(|args| match args {
        [Value::String(text)] => Ok(Value::from(text.to_uppercase())),
        _ => Err(EvalErrorKind::NoOverload),
    });
    let size = Overload::global([weir_cel::Type::from(Type::StringMap)], weir_cel::Type::Int).implemented(|args| {
        let [Value::Map(map)] = args else { return Err(EvalErrorKind::NoOverload) };
        Ok(Value::Int(map.len() as i64))
    });
    let odd = Overload::global([weir_cel::Type::Bytes], weir_cel::Type::Bool);
    let env = builder().function("shout", shout).function("size", size).function("odd", odd).build();
    assert_eq!(outcome(&env, "tag.shout()"), "\"GOLD\"");
    assert_eq!(outcome(&env, "size(source.labels)"), "3");
    for (source, message) in [
        ("shout(tag)", "there is no function `shout`"),
        ("size(tag)", "`size` does not take (STRING)"),
        ("odd(tag)", "`odd` does not take (STRING)"),
        ("request.size.shout()", "`shout` does not take (INT64)"),
    ] {
        assert_eq!(env.compile(source).expect_err(source).errors()[0].message, message, "{source}");
    }
}

#[test]
fn types_have_mixers_names_and_attributes_their_places() {
    for name in ["STRING", "INT64", "DOUBLE", "BOOL", "TIMESTAMP", "IP_ADDRESS", "EMAIL_ADDRESS", "URI", "DNS_NAME"] {
        assert_eq!(name.parse::<Type>().unwrap().to_string(), name);
    }
    assert!("string".parse::<Type>().unwrap_err().to_string().starts_with("there is no type `string`"));
    let env = builder().attribute("tag", Type::Uri).build();
    assert_eq!(env.index("tag"), Some(3));
    assert_eq!(env.attributes().nth(3), Some(("tag", Type::Uri)));
    assert_eq!(env.compile("tag").unwrap().value_type(), Type::Uri);
    assert_eq!(env.index("nope"), None);
}

#[test]
fn common_conditions_allocate_nothing() {
    let env = builder().build();
    for source in [
        r#"match(source.name, "reviews-*") && source.labels["app"] == "reviews""#,
        r#"(source.user | tag) == "gold" && request.size < 1024"#,
        r#""^reviews-v[0-9]$".matches(source.name) && source.ip == ip("10.0.0.1")"#,
    ] {
        let (program, values) = (env.compile(source).unwrap(), values(&env));
        let mut scratch = Scratch::new();
        assert!(program.evaluate_bool(&values, &mut scratch).unwrap(), "{source}");
        assert_eq!(scratch.bytes(), 0, "{source}");
    }
}
