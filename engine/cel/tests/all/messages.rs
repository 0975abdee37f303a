//! The messages of protobuf that are values: literals, and what comes from the wire.

use std::thread;

use weir_cel::{Env, EvalErrorKind, MessageError, Scratch, Type, Value};

fn env() -> Env {
    Env::builder().variable("x", Type::Dyn).container("google.protobuf").build()
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

#[test]
fn wrappers_are_the_values_that_they_wrap() {
    holds(&[
        "google.protobuf.BoolValue{value: true} && Int32Value{value: -7} == -7 && UInt32Value{value: 7u} == 7u",
        "Int64Value{value: -9223372036854775808} == -9223372036854775808",
        "UInt64Value{value: 18446744073709551615u} == 18446744073709551615u",
        "DoubleValue{value: 0.1} == 0.1 && FloatValue{value: 0.5} == 0.5",
        "StringValue{value: 'a'} + 'b' == 'ab' && BytesValue{value: b'a'} + b'b' == b'ab'",
        "type(Int32Value{value: 1}) == int && type(UInt64Value{}) == uint && type(FloatValue{}) == double",
        "[Int32Value{value: 1}, 1] == [1, Int64Value{value: 1}]",
        ".google.protobuf.Int32Value{value: 1} == protobuf.Int32Value{value: 1}",
    ]);
}

#[test]
fn a_field_that_is_not_set_has_its_default() {
    holds(&[
        "BoolValue{} == false && Int32Value{} == 0 && Int64Value{} == 0 && UInt32Value{} == 0u && UInt64Value{} == 0u",
        "FloatValue{} == 0.0 && DoubleValue{} == 0.0 && StringValue{} == '' && BytesValue{} == b''",
        "BoolValue{} != null && StringValue{} != null",
        "Value{} == null && Struct{} == {} && ListValue{} == []",
        "Timestamp{} == timestamp(0) && Duration{} == duration('0s')",
        "Int32Value{?value: optional.none()} == 0 && Int32Value{?value: optional.of(3)} == 3",
    ]);
}

#[test]
fn narrow_fields_keep_their_range() {
    holds(&[
        "Int32Value{value: 2147483647} == 2147483647 && Int32Value{value: -2147483648} == -2147483648",
        "UInt32Value{value: 4294967295u} == 4294967295u",
        "FloatValue{value: 0.1} != 0.1 && FloatValue{value: 16777217.0} == 16777216.0",
        "FloatValue{value: 1e55} == double('Infinity') && FloatValue{value: 1e-60} == 0.0",
    ]);
    for source in ["Int32Value{value: 2147483648}", "Int32Value{value: -2147483649}", "UInt32Value{value: 4294967296u}"]
    {
        let program = env().compile(source).unwrap();
        let error = program.evaluate(&[Value::Null], &mut Scratch::new()).unwrap_err();
        assert_eq!(error.kind, EvalErrorKind::Overflow, "{source}");
    }
}

#[test]
fn json_messages_are_null_numbers_texts_lists_and_maps() {
    holds(&[
        "Value{null_value: NullValue.NULL_VALUE} == null && Value{null_value: null} == null",
        "NullValue.NULL_VALUE == 0 && type(google.protobuf.NullValue.NULL_VALUE) == int",
        "Value{number_value: 1.5} == 1.5 && Value{string_value: 'a'} == 'a' && Value{bool_value: true} == true",
        "Value{struct_value: {'a': 1.0}} == {'a': 1.0} && Value{list_value: [1.0, 'a', null]} == [1.0, 'a', null]",
        "Struct{fields: {'a': {'b': [true]}}} == {'a': {'b': [true]}} && Struct{fields: {'a': 1.0}}.a == 1.0",
        "ListValue{values: [[], {}, 'a']} == [[], {}, 'a'] && ListValue{values: ['a']}[0] == 'a'",
        "Value{struct_value: Struct{fields: {'a': Value{list_value: ListValue{values: [Value{}]}}}}} == {'a': [null]}",
        "Value{number_value: 1.0, string_value: 'the last field counts'} == 'the last field counts'",
    ]);
}

#[test]
fn what_json_does_not_have_becomes_what_protobuf_writes() {
    holds(&[
        "type(ListValue{values: [1]}[0]) == double && ListValue{values: [1, 1u]} == [1.0, 1.0]",
        "ListValue{values: [9007199254740991, -9007199254740991]} == [9007199254740991.0, -9007199254740991.0]",
        "ListValue{values: [9007199254740992, -9007199254740992]} == ['9007199254740992', '-9007199254740992']",
        "ListValue{values: [18446744073709551615u]} == ['18446744073709551615']",
        "ListValue{values: [b'', b'f', b'fo', b'foo', b'\\xff\\xfe']} == ['', 'Zg==', 'Zm8=', 'Zm9v', '//4=']",
        "ListValue{values: [timestamp('2030-01-02T03:04:05.5Z')]} == ['2030-01-02T03:04:05.5Z']",
        "ListValue{values: [timestamp(0), duration('90s')]} == ['1970-01-01T00:00:00Z', '90s']",
    ]);
    for source in ["ListValue{values: [int]}", "Struct{fields: {'a': optional.of(1)}}", "Struct{fields: dyn({1: 1})}"] {
        let program = env().compile(source).unwrap();
        let error = program.evaluate(&[Value::Null], &mut Scratch::new()).unwrap_err();
        assert_eq!(error.kind, EvalErrorKind::NoOverload, "{source}");
    }
}

#[test]
fn times_are_made_of_seconds_and_nanoseconds() {
    holds(&[
        "Timestamp{seconds: 1, nanos: 500000000} == timestamp('1970-01-01T00:00:01.5Z')",
        "Timestamp{seconds: -62135596800} == timestamp('0001-01-01T00:00:00Z')",
        "Timestamp{seconds: 253402300799, nanos: 999999999} == timestamp('9999-12-31T23:59:59.999999999Z')",
        "Duration{seconds: 1, nanos: 500000000} == duration('1.5s') && Duration{seconds: -1, nanos: -1} < duration('-1s')",
        "Duration{nanos: -1} == duration('-1ns')",
    ]);
    for source in [
        "Timestamp{seconds: 253402300800}",
        "Timestamp{seconds: -62135596801}",
        "Timestamp{nanos: -1}",
        "Timestamp{nanos: 1000000000}",
        "Timestamp{nanos: 4294967296}",
        "Duration{nanos: 1000000000}",
        "Duration{seconds: 1, nanos: -1}",
        "Duration{seconds: 9223372037}",
        "Duration{seconds: -9223372036854775808, nanos: -1}",
    ] {
        let program = env().compile(source).unwrap();
        let error = program.evaluate(&[Value::Null], &mut Scratch::new()).unwrap_err();
        assert_eq!(error.kind, EvalErrorKind::Overflow, "{source}");
    }
}

#[test]
fn an_any_is_what_it_holds() {
    holds(&[
        "Any{type_url: 'type.googleapis.com/google.protobuf.Int32Value', value: b'\\x08\\x07'} == 7",
        "Any{type_url: 'https://example.com/a/b/google.protobuf.StringValue', value: b'\\x0a\\x01a'} == 'a'",
        "Any{type_url: 'google.protobuf.BoolValue'} == false",
        "Any{type_url: 'x/google.protobuf.Duration', value: b'\\x08\\x01'} == duration('1s')",
        "Any{type_url: 'x/google.protobuf.Value', value: b''} == null",
        "Any{type_url: 'x/google.protobuf.ListValue', value: b'\\x0a\\x02\\x20\\x01'} == [true]",
        "Any{type_url: 'x/google.protobuf.Any', value: b'\\x0a\\x1cx/google.protobuf.Int64Value\\x12\\x02\\x08\\x05'} == 5",
    ]);
    for (source, kind) in [
        ("Any{}", EvalErrorKind::Conversion),
        ("Any{value: b'a'}", EvalErrorKind::Conversion),
        ("Any{type_url: 'x/acme.Unknown'}", EvalErrorKind::Conversion),
        ("Any{type_url: 'x/google.protobuf.Int32Value', value: b'\\x08'}", EvalErrorKind::Conversion),
        (
            "Any{type_url: 'x/google.protobuf.Timestamp', value: b'\\x10\\xff\\xff\\xff\\xff\\x07'}",
            EvalErrorKind::Overflow,
        ),
    ] {
        let program = env().compile(source).unwrap();
        assert_eq!(program.evaluate(&[Value::Null], &mut Scratch::new()).unwrap_err().kind, kind, "{source}");
    }
}

/// Literals that are refused, with the message and the help.
const REFUSED: &[(&str, &str, &str)] = &[
    ("Int32Value{value: 'a'}", "the field `value` is int, not string", ""),
    ("Int32Value{value: 1u}", "the field `value` is int, not uint", ""),
    ("Int32Value{value: null}", "the field `value` is int, not null", ""),
    ("DoubleValue{value: 1}", "the field `value` is double, not int", ""),
    ("Struct{fields: {1: 1}}", "the field `fields` is map(string, dyn), not map(int, int)", ""),
    ("Value{struct_value: null}", "the field `struct_value` is map(string, dyn), not null", ""),
    ("Int32Value{val: 1}", "`google.protobuf.Int32Value` has no field `val`", "it has `value`"),
    ("Duration{sec: 1}", "`google.protobuf.Duration` has no field `sec`", "it has `seconds`, `nanos`"),
    ("Int32Value{value: 1, value: 2}", "the field `value` stands twice", ""),
    ("Int32Value{?value: 1}", "this is int, not an optional", "make it one with optional.of(...), or drop the `?`"),
    ("Int32Value{value: 1}.value", "`Int32Value{value: 1}` is wrapper(int): it has no field `value`", ""),
    ("Int32{value: 1}", "messages cannot be built here", "build a map: {\"field\": value}"),
    ("google.protobuf.Int32Val{}", "messages cannot be built here", "did you mean `google.protobuf.Int32Value`?"),
];

#[test]
fn a_literal_that_is_wrong_is_refused_where_it_is_wrong() {
    for (source, message, help) in REFUSED {
        let errors = env().compile(source).expect_err(source);
        let error = &errors.errors()[0];
        assert_eq!((&*error.message, error.help.as_deref().unwrap_or_default()), (*message, *help), "{source}");
    }
    // A field that is known keeps its literal's other mistakes.
    assert_eq!(env().compile("Timestamp{seconds: 'a', nanos: 'b'}").unwrap_err().errors().len(), 2);
}

#[test]
fn a_lenient_environment_leaves_the_mistakes_to_the_evaluation() {
    let env = Env::builder().container("google.protobuf").lenient().build();
    for source in [
        "Int32Value{value: 1}.value",
        "Struct{fields: {'a': 1}}.fields",
        "Int32Value{value: 'a'}",
        "Int32Value{value: null}",
        "Int32Value{other: 1}",
        "Int32Value{?value: 1}",
        "Value{struct_value: null}",
        "Acme{}",
    ] {
        assert!(env.compile(source).unwrap().evaluate(&[], &mut Scratch::new()).is_err(), "{source}");
    }
}

#[test]
fn literals_have_types() {
    for (source, ty) in [
        ("Int32Value{}", "wrapper(int)"),
        ("[UInt32Value{}, 1u, null]", "list(wrapper(uint))"),
        ("Value{}", "dyn"),
        ("Any{}", "dyn"),
        ("Struct{}", "map(string, dyn)"),
        ("ListValue{}", "list(dyn)"),
        ("Timestamp{} - Timestamp{}", "duration"),
        ("true ? StringValue{} : null", "wrapper(string)"),
    ] {
        assert_eq!(env().compile(source).unwrap().result_type().to_string(), ty, "{source}");
    }
}

/// A field with a length.
fn part(number: u8, content: &[u8]) -> Vec<u8> {
    let mut wire = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        wire.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    wire.push(length as u8);
    wire.extend_from_slice(content);
    wire
}

/// Message names without their package, their bytes, and an expression that they equal; `x` is the message.
fn from_wire() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = |text: &str| part(3, text.as_bytes());
    let entry = |key: &str, value: &[u8]| part(1, &[part(1, key.as_bytes()), part(2, value)].concat());
    vec![
        ("Int32Value", vec![], "x == 0"),
        ("Int32Value", vec![0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], "x == -1"),
        ("Int32Value", vec![0x08, 0x01, 0x08, 0x02], "x == 2"),
        ("Int32Value", vec![0x08, 0x80, 0x80, 0x80, 0x80, 0x10], "x == 0"),
        ("Int32Value", vec![0x0a, 0x01, 0x61], "x == 0"),
        ("Int32Value", vec![0x7a, 0x01, 0x61, 0x79, 0, 0, 0, 0, 0, 0, 0, 0, 0x7d, 0, 0, 0, 0, 0x08, 0x05], "x == 5"),
        ("UInt32Value", vec![0x08, 0xff, 0xff, 0xff, 0xff, 0x0f], "x == 4294967295u"),
        (
            "UInt64Value",
            vec![0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            "x == 18446744073709551615u",
        ),
        ("BoolValue", vec![0x08, 0x02], "x == true"),
        ("FloatValue", [&[0x0d][..], &1.5f32.to_le_bytes()].concat(), "x == 1.5"),
        ("DoubleValue", [&[0x09][..], &0.1f64.to_le_bytes()].concat(), "x == 0.1"),
        ("StringValue", part(1, "é".as_bytes()), "x == 'é'"),
        ("BytesValue", part(1, &[0xff]), "x == b'\\xff'"),
        ("Timestamp", vec![0x08, 0x01], "x == timestamp(1)"),
        ("Duration", vec![0x08, 0x01, 0x10, 0x05], "x == duration('1.000000005s')"),
        ("Value", vec![], "x == null"),
        ("Value", vec![0x08, 0x00], "x == null"),
        ("Value", [text("a"), vec![0x20, 0x01]].concat(), "x == true"),
        ("Value", part(5, &entry("a", &text("b"))), "x == {'a': 'b'}"),
        ("Value", [part(6, &part(1, &text("a"))), part(6, &part(1, &text("b")))].concat(), "x == ['a', 'b']"),
        ("Value", [part(6, &part(1, &text("a"))), text("b"), part(6, &part(1, &text("c")))].concat(), "x == ['c']"),
        ("Struct", [entry("a", &text("b")), entry("a", &text("c"))].concat(), "x == {'a': 'c'}"),
        ("Struct", part(1, &[]), "x == {'': null}"),
        ("ListValue", [part(1, &[]), part(1, &text("a"))].concat(), "x == [null, 'a']"),
        ("Any", [part(1, b"t/google.protobuf.StringValue"), part(2, &part(1, b"a"))].concat(), "x == 'a'"),
    ]
}

#[test]
fn messages_are_read_from_the_wire() {
    for (name, wire, source) in from_wire() {
        let value = Value::from_message(&format!("google.protobuf.{name}"), &wire)
            .unwrap_or_else(|error| panic!("{name} {wire:?}: {error}"));
        let program = env().compile(source).unwrap();
        assert!(program.evaluate_bool(&[value], &mut Scratch::new()).unwrap(), "{name} {wire:?} {source}");
    }
}

#[test]
fn bytes_that_are_not_the_message_are_refused() {
    let nest = |levels: usize| {
        let mut wire = Vec::new();
        for _ in 0..levels {
            wire = part(1, &part(6, &wire));
        }
        wire
    };
    let any = |levels: usize| {
        let mut wire = Vec::new();
        for _ in 0..levels {
            wire = [part(1, b"google.protobuf.Any"), part(2, &wire)].concat();
        }
        wire
    };
    for (name, wire, error) in [
        ("google.protobuf.Int32Value", vec![0x08], MessageError::Malformed),
        ("google.protobuf.Int32Value", [vec![0x08], vec![0xff; 10]].concat(), MessageError::Malformed),
        ("google.protobuf.Int32Value", vec![0x00, 0x01], MessageError::Malformed),
        ("google.protobuf.Int32Value", vec![0x0b, 0x0c], MessageError::Malformed),
        ("google.protobuf.Int32Value", vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], MessageError::Malformed),
        ("google.protobuf.StringValue", part(1, &[0xff]), MessageError::Malformed),
        ("google.protobuf.Struct", part(1, &part(1, &[0xff])), MessageError::Malformed),
        ("google.protobuf.Timestamp", vec![0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03], MessageError::OutOfRange),
        ("google.protobuf.Any", vec![], MessageError::Unknown),
        ("google.protobuf.Any", part(1, b"x/acme.Thing"), MessageError::Unknown),
        ("google.protobuf.Empty", vec![], MessageError::Unknown),
        ("acme.Thing", vec![], MessageError::Unknown),
        ("Int32Value", vec![], MessageError::Unknown),
        ("google.protobuf.ListValue", nest(51), MessageError::TooDeep),
        ("google.protobuf.Any", any(200), MessageError::TooDeep),
        ("google.protobuf.ListValue", [0x0a, 0x00].repeat(1 << 20), MessageError::TooLarge),
        ("google.protobuf.Struct", [0x0a, 0x00].repeat(1 << 20), MessageError::TooLarge),
    ] {
        assert_eq!(Value::from_message(name, &wire).unwrap_err(), error, "{name} of {} bytes", wire.len());
    }
    assert!(Value::from_message("google.protobuf.ListValue", &nest(49)).is_ok());
}

#[test]
fn no_bytes_overflow_a_small_stack_or_the_budget() {
    let run = || {
        let mut state = 1u64;
        for round in 0..20_000 {
            let mut wire = Vec::new();
            for _ in 0..round % 60 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // Mostly the tags and lengths that the messages have.
                wire.push(if state >> 60 < 12 {
                    [0x0a, 0x12, 0x2a, 0x32, 0x1a, 0x08, 2, 4][(state >> 40) as usize % 8]
                } else {
                    (state >> 33) as u8
                });
            }
            for name in ["Value", "Struct", "ListValue", "Any", "Timestamp", "Duration", "StringValue"] {
                drop(Value::from_message(&format!("google.protobuf.{name}"), &wire));
            }
        }
        // An Any of many elements spends the budget of the evaluation that reads it.
        let wire = [0x0a, 0x00].repeat(300_000);
        let program = env().compile("Any{type_url: 'google.protobuf.ListValue', value: x}.size()").unwrap();
        let error = program.evaluate(&[Value::from(&*wire)], &mut Scratch::new()).unwrap_err();
        assert_eq!(error.kind, EvalErrorKind::Budget);
    };
    thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}
