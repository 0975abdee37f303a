//! The language definition, clause by clause, where a slip would go unnoticed: an expression, and what it gives.

use weir_cel::{Env, EvalErrorKind, Scratch, Type, Value};

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

fn fails(kind: EvalErrorKind, table: &[&str]) {
    for source in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        match program.evaluate(&[Value::Null], &mut Scratch::new()) {
            Ok(value) => panic!("{source}: {value:?}"),
            Err(error) => assert_eq!(error.kind, kind, "{source}"),
        }
    }
}

fn refused(table: &[&str]) {
    for source in table {
        assert!(env().compile(source).is_err(), "{source}");
    }
}

#[test]
fn numbers_are_compared_as_numbers_whatever_their_type() {
    holds(&[
        "1 < 1.5 && 1u < 2 && 2.0 > 1u && -1 < 0u && 1 <= 1u && 1.0 >= 1",
        "dyn(1) == 1u && dyn(1) == 1.0 && dyn(1u) == 1.0 && dyn(1) != 1.5 && dyn(-1) != 18446744073709551615u",
        "[1, 2.0] == dyn([1u, 2]) && {1: 2} == dyn({1u: 2.0}) && {'a': [1]} == dyn({'a': [1u]})",
        "dyn(9223372036854775807) < 9223372036854777857.0 && dyn(18446744073709551615u) > 9223372036854775807",
        "double('NaN') != double('NaN') && !(double('NaN') < 1.0) && !(double('NaN') >= 1.0) && -0.0 == 0.0",
        "1 in dyn([1u]) && 3.0 in dyn([1, 3]) && !(1.5 in dyn([1])) && 2u in dyn({2: 0}) && 1.0 in dyn({1u: 0})",
        "{1: 'a'}[dyn(1u)] == 'a' && {1u: 'a'}[dyn(1.0)] == 'a' && [7, 8][dyn(1u)] == 8 && [7, 8][dyn(1.0)] == 8",
    ]);
    fails(EvalErrorKind::AbsentKey, &["{1: 'a'}[dyn(1.5)]", "{1u: 'a'}[dyn(2)]", "{true: 1}[dyn(1)]"]);
    fails(EvalErrorKind::OutOfRange, &["[1][1]", "[1][-1]", "[1][dyn(18446744073709551615u)]"]);
    fails(EvalErrorKind::NoOverload, &["[1][dyn(0.5)]", "[1][dyn('0')]", "[1][dyn(true)]", "dyn(1) < 'a'"]);
}

#[test]
fn values_of_different_types_differ_and_have_no_order() {
    holds(&[
        "dyn('1') != 1 && dyn(null) != 0 && dyn([]) != {} && dyn(b'a') != 'a' && dyn(true) != 1 && dyn(int) != 'int'",
        "dyn(duration('0s')) != timestamp(0) && dyn(null) == null && dyn([null]) == [null]",
        "'' < 'a' && 'a' < 'aa' && 'Z' < 'a' && 'z' < 'é' && b'' < b'\\x00' && b'\\x7f' < b'\\x80' && false < true",
        "timestamp(0) < timestamp(1) && duration('-1s') < duration('1ns') && timestamp(1) >= timestamp(1)",
    ]);
    fails(
        EvalErrorKind::NoOverload,
        &[
            "dyn([1]) < dyn([2])",
            "dyn({}) < dyn({})",
            "dyn(null) < null",
            "dyn(int) < dyn(int)",
            "dyn('a') < b'a'",
            "dyn(1) >= true",
        ],
    );
    refused(&["1 == 1.0", "'a' == b'a'", "[1] == ['a']", "null == 1", "[1] < [2]", "1 in ['a']", "'a' in {1: 1}"]);
}

