use weir_cel::EvalErrorKind::{BadPattern, Invalid, NoOverload};

use super::{fails, gives, holds, refuses, stopped, types};

#[test]
fn what_matches_is_found() {
    gives(&[
        ("'abc 123 d4'.find('[0-9]+')", "123"),
        ("'abc'.find('x')", ""),
        ("s.find('l+')", "ll"),
        ("s.find('l' + '+')", "ll"),
        ("s.find('.$')", "o"),
    ]);
    holds(&[
        "'1 22 333'.findAll('[0-9]+') == ['1', '22', '333'] && '1 22 333'.findAll('[0-9]+', 2) == ['1', '22']",
        "'1 22'.findAll('[0-9]+', 0) == [] && '1 22'.findAll('[0-9]+', -1).size() == 2 && 'a'.findAll('x') == []",
        // A match of nothing right after another one is none.
        "'12ab3'.findAll('[0-9]*') == ['12', '', '3']",
        "s.findAll('l' + '') == ['l', 'l']",
    ]);
    fails(&[("s.find('(' + s)", BadPattern), ("s.findAll('[' + s, 1)", BadPattern), ("x.find('a')", NoOverload)]);
    types(&[("s.find('a')", "string"), ("s.findAll('a')", "list(string)")]);
}

#[test]
fn groups_are_extracted() {
    holds(&[
        "regex.extract('id=42;', 'id=([0-9]+)') == optional.of('42')",
        "regex.extract('id=42;', '[0-9]+') == optional.of('42')",
        "!regex.extract('id', '[0-9]').hasValue() && !regex.extract('id=', 'id=([0-9]*)').hasValue()",
        "regex.extractAll('a1 b2', '[a-z]([0-9])') == ['1', '2'] && regex.extractAll('a1 b2', '[a-z]') == ['a', 'b']",
        "regex.extractAll('x', '[0-9]') == [] && regex.extractAll('a1 b', '[a-z]([0-9]?)') == ['1']",
        "regex.extract(s, '(?:h|j)(.)') == optional.of('é')",
        "regex.extract(s, s + '' ) == optional.of(s)",
    ]);
    types(&[("regex.extract(s, 'a')", "optional(string)"), ("regex.extractAll(s, 'a')", "list(string)")]);
    fails(&[
        ("regex.extract(s, '(a)(b)' + '')", Invalid),
        ("regex.extractAll(s, '(a)(b)' + s)", Invalid),
        ("regex.extract(s, '(' + s)", BadPattern),
        ("regex.extract(x, 'a')", NoOverload),
    ]);
}

