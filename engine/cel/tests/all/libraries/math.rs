use weir_cel::EvalErrorKind::{Invalid, NoOverload, Overflow};

use super::{fails, holds, refuses, types};

#[test]
fn greatest_and_least_compare_numbers_of_all_types() {
    holds(&[
        "math.greatest(3) == 3 && math.least(-2.5) == -2.5 && math.least(4u) == 4u",
        "math.greatest(1, 5, 3) == 5 && math.least(1, 5, 3) == 1",
        "math.greatest(1, 2.5, 2u) == 2.5 && math.least(7u, 6.5, 7) == 6.5",
        "math.greatest([1, 9, 4]) == 9 && math.least([3.5, 1, 2u]) == 1",
        "math.greatest(-1, 18446744073709551615u) == 18446744073709551615u",
        // The first of equal ones.
        "type(math.greatest(1, 1u, 1.0)) == int && type(math.least(dyn(1u), 1)) == uint",
        "math.greatest(n, 3) == 7 && math.least([n, 3].map(i, i * 2)) == 6",
        "math.greatest(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) == 12",
    ]);
    types(&[
        ("math.greatest(1, 2, 3)", "int"),
        ("math.least([1.5])", "double"),
        ("math.greatest(1, 2u)", "dyn"),
        ("math.greatest([1, 2.0])", "dyn"),
        ("math.abs(3u)", "uint"),
        ("math.sqrt(4)", "double"),
    ]);
    fails(&[
        ("math.greatest([])", Invalid),
        ("math.least(x)", NoOverload),
        ("math.least(1, x)", NoOverload),
        ("math.greatest([dyn('a')])", NoOverload),
        ("math.greatest(1.0, 0.0 / 0.0)", Invalid),
    ]);
    refuses(&[
        ("math.greatest()", "math.greatest()", "does not take ()"),
        ("math.greatest('a')", "math.greatest('a')", "does not take (string)"),
        ("math.least(1, true)", "math.least(1, true)", "does not take (int, bool)"),
        ("math.least([1], 2)", "math.least([1], 2)", "does not take (list(int), int)"),
    ]);
}

#[test]
fn doubles_round() {
    holds(&[
        "math.ceil(1.2) == 2.0 && math.ceil(-1.2) == -1.0 && math.floor(1.8) == 1.0 && math.floor(-1.2) == -2.0",
        "math.round(2.5) == 3.0 && math.round(-2.5) == -3.0 && math.round(2.4) == 2.0 && math.round(0.49999999999999994) == 0.0",
        "math.trunc(2.9) == 2.0 && math.trunc(-2.9) == -2.0",
        "math.isNaN(math.ceil(0.0 / 0.0)) && math.isInf(math.floor(-1.0 / 0.0))",
        "math.isFinite(1e308) && !math.isFinite(1.0 / 0.0) && !math.isInf(1.0)",
        "math.sqrt(9) == 3.0 && math.sqrt(2.25) == 1.5 && math.sqrt(16u) == 4.0 && math.isNaN(math.sqrt(-1))",
    ]);
    refuses(&[("math.ceil(1)", "math.ceil(1)", "does not take (int)")]);
    fails(&[("math.isNaN(dyn(1))", NoOverload), ("math.floor(x)", NoOverload)]);
}

#[test]
fn magnitudes_and_signs_keep_the_type() {
    holds(&[
        "math.abs(-3) == 3 && math.abs(-2.5) == 2.5 && math.abs(3u) == 3u",
        "math.sign(-9) == -1 && math.sign(0) == 0 && math.sign(8u) == 1u && math.sign(0u) == 0u",
        "math.sign(-0.5) == -1.0 && math.sign(0.0) == 0.0 && math.isNaN(math.sign(0.0 / 0.0))",
        "type(math.sign(2u)) == uint && type(math.abs(-2.0)) == double",
    ]);
    fails(&[("math.abs(-9223372036854775807 - 1)", Overflow), ("math.sign(x)", NoOverload)]);
}

#[test]
fn bits_are_those_of_64_bit_numbers() {
    holds(&[
        "math.bitAnd(6, 3) == 2 && math.bitAnd(-1, 255) == 255 && math.bitAnd(6u, 3u) == 2u",
        "math.bitOr(6, 3) == 7 && math.bitXor(6, 3) == 5 && math.bitXor(6u, 3u) == 5u",
        "math.bitNot(0) == -1 && math.bitNot(0u) == 18446744073709551615u",
        "math.bitShiftLeft(1, 4) == 16 && math.bitShiftLeft(1, 63) < 0 && math.bitShiftLeft(1, 64) == 0",
        "math.bitShiftLeft(1u, 9223372036854775807) == 0u && math.bitShiftRight(256u, 4) == 16u",
        // Without regard to the sign.
        "math.bitShiftRight(-1, 60) == 15 && math.bitShiftRight(-1, 4294967296) == 0",
    ]);
    fails(&[
        ("math.bitShiftLeft(1, -1)", Invalid),
        ("math.bitShiftRight(1u, -9)", Invalid),
        ("math.bitAnd(x, 1)", NoOverload),
        ("math.bitOr(dyn(1), 1u)", NoOverload),
    ]);
    refuses(&[("math.bitAnd(1, 1u)", "math.bitAnd(1, 1u)", "does not take (int, uint)")]);
}