#[test]
fn arithmetic_has_no_mixed_forms_and_no_silent_overflow() {
    holds(&[
        "7 / 2 == 3 && -7 / 2 == -3 && 7 % -2 == 1 && -7 % 2 == -1 && 7u / 2u == 3u && 7u % 4u == 3u",
        "1.0 / 0.0 == double('inf') && -1.0 / 0.0 == double('-inf') && 2.0 * 1e308 == double('Infinity')",
        "--1 == 1 && -(-1.5) == 1.5 && 'a' + 'b' == 'ab' && [1] + [2] == [1, 2] && b'a' + b'b' == b'ab'",
    ]);
    fails(EvalErrorKind::DivideByZero, &["1 / 0", "1 % 0", "1u / 0u", "1u % 0u"]);
    fails(
        EvalErrorKind::Overflow,
        &[
            "9223372036854775807 + 1",
            "-9223372036854775808 - 1",
            "-(-9223372036854775808)",
            "-9223372036854775808 / -1",
            "-9223372036854775808 % -1",
            "5000000000 * -5000000000",
            "0u - 1u",
            "18446744073709551615u + 1u",
            "5000000000u * 5000000000u",
        ],
    );
    fails(
        EvalErrorKind::NoOverload,
        &["dyn(1) + 1u", "dyn(1.0) * 2", "dyn('a') + b'a'", "dyn(5.0) % dyn(2.0)", "null + null", "-dyn(1u)"],
    );
    refused(&["1 + 1u", "1.0 * 2", "5.0 % 2.0", "-1u + 1", "-true", "!1", "{} + {}"]);
}

#[test]
fn conversions_truncate_check_ranges_and_read_texts() {
    holds(&[
        "int(1.9) == 1 && int(-1.9) == -1 && int(9223372036854774784.0) == 9223372036854774784 && int('-7') == -7",
        "uint(1.9) == 1u && uint('300') == 300u && uint(9223372036854775807) == 9223372036854775807u && uint(0.9) == 0u",
        "double(9007199254740993) == 9007199254740992.0 && double('-1.5e3') == -1500.0 && double('-inf') < 0.0",
        "double(18446744073709551615u) == 18446744073709551616.0 && double('1e-400') == 0.0",
        "string(1.5) == '1.5' && string(-4.5e-3) == '-0.0045' && string(1u) == '1' && string(b'\\xc3\\xbf') == 'ÿ'",
        "string(true) == 'true' && string(duration('1h')) == '3600s' && string(duration('-1500ms')) == '-1.5s'",
        "string(timestamp('2030-01-02T03:04:05+02:00')) == '2030-01-02T01:04:05Z' && string('é') == 'é'",
        "bool('true') && bool('TRUE') && bool('True') && bool('t') && bool('1') && !bool('f') && !bool('False')",
        "bytes('ÿ') == b'\\xc3\\xbf' && bytes(b'a') == b'a' && int(timestamp('1970-01-01T00:00:09.9Z')) == 9",
        "timestamp(timestamp(5)) == timestamp(5) && duration(duration('1s')) == duration('1s') && dyn(dyn(1)) == 1",
        "type(dyn(1)) == int && type(1u) == uint && type(1.0) == double && type(null) == null_type && type(b'') == bytes",
        "type(type(1)) == type && type([]) == list && type({}) == map && type(int) == type && type(true) != type('')",
        "type(timestamp(0)) == google.protobuf.Timestamp && type(duration('1s')) == google.protobuf.Duration",
    ]);
    fails(
        EvalErrorKind::Overflow,
        &[
            "int(9223372036854775807.0)",
            "int(-9223372036854775808.0)",
            "int(9223372036854775808u)",
            "int(double('NaN'))",
            "uint(-1)",
            "uint(-0.5)",
            "uint(18446744073709551615.0)",
            "uint(double('inf'))",
            "double('1e400')",
            "double('-1e400')",
            "timestamp(253402300800)",
            "timestamp(-62135596801)",
        ],
    );
    fails(
        EvalErrorKind::Conversion,
        &[
            "int('')",
            "int('1.0')",
            "int(' 1')",
            "int('0x1')",
            "int('9223372036854775808')",
            "uint('-1')",
            "uint('18446744073709551616')",
            "double('1_0')",
            "double('')",
            "bool('TrUe')",
            "bool('yes')",
            "string(b'\\xff')",
            "timestamp(dyn('2030-13-01T00:00:00Z'))",
            "duration(dyn('1'))",
        ],
    );
    fails(EvalErrorKind::NoOverload, &["string(dyn([1]))", "int(dyn(null))", "bytes(dyn(1))", "bool(dyn(1))"]);
}