#[test]
fn matches_are_replaced() {
    gives(&[
        ("regex.replace('hello hello', 'hello', 'hi')", "hi hi"),
        ("regex.replace('banana', 'a', 'x', 2)", "bxnxna"),
        ("regex.replace('banana', 'a', 'x', 0)", "banana"),
        ("regex.replace('banana', 'a', 'x', -3)", "bxnxnx"),
        (r"regex.replace('foo bar', '(fo)o (ba)r', r'\2 \1 \0')", "ba fo foo bar"),
        (r"regex.replace('a1', '([a-z])([0-9])', r'\\\2\\')", r"\1\"),
        // One digit is a group, what follows is text; a group that took no part is empty.
        (r"regex.replace('ab', '(a)|(b)', r'<\1\2>')", "<a><b>"),
        (r"regex.replace('ab', '(a)', r'\12')", "a2b"),
        ("regex.replace('$1', '1', '$1')", "$$1"),
        ("regex.replace(s, 'l+' + '', 'L')", "héLo"),
        ("regex.replace('abc', '', '-')", "-a-b-c-"),
    ]);
    fails(&[
        (r"regex.replace(s, '(l)' + '', r'\2')", Invalid),
        (r"regex.replace(s, 'l' + '', r'a\')", Invalid),
        (r"regex.replace(s, 'l' + '', r'\k')", Invalid),
        ("regex.replace(s, '(' + s, '')", BadPattern),
        ("regex.replace(s, 'a', x)", NoOverload),
    ]);
}

#[test]
fn a_pattern_in_the_source_is_checked_before_it_runs() {
    refuses(&[
        ("s.find('(a')", "'(a'", "not a regular expression"),
        ("s.findAll('a{2000}{2000}', 1)", "'a{2000}{2000}'", "when compiled"),
        ("regex.replace(s, '[', '')", "'['", "not a regular expression"),
        ("regex.extract(s, '(a)(b)')", "regex.extract(s, '(a)(b)')", "more than one group"),
        ("regex.extractAll(s, '(a)(b)')", "regex.extractAll(s, '(a)(b)')", "more than one group"),
        (
            r"regex.replace(s, '(a)', r'\2')",
            r"regex.replace(s, '(a)', r'\2')",
            "a group that the pattern does not have",
        ),
        (r"regex.replace(s, 'a', 'x\\')", r"regex.replace(s, 'a', 'x\\')", "a lone backslash"),
    ]);
}

#[test]
fn searching_is_within_the_budget() {
    stopped(&[
        // Each of these matches looks at all that is left.
        "lists.range(100).map(i, 'aaaaaaaaaaaaaaaaaaaa').join().findAll('.*[^a]|a').size() > 0",
        "lists.range(100).map(i, 'aaaaaaaaaaaaaaaaaaaa').join().findAll('').size() > 0",
        "regex.replace(lists.range(100).map(i, 'aaaaaaaaaaaaaaaaaaaa').join(), 'a', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb') != ''",
        "regex.extractAll(lists.range(100).map(i, 'aaaaaaaaaaaaaaaaaaaa').join(), 'a').size() > 0",
        "lists.range(10).all(i, s.find(s + string(i)) == '')",
    ]);
}

#[test]
fn a_pattern_in_the_source_is_compiled_once() {
    // Compiling one while running costs thousands of steps; what is also fixed is not looked up again.
    for (source, compiles) in [
        ("s.find('l+')", false),
        ("s.findAll('l+')", false),
        ("regex.extract(s, '(l)')", false),
        ("regex.extractAll(s, '(l)')", false),
        ("regex.replace(s, 'l', 'r')", false),
        ("s.find('l+' + (n == 7 ? '' : s))", true),
        ("regex.replace(s, 'l' + (n == 7 ? '' : s), 'r')", true),
    ] {
        let program = super::env().compile(source).unwrap();
        let (values, mut scratch) = (super::values(), weir_cel::Scratch::new());
        program.evaluate(&values, &mut scratch).unwrap();
        assert_eq!(scratch.steps() > 1_000, compiles, "{source}: {} steps", scratch.steps());
    }
}

#[test]
fn a_computed_pattern_is_kept_small() {
    fails(&[
        ("s.find('a{500}{20}' + (n == 7 ? '' : s))", BadPattern),
        ("regex.extract(s, '(?:a{500}){20}' + (n == 7 ? '' : s))", BadPattern),
    ]);
}

#[test]
fn classes_are_those_of_re2() {
    holds(&[
        // A digit, letter or space is one of ASCII.
        r"'7'.matches(r'^\d$') && !'٣'.matches(r'^\d$') && '٣'.matches(r'^\D$')",
        r"'a_1'.matches(r'^\w+$') && !'é'.matches(r'^\w$') && 'é'.matches(r'^\W$')",
        r"' \t'.matches(r'^\s+$') && !'\u00a0'.matches(r'^\s$') && !'\v'.matches(r'^\s$') && 'é'.matches(r'^\S$')",
        r"'a-1'.matches(r'^[\w-]+$') && !'é'.matches(r'[\w\d]') && 'é'.matches(r'^[^\w]$') && !'a'.matches(r'[^\w]')",
        r"'é1'.find(r'\b1') == '1' && 'a1'.find(r'\b1') == '' && 'a1'.find(r'\B1') == '1'",
        r"'K'.matches(r'(?i)^\w$') && 'A1'.matches(r'(?i)^[\da-z]+$')",
        // What is written as such still is Unicode.
        r"'٣é'.matches(r'^\pN\pL$') && 'é'.matches(r'^.$') && 'É'.matches(r'(?i)^é$')",
        r"'\\d'.matches(r'^\\d$') && 'd'.matches('^[d]$')",
        r"s.find('l' + r'\w') == 'll'",
    ]);
}

#[test]
fn all_patterns_of_a_source_are_tried_within_a_time() {
    let env = super::env();
    let many = |pattern: &str, count: usize| {
        let terms: Vec<String> = (0..count).map(|term| format!("s.matches(r'{pattern}{term}')")).collect();
        env.compile(&terms.join(" || "))
    };
    // Also those that are too large take their part, because trying them takes time.
    for pattern in [r"\pL{8}", r"\pL{90}"] {
        let Err(errors) = many(pattern, 400) else { panic!("400 times {pattern}") };
        let last = errors.errors().last().unwrap();
        assert!(last.message.contains("together need"), "{errors}");
    }
    assert!(many(r"\pL{2}", 4).is_ok());
}
