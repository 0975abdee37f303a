//! The language by example: an expression, and the expression or error that it equals.

use weir_cel::{Env, EvalErrorKind, Scratch, Type, Value};

fn env() -> Env {
    Env::builder().variable("x", Type::Dyn).variable("n", Type::Int).variable("s", Type::String).build()
}

/// `x` is null, `n` is 7, `s` is "héllo".
fn values() -> [Value<'static>; 3] {
    [Value::Null, Value::Int(7), Value::from("héllo")]
}

fn holds(table: &[&str]) {
    for source in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        match program.evaluate_bool(&values(), &mut Scratch::new()) {
            Ok(value) => assert!(value, "{source}"),
            Err(error) => panic!("{source}: {error}"),
        }
    }
}

fn fails(table: &[(&str, EvalErrorKind)]) {
    for (source, kind) in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        match program.evaluate(&values(), &mut Scratch::new()) {
            Ok(value) => panic!("{source}: {value:?}"),
            Err(error) => assert_eq!(error.kind, *kind, "{source}"),
        }
    }
}

#[test]
fn literals_mean_what_the_specification_says() {
    holds(&[
        r#""a\x41\101\u0041\U00000041\n" == "aAAAA\n""#,
        r#"r"\n" == "\\n""#,
        r#"'''it's "so" '''  == "it's \"so\" ""#,
        r#"b"\xff\377" == b"\xff\xff" && b"é" == b"\xc3\xa9""#,
        "0x1F == 31 && -0x1F == -31 && 0xFu == 15u",
        "-9223372036854775808 < 0 && 18446744073709551615u > 0u",
        ".5 == 5e-1 && 1.5e3 == 1500.0",
        "// a comment\ntrue // another",
        "{'a': 1, 2: 'b', true: null, 3u: [1.0,],}.size() == 4",
        "- 1 == -1 && --1 == 1 && !!true",
    ]);
}

#[test]
fn operators_bind_as_the_specification_says() {
    holds(&[
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 - 2 - 1 == 4 && 7 / 2 == 3 && -7 / 2 == -3 && -7 % 2 == -1",
        "true || false && false",
        "1 < 2 == true",
        "false ? 1 == 2 : true ? true : false",
        "!false && !(1 == 2)",
        "1 in [1] && !(2 in [1]) && 'a' in {'a': 1}",
        "'a' + 'b' == 'ab' && b'a' + b'b' == b'ab' && [1] + [2] == [1, 2]",
        "1 < 1.5 && 1u < 2 && 2.0 > 1u && 1.0 <= 1",
        "dyn(1) == 1.0 && dyn(1u) == 1 && dyn('a') != 1 && dyn([1]) == [1.0]",
        "[1, 2] == [1, 2] && {'a': [1]} == {'a': [1]} && [1] != [2]",
    ]);
}

#[test]
fn numbers_are_checked() {
    use EvalErrorKind::{DivideByZero, NoOverload, Overflow};
    fails(&[
        ("9223372036854775807 + n", Overflow),
        ("-9223372036854775808 - n", Overflow),
        ("-9223372036854775807 * n", Overflow),
        ("(n - n - 9223372036854775807 - 1) / -1", Overflow),
        ("-(n - n - 9223372036854775807 - 1)", Overflow),
        ("0u - uint(n)", Overflow),
        ("n / 0", DivideByZero),
        ("n % (n - 7)", DivideByZero),
        ("1 / 0", DivideByZero),
        ("dyn(1.0) % dyn(2.0)", NoOverload),
        ("dyn(1) + dyn(1.0)", NoOverload),
        ("int(1e30)", Overflow),
        ("uint(-n)", Overflow),
    ]);
    holds(&["1.0 / 0.0 > 1e308", "double('NaN') != double('NaN')", "n / 2 == 3"]);
}

#[test]
fn errors_are_absorbed_by_what_decides_without_them() {
    holds(&[
        "true || n / 0 == 1",
        "n / 0 == 1 || true",
        "!(false && n / 0 == 1) && !(n / 0 == 1 && false)",
        "n / 0 == 1 || n == 7",
        "[1, 0].exists(d, n / d == 7) && ![0, 7].all(d, n / d == 9)",
        "x == 1 || x.missing || n == 7",
        "n == 7 ? true : n / 0 == 1",
    ]);
    fails(&[
        ("n / 0 == 1 || n == 8", EvalErrorKind::DivideByZero),
        ("n / 0 == 1 && n == 7", EvalErrorKind::DivideByZero),
        ("dyn('x') || n == 8", EvalErrorKind::NoOverload),
        ("[1, 0].exists_one(d, n / d == 7)", EvalErrorKind::DivideByZero),
        ("n / 0 == 1 ? true : true", EvalErrorKind::DivideByZero),
    ]);
}