#[test]
fn times_are_read_and_written_as_rfc_3339_and_durations_in_units() {
    holds(&[
        "timestamp('2009-02-13T23:31:30.123456789Z').getMilliseconds() == 123",
        "timestamp('2009-02-13T23:31:30-05:30') == timestamp('2009-02-14T05:01:30Z')",
        "timestamp('0001-01-01T00:00:00Z') < timestamp('9999-12-31T23:59:59.999999999Z')",
        "duration('1h30m') == duration('5400s') && duration('-1.5h') == duration('-90m') && duration('0') == duration('0s')",
        "duration('1ms') + duration('1us') + duration('1ns') == duration('1001001ns') && duration('1µs') == duration('1us')",
        "timestamp(0) + duration('1s') == timestamp(1) && duration('1s') + timestamp(0) == timestamp(1)",
        "timestamp(5) - timestamp(2) == duration('3s') && timestamp(5) - duration('2s') == timestamp(3)",
        "duration('5s') - duration('7s') == duration('-2s')",
        "duration('3730s').getHours() == 1 && duration('3730s').getMinutes() == 62 && duration('3730s').getSeconds() == 3730",
        "duration('123.321456789s').getMilliseconds() == 321 && duration('-1.5s').getMilliseconds() == -500",
    ]);
    fails(
        EvalErrorKind::Overflow,
        &[
            "timestamp('9999-12-31T23:59:59.999999999Z') + duration('1ns')",
            "timestamp('0001-01-01T00:00:00Z') - duration('1ns')",
            "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')",
            "duration('9000000000s') + duration('9000000000s')",
            "duration('-9000000000s') - duration('9000000000s')",
        ],
    );
    refused(&[
        "timestamp('2009-02-13 23:31:30Z')",
        "timestamp('2009-02-29T00:00:00Z')",
        "timestamp('2009-02-13T24:00:00Z')",
        "timestamp('2009-02-13T23:31:30')",
        "timestamp('0000-12-31T23:59:59Z')",
        "timestamp('9999-12-31T23:59:59-00:01')",
        "duration('1d')",
        "duration('')",
        "duration('1')",
        "duration('s')",
        "duration('320000000000s')",
        "duration('-320000000000s')",
    ]);
}

#[test]
fn parts_of_times_are_those_in_their_zone() {
    holds(&[
        "timestamp('2009-02-13T23:31:30Z').getFullYear() == 2009 && timestamp('2009-02-13T23:31:30Z').getMonth() == 1",
        "timestamp('2009-02-13T23:31:30Z').getDate() == 13 && timestamp('2009-02-13T23:31:30Z').getDayOfMonth() == 12",
        "timestamp('2009-02-13T23:31:30Z').getDayOfWeek() == 5 && timestamp('2009-02-15T00:00:00Z').getDayOfWeek() == 0",
        "timestamp('2009-02-13T23:31:30Z').getDayOfYear() == 43 && timestamp('2024-12-31T00:00:00Z').getDayOfYear() == 365",
        "timestamp('2009-02-13T23:31:30Z').getHours() == 23 && timestamp('2009-02-13T23:31:30Z').getMinutes() == 31",
        "timestamp('2009-02-13T23:31:30Z').getSeconds() == 30 && timestamp('2009-02-13T23:31:30Z').getMilliseconds() == 0",
        "timestamp('2009-02-13T23:31:30Z').getDate('Australia/Sydney') == 14",
        "timestamp('2009-02-13T23:31:30Z').getHours('02:00') == 1 && timestamp('2009-02-13T23:31:30Z').getHours('-02:00') == 21",
        "timestamp('2009-02-13T23:31:30Z').getMinutes('+05:45') == 16 && timestamp('2009-02-13T23:31:30Z').getMinutes('-00:00') == 31",
        "timestamp('2009-02-13T02:00:00Z').getDayOfMonth('-02:30') == 11 && timestamp('2009-01-01T00:00:00Z').getFullYear('-00:01') == 2008",
        "timestamp('2009-07-01T12:00:00Z').getHours('Europe/Paris') == 14 && timestamp('2009-01-01T12:00:00Z').getHours('Europe/Paris') == 13",
        "timestamp('2009-02-13T23:31:30Z').getHours('UTC') == 23 && timestamp('2009-02-13T23:31:30Z').getHours('US/Central') == 17",
        "timestamp('2009-02-13T23:31:30.5Z').getMilliseconds('America/St_Johns') == 500",
    ]);
    fails(
        EvalErrorKind::Conversion,
        &[
            "timestamp(0).getHours('nowhere')",
            "timestamp(0).getHours('+25:00')",
            "timestamp(0).getHours('+2:00')",
            "timestamp(0).getHours('+02:60')",
            "timestamp(0).getHours('')",
        ],
    );
}

