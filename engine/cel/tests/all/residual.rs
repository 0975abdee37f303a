//! What is left of an expression when some of what it reads is known.

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, Entries, Env, Map, Origin, Overload, Partial, Scratch, Sensitive, Type, Value, limits};

use crate::{
    differential::generate::Random,
    worlds::{self, cases, same, source, world},
};

/// Knows the method, the host, the path, some headers and a few variables; the principal is known to be absent.
struct Half(Bag, Vec<Value<'static>>);

impl Activation for Half {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.0.get(slot)
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.1.get(index).cloned()
    }

    fn knows(&self, origin: Origin, key: Option<&str>) -> bool {
        match origin {
            Origin::Attribute(slot::REQUEST_SIZE | slot::SOURCE_IP) => false,
            Origin::Attribute(slot::REQUEST_HEADERS) => key.is_some_and(|key| key != "x-role"),
            Origin::Variable(index) => index != 0,
            Origin::Attribute(_) => true,
        }
    }
}

/// `u` is not known.
fn env() -> Env {
    let env = Env::builder()
        .vocabulary()
        .variable("u", Type::Dyn)
        .variable("n", Type::Int)
        .variable("d", Type::Dyn)
        .variable("l", Type::list(Type::String))
        .variable("m", Type::map(Type::String, Type::Int))
        .variable("long", Type::String)
        .variable("o", Type::optional(Type::Int))
        .function("now", Overload::global([], Type::Int).implemented(|_| Ok(Value::Int(1))))
        .build();
    let size = env.compile("request.size + n").unwrap();
    let host = env.compile("request.host + '!'").unwrap();
    let either = env.compile("request.host == 'h' || request.size == 1").unwrap();
    let env = env.with_lazy("v.size", &size).unwrap().with_lazy("v.host", &host).unwrap();
    env.with_lazy("v.either", &either).unwrap()
}

fn half() -> Half {
    let bag = Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_HOST, "h")
        .text(slot::REQUEST_PATH, "/secret")
        .header("x-other", "o")
        .header("authorization", "secret");
    let mut map = Entries::default();
    map.push("a".into(), Value::Int(1)).unwrap();
    let variables = vec![
        Value::Null,
        Value::Int(3),
        Value::text("d"),
        vec![Value::text("a"), Value::text("b")].into(),
        Value::Map(Map::new(map)),
        Value::from("x".repeat(limits::RESIDUAL_LITERAL_MAX)),
        Value::Optional(None),
    ];
    Half(bag.build(), variables)
}

