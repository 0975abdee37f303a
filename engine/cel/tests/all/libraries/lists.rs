use weir_cel::EvalErrorKind::{Invalid, NoOverload, OutOfRange, Overflow};

use super::{fails, holds, refuses, stopped, types};

#[test]
fn parts_of_lists() {
    holds(&[
        "[1, 2, 3, 4].slice(1, 3) == [2, 3] && [1].slice(0, 0) == [] && [1].slice(1, 1) == []",
        "[1, 2].first() == optional.of(1) && [1, 2].last() == optional.of(2) && ![].first().hasValue()",
        "[3, 1, 2].reverse() == [2, 1, 3] && [].reverse() == [] && 'abc'.reverse() == 'cba'",
        "dyn([1, 2]).reverse() == [2, 1] && dyn('ab').reverse() == 'ba'",
    ]);
    types(&[
        ("[1].first()", "optional(int)"),
        ("['a'].slice(0, 1)", "list(string)"),
        ("[1.5].reverse()", "list(double)"),
    ]);
    fails(&[
        ("[1].slice(-1, 1)", OutOfRange),
        ("[1].slice(0, 2)", OutOfRange),
        ("[1, 2].slice(2, 1)", OutOfRange),
        ("[1].slice(n, 9223372036854775807)", OutOfRange),
        ("x.first()", NoOverload),
        ("x.reverse()", NoOverload),
    ]);
}

#[test]
fn lists_within_lists_become_flat() {
    holds(&[
        "[1, [2, [3]], []].flatten() == [1, 2, [3]] && [[1], [2, 3]].flatten() == [1, 2, 3] && [[]].flatten() == []",
        "[1, [2, [3, [4]]]].flatten(2) == [1, 2, 3, [4]] && [1, [2]].flatten(0) == [1, [2]]",
        "[[[[[[7]]]]]].flatten(100) == [7]",
        "[dyn([1, 2]), dyn(3)].flatten() == [1, 2, 3]",
    ]);
    types(&[("[[1], [2]].flatten()", "list(int)"), ("[[1]].flatten(1)", "list(dyn)")]);
    fails(&[("[[1]].flatten(-1)", Invalid), ("x.flatten()", NoOverload)]);
    refuses(&[("[1, 2].flatten()", "[1, 2].flatten()", "does not take (list(int))")]);
}

#[test]
fn elements_are_found() {
    holds(&[
        "[1, 2, 2, 3].indexOf(2) == 1 && [1, 2, 2, 3].lastIndexOf(2) == 2 && ['a'].indexOf('b') == -1 && [].indexOf(1) == -1",
        "dyn([1, 2]).indexOf(2) == 1 && dyn('ab').indexOf('b') == 1 && 'abab'.lastIndexOf('b') == 3",
        "[[1], [2]].indexOf([2]) == 1",
        "[1, 2].includes(2) && ![1, 2].includes(3) && 'a'.includes('a') && !'ab'.includes('a') && x.includes(null)",
        "[1, 2, 1, 3, 2].distinct() == [1, 2, 3] && [1, 1.0, 1u].distinct().size() == 1 && [].distinct() == []",
        "[[1], [1], {'a': 2}, {'a': 2}].distinct() == [[1], {'a': 2}]",
    ]);
    fails(&[("x.indexOf(1)", NoOverload), ("x.distinct()", NoOverload)]);
}

