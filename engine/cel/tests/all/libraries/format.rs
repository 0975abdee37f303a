use weir_cel::EvalErrorKind::{Invalid, NoOverload, OutOfRange};

use super::{fails, gives, holds, refuses, stopped};

#[test]
fn values_have_texts() {
    gives(&[
        ("'%s'.format(['a'])", "a"),
        ("'<%s|%s>%%'.format([1, true])", "<1|true>%"),
        ("'%s %s %s'.format([-7, 7u, null])", "-7 7 null"),
        ("'%s %s %s %s'.format([0.1, 1.0, 1e21, -1.5e-7])", "0.1 1 1000000000000000000000 -0.00000015"),
        ("'%s %s'.format([1.0 / 0.0, -1.0 / 0.0])", "Infinity -Infinity"),
        ("'%s'.format([0.0 / 0.0])", "NaN"),
        ("'%s'.format([b'caf\\xc3\\xa9'])", "café"),
        ("'%s'.format([b'a\\xffb'])", "a\u{fffd}b"),
        ("'%s %s'.format([duration('1h'), duration('-1.5s')])", "3600s -1.5s"),
        ("'%s'.format([timestamp('2030-01-02T03:04:05.5+01:00')])", "2030-01-02T02:04:05.5Z"),
        ("'%s %s %s'.format([int, type('a'), type(timestamp(0))])", "int string google.protobuf.Timestamp"),
        ("'%s'.format([[1, [2.5, 'a'], []]])", "[1, [2.5, a], []]"),
        ("'%s'.format([{'b': [1], 'a': null, 'c': {1u: true}}])", "{a: null, b: [1], c: {1: true}}"),
        // By the texts of the keys.
        ("'%s'.format([{10: 'x', 9: 'y', true: 'z'}])", "{10: x, 9: y, true: z}"),
        ("s.format([]) + '%s'.format([s])", "héllohéllo"),
        ("''.format([])", ""),
    ]);
}

#[test]
fn numbers_have_other_texts_too() {
    gives(&[
        ("'%d %d %d'.format([-5, 5u, 2.5])", "-5 5 2.5"),
        ("'%d'.format([0.0 / 0.0])", "NaN"),
        ("'%f %.2f %.0f'.format([1.5, 2.345, 7])", "1.500000 2.35 7"),
        // Halves of what the double really is go to the even digit.
        ("'%.0f %.0f %.0f %.0f %.2f'.format([0.5, 1.5, 2.5, 3.5, 2.675])", "0 2 2 4 2.67"),
        ("'%.3f|%.1f'.format([-0.0004, 18446744073709551615u])", "-0.000|18446744073709551616.0"),
        ("'%e %.2e %.0e'.format([1234.5, 0.00012345, 5])", "1.234500e+03 1.23e-04 5e+00"),
        ("'%.1e %e'.format([1e300, 0.0])", "1.0e+300 0.000000e+00"),
        ("'%f %e'.format([-1.0 / 0.0, 0.0 / 0.0])", "-Infinity NaN"),
        ("'%b %b %b %b'.format([5, -5, 6u, false])", "101 -101 110 0"),
        ("'%o %o'.format([8, -9])", "10 -11"),
        ("'%x %X %x'.format([255, 255u, -255])", "ff FF -ff"),
        ("'%x %X'.format(['az', b'\\x00\\xfe'])", "617a 00FE"),
        ("'%x'.format([-9223372036854775807 - 1])", "-8000000000000000"),
        // A precision where there is none is passed over.
        ("'%.3d %.9s'.format([1.23456, 'abcdefghijkl'])", "1.23456 abcdefghijkl"),
    ]);
    holds(&["'%.1000f'.format([1.0]).size() == 1002", "'%s'.format([1e-320]).size() == 322"]);
}

