#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::{Env, Type};

fn planned(source: &str) -> String {
    let env = Env::builder().vocabulary().variable("x", Type::Dyn).build();
    format!("{:?}", env.compile(source).unwrap_or_else(|errors| panic!("{errors}")).plan())
}

#[test]
fn constants_are_computed_once() {
    for (source, value) in [
        ("1 + 2 * 3", "Const(Int(7))"),
        ("\"a\" + \"b\" == \"ab\" && !false", "Const(Bool(true))"),
        ("size([1, 2, 3].map(x, x)) == 0", "Test("),
        ("duration(\"1h\") + duration(\"30m\")", "Const(Duration(5400000000000))"),
        ("{\"a\": [1, 2]}.a[1]", "Const(Int(2))"),
        ("false && x.y", "Const(Bool(false))"),
        ("true || x.y", "Const(Bool(true))"),
        // What fails is left to fail where it is evaluated.
        ("1 / 0", "Arithmetic("),
    ] {
        assert!(planned(source).starts_with(value), "{source}: {}", planned(source));
    }
}

#[test]
fn what_policies_do_all_day_has_a_path_of_its_own() {
    for (source, path) in [
        ("request.method == \"GET\"", "Test(Is {"),
        ("\"GET\" == request.method", "Test(Is {"),
        ("request.path.startsWith(\"/api\")", "Test(Has { part: Start"),
        ("request.headers[\"X-Role\"] == \"admin\"", "Test(Is { text: Key("),
        ("request.method in [\"GET\", \"PUT\"]", "Test(TextIn {"),
        ("request.path.matches(\"^/a\")", "Test(Matches {"),
        ("request.size < 10", "Test(Numbers {"),
        ("\"x\" in request.headers", "Test(HasKey {"),
        ("has(request.headers.x)", "Test(HasKey {"),
        ("has(source.principal)", "Test(HasAttribute("),
        ("x == \"GET\"", "Test(Equal("),
    ] {
        assert!(planned(source).starts_with(path), "{source}: {}", planned(source));
    }
}

#[test]
fn nested_terms_become_one_list() {
    let env = Env::vocabulary();
    let source = "(request.method == \"a\" || request.method == \"b\") || (request.method == \"c\" || false)";
    let program = env.compile(source).unwrap();
    let Plan::Test(test) = program.plan() else { panic!() };
    let Test::Any(terms) = &**test else { panic!() };
    assert_eq!(terms.len(), 3);
}

#[test]
fn a_long_disjunction_is_found_by_what_its_terms_ask_for() {
    let rule = |index| format!("(request.method == \"GET\" && source.principal == \"sa-{index}\")");
    let join = |rules: Vec<String>| rules.join(" || ");
    for (source, choice) in [
        (join((0..12).map(rule).collect()), true),
        (join((0..11).map(rule).collect()), false),
        (join((0..24).map(|size| format!("request.size == {size}")).collect()), false),
        (format!("({}) && request.size == 1", join((0..12).map(rule).collect())), false),
        (format!("({}) || ({})", join((0..6).map(rule).collect()), join((6..12).map(rule).collect())), true),
    ] {
        assert_eq!(planned(&source).starts_with("Test(Choice("), choice, "{source}");
    }
}

#[test]
fn a_set_finds_its_texts_whatever_their_length() {
    let texts: Vec<String> = (0..100).map(|length| "ab".repeat(length)).collect();
    let set: TextSet = texts.iter().map(String::as_str).collect();
    assert!(texts.iter().all(|text| set.contains(text)));
    assert!(texts.iter().all(|text| !set.contains(&format!("{text}x"))));
}
