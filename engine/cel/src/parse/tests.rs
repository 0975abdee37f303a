#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;
use crate::ast::render::canonical;

#[test]
fn operators_bind_by_their_level_and_to_the_left() {
    for (source, expected) in [
        ("1 + 2 * 3 - 4", "((1+(2*3))-4)"),
        ("1 < 2 == true", "((1<2)==true)"),
        ("-a.b + !c", "(-a.\"b\"+!c)"),
        ("- 1 - -2", "(-1--2)"),
        ("--1", "--1"),
        ("a.b[\"c\"][d].e", "a.\"b\".\"c\"[d].\"e\""),
        (".a.f(1).g()", ".a:f(1,):g()"),
        ("a.`b-c`", "a.\"b-c\""),
        ("((a))", "a"),
    ] {
        let ast = parse(source.into(), true).unwrap();
        assert_eq!(canonical(&ast, ast.root), expected, "{source}");
    }
}

#[test]
fn each_node_knows_its_source() {
    let source = "has(a.b) && (a.b + 1).f(x) in [1, 2] ? l.all(e, e > 0) : {k: -5}";
    let ast = parse(source.into(), true).unwrap();
    let texts: Vec<&str> = ast.nodes.iter().map(|node| ast.text(node.span)).collect();
    for text in [
        "has(a.b)",
        "a.b + 1",
        "(a.b + 1).f(x)",
        "(a.b + 1).f(x) in [1, 2]",
        "[1, 2]",
        "l.all(e, e > 0)",
        "{k: -5}",
        "-5",
        source,
    ] {
        assert!(texts.contains(&text), "{text} in {texts:?}");
    }
    assert_eq!(ast.source_of(ast.root), source);
}

#[test]
fn children_come_before_their_parents() {
    let source = "a ? b.map(x, f(x)[0]) : {c: [d, ?e]} == g || !h && cel.bind(i, j, k.optMap(l, m))";
    let ast = parse(source.into(), true).unwrap();
    for (index, node) in ast.nodes.iter().enumerate() {
        node.kind.children(|child| assert!(child.index() < index));
    }
}

#[test]
fn terms_of_one_operator_are_one_node() {
    let ast = parse("a || b || c || d && e && f".into(), true).unwrap();
    let Kind::Logic { all: false, terms } = ast.kind(ast.root) else { panic!() };
    assert_eq!(terms.len(), 4);
    let Kind::Logic { all: true, terms } = ast.kind(terms[3]) else { panic!() };
    assert_eq!(terms.len(), 3);
}

#[test]
fn without_macros_they_are_calls() {
    let ast = parse("l.all(x, x)".into(), false).unwrap();
    assert!(matches!(ast.kind(ast.root), Kind::Call { .. }));
}
