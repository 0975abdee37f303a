//! Evaluation with some of it not known.

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, EvalErrorKind, Origin, Partial, Scratch, Unknown, Value, limits};

use crate::{
    differential::generate::Random,
    worlds::{cases, env, same, source, world},
};

/// Knows everything but what it was told not to know.
struct Half<'a> {
    bag: Bag,
    unknown: &'a [(Origin, Option<&'a str>)],
    variables: Vec<Value<'static>>,
}

impl Activation for Half<'_> {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.bag.get(slot)
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.variables.get(index).cloned()
    }

    fn knows(&self, origin: Origin, key: Option<&str>) -> bool {
        !self
            .unknown
            .iter()
            .any(|(other, unknown)| *other == origin && (key.is_none() || unknown.is_none() || key == *unknown))
    }
}

const PATH: Origin = Origin::Attribute(slot::REQUEST_PATH);
const HEADERS: Origin = Origin::Attribute(slot::REQUEST_HEADERS);
const MAP: Origin = Origin::Variable(0);

/// The method, the host and other headers are known, the principal is known to be absent.
fn half() -> Half<'static> {
    const UNKNOWN: &[(Origin, Option<&str>)] = &[
        (PATH, None),
        (Origin::Attribute(slot::REQUEST_SIZE), None),
        (HEADERS, Some("x-role")),
        (MAP, Some("k")),
        (Origin::Variable(7), None),
    ];
    let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").text(slot::REQUEST_HOST, "h").header("x-other", "o");
    let mut entries = weir_cel::Entries::default();
    entries.push("here".into(), Value::Int(1)).unwrap();
    let mut variables = vec![Value::Map(weir_cel::Map::new(entries))];
    variables.resize(10, Value::Int(3));
    Half { bag: bag.build(), unknown: UNKNOWN, variables }
}