/// Expressions, and what is left of them.
const LEFT: &[(&str, &str)] = &[
    // Known values.
    ("request.method == 'GET' && request.size > 1", "request.size > 1"),
    ("request.method == 'GET' || request.size > 1", "true"),
    ("request.method == 'PUT' && request.size > 1", "false"),
    ("request.method == 'PUT' || request.size > 1 || u", "request.size > 1 || u"),
    ("request.size > n * 2 + 1", "request.size > 7"),
    ("request.size > n * (2 + request.size)", "request.size > 3 * (2 + request.size)"),
    ("n - (request.size - 1)", "3 - (request.size - 1)"),
    ("(n - 5 - request.size) * 2", "(-2 - request.size) * 2"),
    ("string(request.size) + request.method + request.host", r#"string(request.size) + "GET" + "h""#),
    ("string(request.size) in l + ['c']", r#"string(request.size) in ["a", "b", "c"]"#),
    ("{'k': request.size, request.host: n}", r#"{'k': request.size, "h": 3}"#),
    (
        "[duration('1s') + duration('1s'), duration(string(request.size))]",
        r#"[duration("2s"), duration(string(request.size))]"#,
    ),
    ("!(request.method == 'GET' && !(request.size > n))", "!!(request.size > 3)"),
    // What is decided.
    ("request.method == 'GET' ? request.size : n", "request.size"),
    ("request.method == 'PUT' ? request.size : n", "3"),
    ("request.size == 1 ? request.method : request.host", r#"request.size == 1 ? "GET" : "h""#),
    ("(request.size == 1 || request.method == 'GET') && request.size == 2", "request.size == 2"),
    ("(request.size == 1 && request.method == 'GET' || request.host == 'x') && u", "request.size == 1 && u"),
    (
        "(request.size == 1 || request.size == 2) && request.method == 'GET' && request.size == 3",
        "(request.size == 1 || request.size == 2) && request.size == 3",
    ),
    // What may be no truth value is still asked whether it is one.
    ("u && request.method == 'GET'", "u && true"),
    ("request.method == 'PUT' || u", "u || false"),
    ("d && request.size == 1", "d && request.size == 1"),
    // What fails stays, and is absorbed where it was.
    ("source.principal == 'a' && request.size == 1", "source.principal == 'a' && request.size == 1"),
    ("1 / (n - 3) == 1 || request.size == 1 || request.method == 'PUT'", "1 / (n - 3) == 1 || request.size == 1"),
    ("source.principal == 'a' || request.method == 'GET' || u", "true"),
    // Types that the checker did not know stay hidden from it.
    ("d == u", r#"dyn("d") == u"#),
    ("[d, request.size][1] == 1", r#"[dyn("d"), request.size][1] == 1"#),
    ("(n == 3 ? request.size : d) == 's'", "dyn(request.size) == 's'"),
    ("dyn(n) == request.size", "dyn(3) == request.size"),
    // A name does not run together with what follows it.
    ("(n == 3 ? u : d).x == 1", "dyn(u).x == 1"),
    ("(n == 3 ? u : d)[0] == 1", "dyn(u)[0] == 1"),
    ("has((n == 3 ? u : d).x)", "has(dyn(u).x)"),
    // Calls, by all their names.
    ("string(request.size).startsWith(request.host)", r#"string(request.size).startsWith("h")"#),
    ("string(request.size).matches(request.host)", r#"string(request.size).matches(dyn("h"))"#),
    ("optional.of(request.size).orValue(n)", "optional.of(request.size).orValue(3)"),
    ("o.orValue(request.size)", "request.size"),
    ("o.or(optional.of(request.size))", "optional.of(request.size)"),
    ("optional.of(n).orValue(request.size)", "3"),
    ("m[?'b'].optMap(x, x + request.size)", "optional.none()"),
    ("m[?string(request.size)].optMap(x, x + n)", r#"{"a": 1}[?string(request.size)].optMap(x, x + 3)"#),
    ("now() == n", "now() == 3"),
    // Keys.
    ("request.headers['x-other'] == 'o' && request.headers['x-role'] == 'a'", "request.headers['x-role'] == 'a'"),
    ("'x-none' in request.headers || 'x-role' in request.headers", "'x-role' in request.headers"),
    ("has(request.headers.other) || has(request.headers.`x-role`)", "has(request.headers.`x-role`)"),
    ("request.headers['x-' + (n == 3 ? 'role' : 'none')]", r#"request.headers["x-role"]"#),
    // Macros.
    (
        "l.exists(e, e == request.method || e == string(request.size))",
        r#"["a", "b"].exists(e, e == "GET" || e == string(request.size))"#,
    ),
    ("l.exists(e, e == 'b' || e == string(request.size))", "true"),
    ("l.all(e, e == 'a' && e == string(request.size))", "false"),
    (
        "l.map(e, e != 'b', e + string(n) + string(request.size))",
        r#"["a", "b"].map(e, e != 'b', e + "3" + string(request.size))"#,
    ),
    ("l.transformMap(i, e, i + n == request.size)", r#"["a", "b"].transformMap(i, e, i + 3 == request.size)"#),
    ("[1, request.size].filter(e, e == n)", "[1, request.size].filter(e, e == 3)"),
    ("cel.bind(x, n + 1, request.size == x && x == 4)", "request.size == 4"),
    (
        "cel.bind(cel.iterVar(0, 0), long, cel.iterVar(0, 0) == string(request.size + n))",
        "cel.bind(cel.iterVar(0, 0), long, cel.iterVar(0, 0) == string(request.size + 3))",
    ),
    ("cel.bind(x, request.size, x == n)", "cel.bind(x, request.size, x == 3)"),
    ("cel.bind(x, n, [1].map(x, x + request.size))", "cel.bind(x, 3, [1].map(x, x + request.size))"),
    (
        "l.exists(e, cel.bind(x, e + 'a', x == string(request.size)))",
        r#"["a", "b"].exists(e, cel.bind(x, e + 'a', x == string(request.size)))"#,
    ),
    ("cel.bind(x, 1 / (n - 3), request.size == x)", "cel.bind(x, 1 / (n - 3), request.size == x)"),
    (
        "cel.bind(x, request.headers_all, x[?'X-OTHER'].hasValue() && request.size == 1)",
        "cel.bind(x, request.headers_all, x[?'X-OTHER'].hasValue() && request.size == 1)",
    ),
    // Blocks are decided as a whole.
    ("cel.block([n + 1], cel.index(0) == 4) && request.size == 1", "request.size == 1"),
    ("l.exists(e, cel.block([n, e], cel.index(0) == request.size && cel.index(1) == 'c'))", "false"),
    (
        "cel.block([n + 1, request.size], cel.index(0) == cel.index(1))",
        "cel.block([n + 1, request.size], cel.index(0) == cel.index(1))",
    ),
    // Variables that are evaluated when they are first read.
    ("v.host == 'h!' && v.size == 1", "v.size == 1"),
    ("v.either && v.size == 1", "v.size == 1"),
    ("has(v.size)", "has(v.size)"),
    // What cannot or must not be written.
    ("long + string(request.size)", "long + string(request.size)"),
    ("request.path + string(request.size)", "request.path + string(request.size)"),
    ("request.path == '/secret' && request.size == 1", "request.size == 1"),
    (
        "request.headers['authorization'] + string(request.size)",
        "request.headers['authorization'] + string(request.size)",
    ),
    ("[type(n), type(request.size)]", "[type(n), type(request.size)]"),
    // Nothing to do, nothing changed: as it is written.
    ("request.size  ==  1 // why\n && u", "request.size  ==  1 // why\n && u"),
];

#[test]
fn what_is_known_is_written_and_what_is_decided_is_gone() {
    let env = env();
    for (source, left) in LEFT {
        let program = env.compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        let residual = program.residual(&half(), &mut Scratch::new());
        assert_eq!(residual.program.source(), *left, "{source}");
    }
}

#[test]
fn the_outcome_is_there_too() {
    let env = env();
    let residual = |source: &str| env.compile(source).unwrap().residual(&half(), &mut Scratch::new()).outcome;
    assert!(matches!(residual("n == 3"), Partial::Value(value) if value.as_bool() == Some(true)));
    assert!(matches!(residual("source.principal == 'a'"), Partial::Error(_)));
    assert!(matches!(residual("request.size == 1"), Partial::Unknown(unknown) if unknown.len() == 1));
}

#[test]
fn what_is_left_comes_to_the_same_however_the_rest_turns_out() {
    let env = worlds::env();
    let (mut shorter, mut left) = (0, 0);
    for seed in 0..cases(4_000) {
        let mut random = Random::new(seed);
        let source = source(&mut random, 4);
        let Ok(program) = env.compile(&source) else { continue };
        let half = world(&mut random).forget(&mut random);
        let residual = program.residual(&half, &mut Scratch::new()).program;
        left += usize::from(residual.source() != source);
        shorter += usize::from(residual.source().len() < source.len());
        for _ in 0..4 {
            let whole = half.completed(&world(&mut random));
            let truth = program.evaluate(&whole, &mut Scratch::new()).map(Value::into_static);
            let rest = residual.evaluate(&whole, &mut Scratch::new()).map(Value::into_static);
            assert!(
                same(&truth, &rest),
                "seed {seed}: {source}\nleft: {}\n{half:?}\n{whole:?}\n{truth:?}\n{rest:?}",
                residual.source()
            );
        }
        // What is left has nothing more to evaluate.
        let again = residual.residual(&half, &mut Scratch::new()).program;
        assert_eq!(again.source(), residual.source(), "seed {seed}: {source}");
    }
    assert!(left > 1_500 && shorter > 1_200, "{left} {shorter}");
}

#[test]
fn a_residual_is_not_refused_where_the_expression_was_not() {
    let env = worlds::env();
    let mut kept = 0;
    for seed in 0..2_000 {
        let mut random = Random::new(seed);
        let source = source(&mut random, 4);
        let Ok(program) = env.compile(&source) else { continue };
        let half = world(&mut random).forget(&mut random);
        let residual = program.residual(&half, &mut Scratch::new());
        // A known value is a literal, unless it is one that cannot be written.
        if let Partial::Value(value) = &residual.outcome
            && residual.program.source() == source
            && !source.starts_with(&value.to_string())
        {
            kept += 1;
        }
    }
    assert!(kept < 200, "{kept}");
}

#[test]
fn a_value_that_holds_itself_many_times_is_not_written_out() {
    let env = env();
    let pairs = (0..60).fold("x".to_owned(), |body, _| format!("cel.bind(x, [x, x], {body})"));
    for source in [format!("cel.bind(x, l, {pairs})"), format!("cel.bind(x, l, {pairs}) == [request.size]")] {
        let Ok(program) = env.compile(&source) else { continue };
        let _ = program.residual(&half(), &mut Scratch::new()).program.source().len();
        let _ = program.explain(&half(), &mut Scratch::new(), Sensitive::Show).to_string();
    }
}

#[test]
fn a_spent_budget_leaves_the_rest_as_it_is_written() {
    let env = env();
    let source = "l.map(x, l.map(y, x + y)).size() == n && request.size == n";
    let program = env.compile(source).unwrap();
    let residual = program.residual(&half(), &mut Scratch::with_budget(5, 100));
    assert_eq!(residual.program.source(), source);
}