#[test]
fn lists_are_sorted() {
    holds(&[
        "[3, 1, 2].sort() == [1, 2, 3] && ['b', 'a', ''].sort() == ['', 'a', 'b'] && [].sort() == []",
        "[true, false].sort() == [false, true] && [2.5, -1.0].sort() == [-1.0, 2.5] && [b'b', b'a'].sort() == [b'a', b'b']",
        "[duration('2s'), duration('1s')].sort()[0] == duration('1s')",
        "[timestamp(9), timestamp(3)].sort()[0] == timestamp(3)",
        "lists.range(200).map(i, (i * 7919) % 200).sort() == lists.range(200)",
        "[1, 2, 2].isSorted() && ![2, 1].isSorted() && [].isSorted() && ['a'].isSorted()",
        "[3, 1, 2].min() == 1 && [3, 1, 2].max() == 3 && ['b', 'a'].min() == 'a' && [1, 2.5].max() == 2.5",
    ]);
    types(&[("[3].sort()", "list(int)"), ("['a'].min()", "string"), ("[1.5].max()", "double")]);
    fails(&[
        ("[1, dyn('b')].sort()", NoOverload),
        ("[1, dyn(1.5)].sort()", NoOverload),
        ("[dyn([1])].sort()", NoOverload),
        ("[1.0, 0.0 / 0.0].sort()", Invalid),
        ("[].min()", Invalid),
        ("[].max()", Invalid),
        ("[x].min()", NoOverload),
        ("[1, dyn('a')].isSorted()", NoOverload),
        ("x.sort()", NoOverload),
    ]);
    refuses(&[("[[1]].sort()", "[[1]].sort()", "does not take (list(list(int)))")]);
}

#[test]
fn lists_are_sorted_by_a_key() {
    holds(&[
        "[3, 1, 2].sortBy(i, -i) == [3, 2, 1] && [].sortBy(i, i) == []",
        "[{'n': 2, 's': 'a'}, {'n': 1, 's': 'b'}].sortBy(e, e.n).map(e, e.s) == ['b', 'a']",
        // Equal ones stay as they were.
        "['bb', 'a', 'cc', 'd'].sortBy(t, t.size()) == ['a', 'd', 'bb', 'cc']",
        "[2, 1].map(a, [a + 1, a].sortBy(b, b)) == [[2, 3], [1, 2]]",
    ]);
    types(&[("[3].sortBy(i, string(i))", "list(int)")]);
    fails(&[
        ("[1, 2].sortBy(i, i == 1 ? dyn(1) : dyn('a'))", NoOverload),
        ("[1, 2].sortBy(i, dyn([i]))", NoOverload),
        ("[1, 0].sortBy(i, 1 / i)", weir_cel::EvalErrorKind::DivideByZero),
        ("x.sortBy(i, i)", NoOverload),
    ]);
    refuses(&[
        ("{'a': 1}.sortBy(i, i)", "{'a': 1}", "sortBy"),
        ("[1].sortBy(i, [i])", "[i]", "no order"),
        ("[1].sortBy(1, 2)", "1", "a macro's variable is a plain name"),
    ]);
}

#[test]
fn sums_and_ranges() {
    holds(&[
        "[1, 2, 3].sum() == 6 && [1.5, 2.5].sum() == 4.0 && [1u, 2u].sum() == 3u && [].sum() == 0",
        "[duration('1m'), duration('1s')].sum() == duration('61s')",
        // The type says what the sum of nothing is.
        "type([1.5].filter(d, d > 9.0).sum()) == double && type([1u].filter(u, u > 9u).sum()) == uint",
        "[duration('1s')].filter(d, false).sum() == duration('0s')",
        "lists.range(4) == [0, 1, 2, 3] && lists.range(0) == []",
    ]);
    types(&[("[1.5].sum()", "double"), ("lists.range(2)", "list(int)")]);
    fails(&[
        ("[9223372036854775807, 1].sum()", Overflow),
        ("[dyn(1), dyn(1.5)].sum()", NoOverload),
        ("[dyn('a')].sum()", NoOverload),
        ("lists.range(-1)", Invalid),
    ]);
    refuses(&[("['a', 'b'].sum()", "['a', 'b'].sum()", "does not take (list(string))")]);
}

#[test]
fn lists_are_within_the_budget() {
    stopped(&[
        "lists.range(9223372036854775807).size() > 0",
        "lists.range(100000).size() > 0",
        "lists.range(600).distinct().size() > 0",
        "lists.range(100).map(i, lists.range(100)).flatten().size() > 0",
        "[lists.range(400)].map(l, l.reverse().reverse().reverse().reverse().reverse()).size() > 0",
        "lists.range(700).map(i, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').sort().size() > 0",
    ]);
}