#[test]
fn macros_go_through_lists_and_maps() {
    holds(&[
        "[1, 2, 3].all(e, e > 0) && [1, 2].exists(e, e == 2) && [1, 2].exists_one(e, e > 1)",
        "[].all(e, false) && ![].exists(e, true)",
        "[1, 2, 3].map(e, e * 2) == [2, 4, 6] && [1, 2, 3].map(e, e > 1, e * 2) == [4, 6]",
        "[1, 2, 3].filter(e, e % 2 == 1) == [1, 3]",
        "{'a': 1, 'b': 2}.all(k, k != '') && {'a': 1, 'b': 2}.map(k, k) == ['a', 'b']",
        "{'a': 1}.exists(k, v, k == 'a' && v == 1) && [5].all(i, v, i == 0 && v == 5)",
        "[2, 4].transformList(i, v, v + i) == [2, 5] && {'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
        "[[1], [2]].all(l, l.all(e, e > 0 && l.size() == 1))",
        "[1].all(n, n == 1) && n == 7",
        "cel.bind(t, n + 1, t * t) == 64",
        "has({'a': 1}.a) && !has({'a': 1}.b)",
    ]);
}

#[test]
fn optionals_stand_for_what_may_be_absent() {
    holds(&[
        "optional.of(1).hasValue() && !optional.none().hasValue() && optional.of(1).value() == 1",
        "{'a': 1}.?a.orValue(2) == 1 && {'a': 1}.?b.orValue(2) == 2 && {'a': 1}[?'b'].or({'a': 1}.?a).value() == 1",
        "[1][?0].hasValue() && ![1][?1].hasValue()",
        "{'a': {'b': 1}}.?a.b.value() == 1 && !{'a': {}}.?a.b.hasValue()",
        "optional.of(2).optMap(v, v + 1).value() == 3 && !optional.none().optMap(v, 1).hasValue()",
        "optional.of({'a': 1}).optFlatMap(v, v.?a).value() == 1",
        "[?optional.none(), ?optional.of(1)] == [1] && {?'a': optional.none(), 'b': 1} == {'b': 1}",
        "!optional.ofNonZeroValue('').hasValue() && optional.ofNonZeroValue('a').hasValue()",
        "optional.of(1).orValue(n / 0) == 1",
    ]);
    fails(&[("optional.none().value()", EvalErrorKind::EmptyOptional), ("{'a': 1}.b", EvalErrorKind::AbsentKey)]);
}

#[test]
fn texts_are_measured_in_code_points() {
    holds(&[
        "s.size() == 5 && size(b'h\\xc3\\xa9') == 3",
        "s.contains('él') && s.startsWith('hé') && s.endsWith('lo') && s.matches('^h.l+o$') && matches(s, 'l')",
        "'abc'.indexOf('', 9) == 3 && 'abc'.lastIndexOf('', 1) == 1 && ''.indexOf('a') == -1",
        "s.charAt(1) == 'é' && s.indexOf('l') == 2 && s.lastIndexOf('l') == 3 && s.indexOf('l', 3) == 3",
        "s.substring(1, 3) == 'él' && s.substring(5) == '' && s.upperAscii() == 'HéLLO' && 'ÀB'.lowerAscii() == 'Àb'",
        "s.split('l') == ['hé', '', 'o'] && s.split('l', 2) == ['hé', 'lo'] && 'ab'.split('') == ['a', 'b']",
        "['a', 'b'].join('-') == 'a-b' && s.replace('l', 'L', 1) == 'héLlo' && ' a '.trim() == 'a'",
        "s.reverse() == 'olléh' && strings.quote('a\"b') == '\"a\\\\\"b\"'",
    ]);
    fails(&[("s.charAt(6)", EvalErrorKind::OutOfRange), ("s.substring(3, 2)", EvalErrorKind::OutOfRange)]);
}

#[test]
fn conversions_say_what_cannot_be_converted() {
    holds(&[
        "int('-7') == -7 && int(1.9) == 1 && int(7u) == 7 && uint('7') == 7u && double('1.5') == 1.5",
        "string(1.5) == '1.5' && string(1u) == '1' && string(true) == 'true' && string(b'a') == 'a' && string(1e30) == '1e+30'",
        "bool('true') && !bool('0') && bytes('a') == b'a'",
        "type(1) == int && type('a') == string && type([]) == list && type(type(1)) == type && type(null) == null_type",
        "timestamp('2024-02-29T12:00:00.5+01:00') == timestamp('2024-02-29T11:00:00.500Z')",
        "string(timestamp('2024-02-29T11:00:00.500Z')) == '2024-02-29T11:00:00.5Z' && string(duration('1h1.5s')) == '3601.5s'",
        "int(timestamp('1970-01-02T00:00:00Z')) == 86400",
    ]);
    fails(&[
        ("int(s)", EvalErrorKind::Conversion),
        ("bool(s)", EvalErrorKind::Conversion),
        ("timestamp(s)", EvalErrorKind::Conversion),
        ("string(b'\\xff')", EvalErrorKind::Conversion),
    ]);
}