#[test]
fn fields_and_keys_are_there_or_an_error() {
    holds(&[
        "{'a': 1}.a == {'a': 1}['a'] && has({'a': null}.a) && !has({}.a) && {'a': {'b': 1}}.a.b == 1",
        "{true: 1, 2: 2, 3u: 3, 's': 4}[true] == 1 && {'a': 1}.size() == 1 && {0: {1: 2}}[0][1] == 2",
        "(dyn({0: 1})[1] == 1) || true",
    ]);
    fails(EvalErrorKind::AbsentKey, &["{}.a", "{'a': 1}['b']", "has({}.a.b)", "{'a': {}}.a.b", "{0: 1}[1]"]);
    fails(EvalErrorKind::BadKey, &["{0: 1}[dyn(b'')]", "{0: 1}[dyn(null)]", "{dyn(null): 1}", "{dyn(1.0): 1}"]);
    fails(EvalErrorKind::RepeatedKey, &["{'a': 1, 'a': 2}", "{1: 1, 1u: 2}", "{true: 1, false: 2, true: 3}"]);
    fails(EvalErrorKind::NoOverload, &["x.a", "has(x.a)", "dyn('s').a", "dyn([1]).a", "dyn(1)[0]"]);
    refused(&["{1.5: 1}", "{[]: 1}", "'s'.a", "has('s')", "has(1 + 1)", "[1].a", "{'a': 1}[1]", "[1]['a']"]);
}

#[test]
fn what_decides_absorbs_errors_on_either_side() {
    holds(&[
        "!(1 / 0 == 1 && false) && !(false && 1 / 0 == 1) && (1 / 0 == 1 || true) && (true || 1 / 0 == 1)",
        "!(dyn('horses') && false) && (dyn(17) || true)",
        "(true ? 1 : 1 / 0) == 1 && (false ? 1 / 0 : 2) == 2 && (false ? 1 / 0 == 1 : true ? true : 1 / 0 == 1)",
        "[1, 2, 0].exists(n, 2 / n == 1) && ![0, 1, 2].all(n, 2 / n == 2)",
    ]);
    fails(
        EvalErrorKind::DivideByZero,
        &[
            "1 / 0 == 1 && true",
            "true && 1 / 0 == 1",
            "1 / 0 == 1 || false",
            "1 / 0 == 1 ? 1 : 2",
            "[0, 1].exists(n, 2 / n == 1)",
            "[1, 0].all(n, 2 / n == 2)",
            "[1, 0].exists_one(n, 2 / n == 2)",
            "[0].map(n, 1 / n)",
            "[0, 1].filter(n, 1 / n == 1)",
        ],
    );
    fails(EvalErrorKind::NoOverload, &["dyn('a') && true", "true && dyn('a')", "dyn(1) || false", "dyn(1) ? 1 : 2"]);
}

#[test]
fn macros_with_two_variables_have_the_place_or_key_first() {
    holds(&[
        "[3, 4].all(i, v, v == i + 3) && {'a': 1}.all(k, v, k == 'a' && v == 1) && [].all(i, v, false)",
        "[3, 4].exists(i, v, i == 1 && v == 4) && !{}.exists(k, v, true) && {1: 2, 3: 4}.existsOne(k, v, v == k + 1 && k > 1)",
        "[3, 4].existsOne(i, v, v > 3) && ![3, 4].existsOne(i, v, v > 2) && [5].existsOne(x, x == 5)",
        "[3, 4].transformList(i, v, i * v) == [0, 4] && [3, 4].transformList(i, v, i > 0, v) == [4]",
        "{'a': 1}.transformList(k, v, [k]) == [['a']] && {'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 2) == {'b': 4}",
        "[3, 4].transformMap(i, v, v + i) == {0: 3, 1: 5} && {}.transformMap(k, v, k) == {}",
        "{'a': 1, 'b': 2}.transformMapEntry(k, v, {v: k}) == {1: 'a', 2: 'b'}",
        "['x', 'y'].transformMapEntry(i, v, i > 0, {v: i, v + v: i}) == {'y': 1, 'yy': 1}",
        "[1].transformMapEntry(i, v, dyn({})) == {}",
        "[[1, 2], [3]].map(l, l.map(n, n + 1)) == [[2, 3], [4]] && [1].map(x, [2].map(x, x)[0])[0] == 2",
        "{'a': 1}.map(k, k) == ['a'] && {'a': 1, 'b': 2}.filter(k, k > 'a') == ['b'] && [1, 2].map(n, n > 1, n * 2) == [4]",
    ]);
    fails(EvalErrorKind::RepeatedKey, &["[1, 1].transformMapEntry(i, v, {v: i})"]);
    fails(
        EvalErrorKind::NoOverload,
        &["[1].transformMapEntry(i, v, dyn(1))", "dyn(1).all(y, true)", "dyn('a').map(y, y)"],
    );
    refused(&["[1].transformMapEntry(i, v, 1)", "[1].all(i, i, true)", "[1].map(a.b, 1)", "1.all(y, true)"]);
}