#[test]
fn a_format_in_the_source_is_checked_before_it_runs() {
    refuses(&[
        ("'%k'.format([1])", "'%k'", "`%k` is no clause"),
        ("'50%'.format([1])", "'50%'", "ends within a clause"),
        ("'%5d'.format([1])", "'%5d'", "`%5` is no clause"),
        ("'%.f'.format([1])", "'%.f'", "a precision is a number up to 1000"),
        ("'%.1001f'.format([1])", "'%.1001f'", "a precision is a number up to 1000"),
        ("'%.99999999999999999999f'.format(x)", "'%.99999999999999999999f'", "a precision is a number up to 1000"),
        ("'%é'.format([1])", "'%é'", "`%é` is no clause"),
        ("'%s %s'.format([1])", "[1]", "clause 2 of the format has no value: there are 1"),
        ("'%s'.format([1, 2, 3])", "2", "nothing takes this value"),
        ("'%d'.format(['a'])", "'a'", "`%d` does not take string"),
        ("'%s %f'.format([1, null])", "null", "`%f` does not take null"),
        ("'%s'.format([optional.of(1)])", "optional.of(1)", "`%s` does not take optional(int)"),
        ("'%s'.format([[ip('10.0.0.1')]])", "[ip('10.0.0.1')]", "`%s` does not take list(ip)"),
        ("'%x'.format([1.5])", "1.5", "`%x` does not take double"),
        ("'%b'.format([1.5])", "1.5", "`%b` does not take double"),
        ("'%o'.format([true])", "true", "`%o` does not take bool"),
        ("'%e'.format([[1]])", "[1]", "`%e` does not take list(int)"),
    ]);
}

#[test]
fn what_only_the_evaluation_sees_fails_there() {
    fails(&[
        ("s.replace(s, '%k').format([1])", Invalid),
        ("s.replace(s, '%').format([1])", Invalid),
        ("s.replace(s, '%s').format([])", OutOfRange),
        ("'%s'.format([1].filter(i, i > 1))", OutOfRange),
        ("'%d'.format([x])", NoOverload),
        ("'%d'.format([dyn('a')])", NoOverload),
        ("'%s'.format([dyn(ip('10.0.0.1'))])", NoOverload),
        ("'%b'.format([dyn(1.5)])", NoOverload),
        ("'%s'.format(x)", NoOverload),
    ]);
    // Values that no clause takes are passed over then.
    gives(&[("s.replace(s, 'a').format([1, 2])", "a")]);
}

#[test]
fn a_format_is_within_the_budget() {
    stopped(&[
        "lists.range(100).map(i, '%.1000f'.format([i])).size() > 0",
        "'%s'.format([lists.range(300).map(i, lists.range(300))]) != ''",
        "lists.range(10000).map(i, '%s'.format([i])).size() > 0",
    ]);
}

#[test]
fn the_longest_texts_of_numbers_fit_what_is_charged_for_them() {
    for (format, value) in [
        ("%s", "-2.2250738585072014e-308"),
        ("%s", "-4.9406564584124654e-324"),
        ("%s", "-1.7976931348623157e308"),
        ("%.1000f", "-1.7976931348623157e308"),
        ("%.1000f", "-99999999999999999999.0"),
        ("%.1000e", "-4.9406564584124654e-324"),
        ("%s", "-1.2345678901234567e-9"),
        ("%s", "-99999999999999999999.0"),
        ("%b", "-9223372036854775807 - 1"),
        ("%s", "timestamp('9999-12-31T23:59:59.999999999Z')"),
        ("%s", "duration('-9223372036.854775807s')"),
    ] {
        // Not folded, so that the evaluation is what is charged.
        let source = format!("'{format}'.format([n == 7 ? dyn({value}) : dyn(0)])");
        let program = super::env().compile(&source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        let (values, mut scratch) = (super::values(), weir_cel::Scratch::new());
        let text = program.evaluate(&values, &mut scratch).unwrap();
        assert!(text.as_str().unwrap().len() as u64 <= scratch.bytes(), "{source}: {text}");
    }
}