#[test]
fn times_have_parts_and_arithmetic() {
    holds(&[
        "timestamp('2024-02-29T23:59:58.25Z').getDayOfYear() == 59 && timestamp('2024-02-29T23:59:58.25Z').getDayOfWeek() == 4",
        "timestamp('2024-02-29T23:30:00Z').getDate('+01:00') == 1 && timestamp('2024-02-29T23:30:00Z').getMonth('Europe/Paris') == 2",
        "timestamp('2024-03-01T00:00:00Z') - duration('1ns') < timestamp('2024-03-01T00:00:00Z')",
        "timestamp('2024-03-01T00:00:00Z') - timestamp('2024-02-29T00:00:00Z') == duration('24h')",
        "duration('90m').getHours() == 1 && duration('1.5s').getMilliseconds() == 500 && -1 * 2 == -2",
    ]);
    fails(&[("timestamp('9999-12-31T23:59:59Z') + duration('1s')", EvalErrorKind::Overflow)]);
}

#[test]
fn addresses_and_sets_are_values() {
    holds(&[
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))",
        "cidr('2001:db8::/32').containsCIDR('2001:db8:1::/48') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
        "ip('::1').isLoopback() && ip('10.0.0.1').family() == 4 && isIP('1.2.3.4') && !isIP('1.2.3') && !isCIDR('1.2.3.4')",
        "sets.contains([1, 2, 3], [3, 1]) && !sets.contains([1], [2]) && sets.intersects([1, 2], [2]) && sets.equivalent([1, 1], [1])",
    ]);
    fails(&[("cidr('10.0.0.0/8').containsIP(s)", EvalErrorKind::Conversion)]);
}

#[test]
fn maps_find_numbers_of_any_type_and_hold_a_key_once() {
    let many = (0..40).map(|n| format!("{n}: {n}")).collect::<Vec<_>>().join(", ");
    holds(&["{1: 'a', 2u: 'b'}[dyn(1.0)] == 'a' && {1: 'a'}[dyn(1u)] == 'a'", &format!("{{{many}}}[39] == 39")]);
    fails(&[
        ("{1: 1, 1u: 2}", EvalErrorKind::RepeatedKey),
        (&format!("{{{many}, n: 1}}"), EvalErrorKind::RepeatedKey),
        ("{dyn(1.5): 1}", EvalErrorKind::BadKey),
        ("{1: 1}[n]", EvalErrorKind::AbsentKey),
        ("[1][n]", EvalErrorKind::OutOfRange),
    ]);
}

#[test]
fn the_type_of_the_result_is_known() {
    let table = [
        ("1 + n", Type::Int),
        ("[1, n]", Type::list(Type::Int)),
        ("[1, 'a']", Type::list(Type::Dyn)),
        ("[]", Type::list(Type::Dyn)),
        ("[[], [1]]", Type::list(Type::list(Type::Int))),
        ("{'a': [s]}", Type::map(Type::String, Type::list(Type::String))),
        ("{'a': s}[?'a']", Type::optional(Type::String)),
        ("x.y", Type::Dyn),
        ("s.split(',').map(p, p.size())", Type::list(Type::Int)),
        ("optional.of(1).orValue(2)", Type::Int),
        ("true ? [] : ['a']", Type::list(Type::String)),
        ("type(1)", Type::Type),
    ];
    for (source, ty) in table {
        assert_eq!(*env().compile(source).unwrap().result_type(), ty, "{source}");
    }
    assert!(env().compile_as("n == 1", &Type::Bool).is_ok());
    assert!(env().compile_as("x", &Type::Bool).is_ok());
    let errors = env().compile_as("n", &Type::Bool).unwrap_err();
    assert_eq!(errors.errors()[0].message, "the expression is int, but bool is needed");
}

#[test]
fn a_lenient_environment_leaves_errors_to_the_evaluation() {
    let env = Env::builder().variable("x", Type::Int).lenient().build();
    let run = |source: &str| {
        env.compile(source)
            .unwrap()
            .evaluate(&[Value::Int(1)], &mut Scratch::new())
            .map(|value| value.as_bool().unwrap())
    };
    assert!(run("nothing || true").unwrap());
    assert_eq!(run("nothing.at.all || false").unwrap_err().kind, EvalErrorKind::Undeclared);
    assert_eq!(run("x.nothing() == 1").unwrap_err().kind, EvalErrorKind::Undeclared);
    assert_eq!(run("x + 'a' == 1").unwrap_err().kind, EvalErrorKind::NoOverload);
    assert!(!run("x == 'a'").unwrap());
}