#[test]
fn optionals_are_taken_out_chained_and_left_out() {
    holds(&[
        "optional.unwrap([optional.of(1), optional.none(), optional.of(2)]) == [1, 2] && [optional.none()].unwrapOpt() == []",
        "optional.of(1) == optional.of(1) && optional.of(1) != optional.none() && optional.of(dyn(1)) == optional.of(dyn(1u))",
        "optional.of(optional.of(1)).value().value() == 1 && type(optional.none()) == optional_type",
        "[?optional.none(), ?optional.of(3)] == [3] && {?'a': optional.none(), ?'b': optional.of(1)} == {'b': 1}",
        "{'a': {'b': 1}}.?a.b.orValue(2) == 1 && {}.?a.b.orValue(2) == 2 && {'a': {'b': 1}}[?'a']['b'].value() == 1",
        "[1][?0].value() == 1 && ![1][?5].hasValue() && has({'a': {'b': 1}}.?a.b) && !has({}.?a.b)",
        "optional.none().or(optional.of(1)).value() == 1 && optional.of(1).or(optional.none()).value() == 1",
        "optional.of(1).optMap(v, v + 1).value() == 2 && !optional.of({}).optFlatMap(v, v.?a).hasValue()",
        "!optional.ofNonZeroValue('').hasValue() && !optional.ofNonZeroValue({}).hasValue() && optional.ofNonZeroValue(1).hasValue()",
        "!optional.ofNonZeroValue(duration('0s')).hasValue() && !optional.ofNonZeroValue(null).hasValue()",
    ]);
    fails(EvalErrorKind::EmptyOptional, &["optional.none().value()"]);
    fails(EvalErrorKind::AbsentKey, &["{'a': {}}.a.b"]);
    refused(&["[?1]", "{?'a': 1}", "optional.of(1) + 1", "optional.of(1) == 1", "[1].unwrapOpt()"]);
}

#[test]
fn names_are_found_inside_of_the_container_first_and_locals_before_all() {
    let env = Env::builder()
        .container("com.example")
        .variable("com.example.y", Type::String)
        .variable("y", Type::String)
        .variable("com.z", Type::String)
        .variable("a", Type::map(Type::String, Type::Dyn))
        .variable("a.b", Type::map(Type::String, Type::String))
        .variable("a.b.c", Type::String)
        .build();
    let inner = |key: &'static str, text: &'static str| {
        let mut entries = weir_cel::Entries::default();
        entries.push(Value::from(key), Value::from(text)).unwrap();
        Value::Map(weir_cel::Map::new(entries))
    };
    let values = [
        Value::from("inner"),
        Value::from("outer"),
        Value::from("between"),
        inner("b", "of a"),
        inner("c", "of a.b"),
        Value::from("whole"),
    ];
    for (source, expected) in [
        ("y", "inner"),
        (".y", "outer"),
        ("example.y", "inner"),
        (".com.example.y", "inner"),
        ("z", "between"),
        ("a.b.c", "whole"),
        ("a.b['c']", "of a.b"),
        ("a['b']", "of a"),
        ("(a.b).c", "whole"),
        ("['local'].map(y, y)[0]", "local"),
        ("['local'].map(y, .y)[0]", "outer"),
        ("[{'z': 'local'}].map(y, y.z)[0]", "local"),
        ("cel.bind(y, 'bound', y)", "bound"),
    ] {
        let program = env.compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        let value = program.evaluate(&values, &mut Scratch::new()).unwrap();
        assert_eq!(value.as_str(), Some(expected), "{source}");
    }
}