fn shown(source: &str) -> String {
    let env = env();
    let lazy = env.compile("request.path + '!'").unwrap();
    let known = env.compile("request.method + '!'").unwrap();
    let env = env.with_lazy("v.path", &lazy).unwrap().with_lazy("v.method", &known).unwrap();
    let program = env.compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
    let half = half();
    match program.evaluate_partial(&half, &mut Scratch::new()) {
        Partial::Value(value) => format!("{value:?}"),
        Partial::Error(error) => format!("error: {error}"),
        Partial::Unknown(unknown) => {
            let name = |unknown: &Unknown| {
                let origin = match unknown.origin {
                    Origin::Attribute(slot) => slot.attribute().name.to_owned(),
                    Origin::Variable(index) => format!("variable {index}"),
                };
                unknown.key.as_ref().map_or(origin.clone(), |key| format!("{origin}[{key}]"))
            };
            format!("unknown: {}", unknown.iter().map(name).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Expressions, and what they come to.
const OUTCOMES: &[(&str, &str)] = &[
    // Reads.
    ("request.path", "unknown: request.path"),
    ("request.method == 'GET'", "Bool(true)"),
    ("has(request.path)", "unknown: request.path"),
    ("has(source.principal)", "Bool(false)"),
    ("source.principal == 'a'", "error: attribute `source.principal` is absent"),
    ("l", "unknown: variable 7"),
    // Keys of what is known but for one key.
    ("request.headers['X-Other'] == 'o'", "Bool(true)"),
    ("request.headers['x-role'] == 'o'", "unknown: request.headers[x-role]"),
    ("request.headers[?'x-none'].hasValue()", "Bool(false)"),
    ("'X-Role' in request.headers", "unknown: request.headers[x-role]"),
    ("'x-none' in request.headers", "Bool(false)"),
    ("has(request.headers.other)", "Bool(false)"),
    ("request.headers['x-' + request.host] == 'a'", "error: `request.headers['x-' + request.host]`: no such key"),
    ("request.headers[request.path] == 'a'", "unknown: request.path, request.headers"),
    ("request.headers.size() > 1", "unknown: request.headers"),
    ("request.headers.exists(name, name == 'x-other')", "unknown: request.headers"),
    ("m.here", "Int(1)"),
    ("m['k']", "unknown: variable 0[k]"),
    ("has(m.k)", "unknown: variable 0[k]"),
    ("'other' in m", "Bool(false)"),
    ("'k' in m", "unknown: variable 0[k]"),
    ("m[request.method]", "error: `m[request.method]`: no such key"),
    ("m == {}", "unknown: variable 0"),
    // Logic.
    ("request.path == 'a' && request.method == 'PUT'", "Bool(false)"),
    ("request.path == 'a' || request.method == 'GET'", "Bool(true)"),
    ("request.path == 'a' && request.method == 'GET'", "unknown: request.path"),
    ("request.path == 'a' && request.size == 1", "unknown: request.path, request.size"),
    ("1 / (j - 3) == 1 && request.path == 'a'", "unknown: request.path"),
    ("request.path == 'a' || 1 / (j - 3) == 1", "unknown: request.path"),
    ("!(request.path == 'a')", "unknown: request.path"),
    ("request.path == 'a' ? 1 : 1 / (j - 3)", "unknown: request.path"),
    ("request.method == 'GET' ? 1 : request.size", "Int(1)"),
    ("request.method == 'GET' ? request.size : 1", "unknown: request.size"),
    // What needs all its operands.
    ("request.path + request.method", "unknown: request.path"),
    ("request.path == string(request.size)", "unknown: request.path, request.size"),
    ("request.size + 1 / (j - 3)", "error: `1 / (j - 3)`: division by zero"),
    ("1 / (j - 3) + request.size", "error: `1 / (j - 3)`: division by zero"),
    ("request.size < m.k", "unknown: request.size, variable 0[k]"),
    ("request.path.replace(request.method, string(request.size))", "unknown: request.path, request.size"),
    ("[request.path, 'a'].size()", "unknown: request.path"),
    ("{'a': request.path, request.path: request.size}.size()", "unknown: request.path, request.size"),
    ("request.path in ['a', string(request.size)]", "unknown: request.path, request.size"),
    ("request.path.startsWith('a')", "unknown: request.path"),
    ("request.path.matches('a')", "unknown: request.path"),
    ("optional.of(request.path).orValue('a')", "unknown: request.path"),
    ("optional.of('b').orValue(request.path)", "String(Shared(\"b\"))"),
    ("optional.none().orValue(request.size)", "unknown: request.size"),
    ("cel.bind(x, request.size, x > 1)", "unknown: request.size"),
    ("cel.block([request.size, j], cel.index(1) == 3)", "Bool(true)"),
    ("cel.block([request.size, j], cel.index(1) == cel.index(0) && cel.index(0) == 1)", "unknown: request.size"),
    // Macros.
    ("l.all(e, false)", "unknown: variable 7"),
    ("['a', 'b'].exists(e, e == request.path || e == 'b')", "Bool(true)"),
    ("['a', 'b'].all(e, e == request.path && e == 'b')", "Bool(false)"),
    ("['a', 'b'].exists(e, e == request.path)", "unknown: request.path"),
    ("[1, 2].exists(e, e == 1 ? request.path == 'a' : request.size == 1)", "unknown: request.path, request.size"),
    ("[0, 1].exists(e, 1 / e == 0 || request.size == 1)", "unknown: request.size"),
    ("[1, 2].exists_one(e, e == request.size)", "unknown: request.size"),
    ("[1, 2].exists_one(e, e == 2 || e == 1)", "Bool(false)"),
    ("[1, 0].exists_one(e, e == request.size || 1 / (e - 1) == 1 )", "unknown: request.size"),
    ("[1, 2].map(e, e + request.size)", "unknown: request.size"),
    ("[1, 2].map(e, e == 1 ? request.path : string(request.size))", "unknown: request.path, request.size"),
    ("[1, 2].filter(e, e == request.size)", "unknown: request.size"),
    ("[1, 0].map(e, request.size / 2 + 1 / e)", "error: `1 / e`: division by zero"),
    // Variables that are evaluated when they are first read.
    ("v.path == 'a'", "unknown: request.path"),
    ("v.method == 'GET!'", "Bool(true)"),
    ("has(v.path)", "unknown: request.path"),
    ("v.path == 'a' || v.path == 'b' || v.method == 'GET!'", "Bool(true)"),
];

#[test]
fn what_is_not_known_is_a_third_outcome() {
    for (source, outcome) in OUTCOMES {
        assert_eq!(shown(source), *outcome, "{source}");
    }
}

#[test]
fn keys_are_not_listed_where_all_of_it_is_needed() {
    assert_eq!(shown("m.k == 1 && m.size() == 2"), "unknown: variable 0");
}

#[test]
fn what_partial_evaluation_says_holds_whatever_the_rest_turns_out_to_be() {
    let env = env();
    let (mut values, mut errors, mut unknowns) = (0, 0, 0);
    for seed in 0..cases(4_000) {
        let mut random = Random::new(seed);
        let source = source(&mut random, 4);
        let Ok(program) = env.compile(&source) else { continue };
        let half = world(&mut random).forget(&mut random);
        let outcome = match program.evaluate_partial(&half, &mut Scratch::new()) {
            Partial::Value(value) => Ok(value.into_static()),
            Partial::Error(error) => Err(error),
            Partial::Unknown(needed) => {
                unknowns += 1;
                assert!(!needed.is_empty(), "seed {seed}: {source}");
                assert!(needed.iter().all(|unknown| half.is_unknown(unknown.origin)), "seed {seed}: {source}");
                continue;
            }
        };
        *(if outcome.is_ok() { &mut values } else { &mut errors }) += 1;
        for _ in 0..4 {
            let whole = half.completed(&world(&mut random));
            let truth = program.evaluate(&whole, &mut Scratch::new()).map(Value::into_static);
            assert!(same(&outcome, &truth), "seed {seed}: {source}\n{half:?}\n{whole:?}\n{outcome:?}\n{truth:?}");
        }
    }
    assert!(values > 500 && errors > 200 && unknowns > 400, "{values} {errors} {unknowns}");
}

#[test]
fn what_is_known_gives_the_same_with_and_without_partial_evaluation() {
    let env = env();
    for seed in 0..2_000 {
        let mut random = Random::new(seed);
        let source = source(&mut random, 4);
        let Ok(program) = env.compile(&source) else { continue };
        let world = world(&mut random);
        let plain = program.evaluate(&world, &mut Scratch::new()).map(Value::into_static);
        let partial = match program.evaluate_partial(&world, &mut Scratch::new()) {
            Partial::Value(value) => Ok(value.into_static()),
            Partial::Error(error) => Err(error),
            Partial::Unknown(unknown) => panic!("seed {seed}: {source}: {unknown:?}"),
        };
        assert!(same(&plain, &partial), "seed {seed}: {source}");
    }
}

#[test]
fn sets_that_grow_are_charged() {
    let env = env();
    // Each round needs other keys of the map.
    let program = env.compile("ts.map(a, ts.map(b, m[a + b] + request.size))").unwrap();
    let many: Vec<Value<'_>> = (0..300).map(|number| Value::from(format!("{number}{}", "-".repeat(100)))).collect();
    let mut half = half();
    half.unknown = &[(MAP, None), (Origin::Attribute(slot::REQUEST_SIZE), None)];
    half.variables[8] = Value::from(many).into_static();
    let mut scratch = Scratch::new();
    let outcome = program.evaluate_partial(&half, &mut scratch);
    assert!(matches!(outcome, Partial::Error(error) if error.kind == EvalErrorKind::Budget));
    assert!(scratch.bytes() <= limits::BYTES_DEFAULT);
}

#[test]
fn a_plain_evaluation_before_or_after_says_nothing_of_what_is_known() {
    let env = env();
    let lazy = env.compile("request.path + '!'").unwrap();
    let program = env.with_lazy("v.path", &lazy).unwrap().compile("v.path == 'a!'").unwrap();
    let whole = Bag::builder().text(slot::REQUEST_PATH, "a").build();
    let (mut scratch, half) = (Scratch::new(), half());
    assert!(program.evaluate_bool(&whole, &mut scratch).unwrap());
    assert!(matches!(program.evaluate_partial(&half, &mut scratch), Partial::Unknown(_)));
    assert!(program.evaluate_bool(&whole, &mut scratch).unwrap());
}
