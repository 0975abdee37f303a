//! What an explanation shows.

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{
    Activation, Env, EvalErrorKind, Explanation, Outcome, Part, Scratch, Sensitive, Shown, Type, Value, limits,
};

use crate::{
    differential::generate::Random,
    worlds::{self, source, world},
};

/// A request, two lists, and who it says that it is.
struct Request(Bag, Vec<Value<'static>>);

impl Activation for Request {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.0.get(slot)
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.1.get(index).cloned()
    }
}

fn request() -> Request {
    let bag = Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_PATH, "/x?secret")
        .text(slot::REQUEST_HOST, "h")
        .header("x-role", "User")
        .header("authorization", "Bearer secret");
    let groups: Vec<Value<'static>> = ["qa", "web", "ops-eu"].into_iter().map(Value::text).collect();
    Request(bag.build(), vec![groups.into(), (0..20).map(Value::Int).collect::<Vec<_>>().into()])
}

fn env() -> Env {
    let (groups, numbers) = (Type::list(Type::String), Type::list(Type::Int));
    let env = Env::builder().vocabulary().variable("groups", groups).variable("n", numbers).build();
    let role = env.compile(r#"request.headers["x-role"].lowerAscii()"#).unwrap();
    let env = env.with_lazy("v.role", &role).unwrap();
    let admin = env.compile(r#"v.role == "admin""#).unwrap();
    env.with_lazy("v.admin", &admin).unwrap()
}

fn explained(source: &str, sensitive: Sensitive) -> Explanation {
    let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
    program.explain(&request(), &mut Scratch::new(), sensitive)
}

/// Explanations: the expression is the left column of the first line.
const TREES: &[&str] = &[
    r#"
request.method == "GET" && request.host.startsWith("api.")   false
├─ request.method == "GET"                                   true
│  └─ request.method                                         "GET"
└─ request.host.startsWith("api.")                           false  ◀
   └─ request.host                                           "h"
"#,
    // What a short circuit leaves out.
    r#"
request.method == "PUT" && request.host == "h"   false
├─ request.method == "PUT"                       false  ◀
│  └─ request.method                             "GET"
└─ request.host == "h"                           not evaluated
"#,
    // Errors stand where they arose; what is false all the same is so because of another part.
    r#"
!(source.principal == "a") && request.method == "PUT"   false
├─ !(source.principal == "a")                           error
│  └─ source.principal == "a"                           error
│     └─ source.principal                               error: attribute `source.principal` is absent
└─ request.method == "PUT"                              false  ◀
   └─ request.method                                    "GET"
"#,
    r#"
request.method == "GET" && 1 / n[0] == 1   error
├─ request.method == "GET"                 true
│  └─ request.method                       "GET"
└─ 1 / n[0] == 1                           error
   └─ 1 / n[0]                             error: `1 / n[0]`: division by zero  ◀
      └─ n[0]                              0
         └─ n                              [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
"#,
    // Rounds of macros: the first ones, and the last one, which decided.
    r#"
n.all(x, x < 6)   false
├─ n              [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
├─ x = 0
│  └─ x < 6       true
├─ x = 1
│  └─ x < 6       true
├─ x = 2
│  └─ x < 6       true
├─ x = 3
│  └─ x < 6       true
├─ … 2 more rounds
└─ x = 6
   └─ x < 6       false  ◀
"#,
    r#"
groups.map(g, g.startsWith("ops"), g.size())   [6]
├─ groups                                      ["qa", "web", "ops-eu"]
├─ g = "qa"
│  ├─ g.startsWith("ops")                      false
│  └─ g.size()                                 not evaluated
├─ g = "web"
│  ├─ g.startsWith("ops")                      false
│  └─ g.size()                                 not evaluated
└─ g = "ops-eu"
   ├─ g.startsWith("ops")                      true
   └─ g.size()                                 6
"#,
    r#"
groups.exists(i, g, i == 1 && g == "web")   true
├─ groups                                   ["qa", "web", "ops-eu"]
├─ i = 0, g = "qa"
│  └─ i == 1 && g == "web"                  false
│     ├─ i == 1                             false
│     └─ g == "web"                         not evaluated
└─ i = 1, g = "web"
   └─ i == 1 && g == "web"                  true
      ├─ i == 1                             true  ◀
      └─ g == "web"                         true  ◀
"#,
    // A variable is told once.
    r#"
v.admin || v.role == "ops" || request.host == "a"             false
├─ v.admin                                                    false
│  └─ v.admin = v.role == "admin"                             false  ◀
│     └─ v.role                                               "user"
│        └─ v.role = request.headers["x-role"].lowerAscii()   "user"
│           └─ request.headers["x-role"]                      "User"
├─ v.role == "ops"                                            false  ◀
│  └─ v.role                                                  "user"
└─ request.host == "a"                                        false  ◀
   └─ request.host                                            "h"
"#,
    // Macros, conditions and optional syntax as they are written.
    r#"
has(request.headers.a) ? "a" in request.headers : request.headers[?"x-role"].orValue("b") == "User"   true
├─ has(request.headers.a)                                                                             false  ◀
├─ "a" in request.headers                                                                             not evaluated
└─ request.headers[?"x-role"].orValue("b") == "User"                                                  true  ◀
   └─ request.headers[?"x-role"].orValue("b")                                                         "User"
      └─ request.headers[?"x-role"]                                                                   optional.of("User")
"#,
    r#"
cel.bind(m, request.method, m == "PUT" || m == "GET")   true
├─ request.method                                       "GET"
└─ m == "PUT" || m == "GET"                             true
   ├─ m == "PUT"                                        false
   └─ m == "GET"                                        true  ◀
"#,
    r#"
cel.block([request.method + "!"], cel.index(0) == "PUT!" || cel.index(0) == "GET!")   true
└─ cel.index(0) == "PUT!" || cel.index(0) == "GET!"                                   true
   ├─ cel.index(0) == "PUT!"                                                          false
   │  └─ cel.index(0)                                                                 "GET!"
   │     └─ request.method + "!"                                                      "GET!"
   │        └─ request.method                                                         "GET"
   └─ cel.index(0) == "GET!"                                                          true  ◀
      └─ cel.index(0)                                                                 "GET!"
"#,
    // Constants are computed before.
    r#"
n[1] < 60 * 60   true  ◀
├─ n[1]          1
│  └─ n          [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
└─ 60 * 60       3600
"#,
    "
1 + 1   2
",
];

#[test]
fn the_tree_shows_what_became_of_each_part_and_what_decided() {
    for expected in TREES {
        let source = expected.trim_start().lines().next().unwrap();
        let source = source.rsplit_once("   ").unwrap().0.trim();
        // A long source is shortened in the tree.
        let shown = explained(source, Sensitive::Mask).to_string();
        if source.chars().count() <= limits::EXPLAIN_TEXT_MAX {
            assert_eq!(shown, expected.trim_start(), "{source}\n{shown}");
        } else {
            let tail = |text: &str| {
                text.lines()
                    .skip(1)
                    .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                    .collect::<Vec<_>>()
            };
            assert_eq!(tail(&shown), tail(expected.trim_start()), "{source}\n{shown}");
        }
    }
}

#[test]
fn sensitive_values_are_masked_unless_asked_for() {
    for (source, masked, shown) in [
        ("request.path", "(sensitive)", r#""/x?secret""#),
        ("request.path.size()", "(sensitive)", "9"),
        ("request.path == '/x?secret'", "true", "true"),
        ("[request.path].map(p, p + 'a')", "(sensitive)", r#"["/x?secreta"]"#),
        ("cel.bind(p, request.path, p)", "(sensitive)", r#""/x?secret""#),
        ("request.headers['authorization']", "(sensitive)", r#""Bearer secret""#),
        ("request.headers.Authorization", "(sensitive)", r#""Bearer secret""#),
        ("request.headers['author' + 'ization']", "(sensitive)", r#""Bearer secret""#),
        ("request.headers['x-role']", r#""User""#, r#""User""#),
        ("request.headers[?'cookie']", "(sensitive)", "optional.none()"),
        ("request.method", r#""GET""#, r#""GET""#),
    ] {
        for (sensitive, expected) in [(Sensitive::Mask, masked), (Sensitive::Show, shown)] {
            let explanation = explained(source, sensitive);
            assert_eq!(explanation.root.outcome.to_string(), expected, "{source}");
            let told = sensitive == Sensitive::Show || !explanation.to_string().contains("secret");
            assert!(told || source.contains("secret"), "{source}: {explanation}");
        }
    }
    let rounds = explained("[request.path].exists(p, p == 'a')", Sensitive::Mask);
    assert_eq!(rounds.root.rounds[0].variables, [("p".to_owned(), Shown::Masked)]);
}

#[test]
fn values_and_sources_are_shortened() {
    let long = explained(&format!("'{}' + request.method", "a".repeat(500)), Sensitive::Mask);
    assert_eq!(long.root.source.chars().count(), limits::EXPLAIN_TEXT_MAX + 1);
    assert_eq!(long.root.outcome.to_string().chars().count(), limits::EXPLAIN_TEXT_MAX + 1);
    let lines = explained("request.method ==\n   'a' // why\n  ||   true", Sensitive::Mask);
    assert!(lines.root.source.starts_with("request.method == 'a' //"), "{}", lines.root.source);
}

#[test]
fn what_is_not_known_is_told_as_that() {
    let mut random = Random::new(1);
    let half = world(&mut random).forget(&mut random);
    let program = worlds::env().compile("b && request.method == 'x' && m.a == 1").unwrap();
    let shown = program.explain(&half, &mut Scratch::new(), Sensitive::Mask).to_string();
    assert!(shown.contains("unknown: "), "{shown}");
}

#[test]
fn there_is_a_limit_to_what_is_told() {
    let five = "[1, 2, 3, 4, n[5]]";
    let source =
        ["a", "b", "c", "d", "e"].iter().fold("n[0]".to_owned(), |body, name| format!("{five}.map({name}, {body})"));
    let explanation = explained(&source, Sensitive::Mask);
    assert!(explanation.cut);
    let count = explanation.to_string().lines().count();
    assert!(count < 4 * limits::EXPLAIN_PARTS_MAX, "{count}");
    let spent = explained("n.map(a, n.map(b, n.map(c, n.map(d, a + b + c + d))))", Sensitive::Mask);
    assert!(matches!(&spent.root.outcome, Outcome::Error(error) if error.kind == EvalErrorKind::Budget));
}

#[test]
fn what_was_not_evaluated_does_not_pile_up_in_rounds() {
    let terms = " || n[1] == 2".repeat(600);
    let source = ["a", "b", "c", "d"]
        .iter()
        .fold(format!("n[0] == 0{terms}"), |body, name| format!("[1, 2, 3, n[4]].map({name}, {body})"));
    let explanation = explained(&source, Sensitive::Mask);
    assert!(explanation.cut);
    let count = explanation.to_string().lines().count();
    assert!(count < 2 * limits::EXPLAIN_SHOWN_MAX, "{count}");
}

/// Every part is where it says, and what it is made of is inside of it.
fn well_placed(part: &Part, source: &str) {
    let text = source.get(part.span.clone()).unwrap();
    let shown: String = part.source.trim_end_matches('…').to_owned();
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(&shown), "{source}: {text}: {shown}");
    for inner in part.parts.iter().chain(part.rounds.iter().flat_map(|round| &round.parts)) {
        // The expression of a variable is in its own source.
        if inner.variable.is_some() {
            continue;
        }
        // A slot of a block is written elsewhere.
        let inside = inner.span.start >= part.span.start && inner.span.end <= part.span.end;
        assert!(inside || text.starts_with("cel.index("), "{source}");
        well_placed(inner, source);
    }
}

#[test]
fn an_explanation_comes_to_what_the_evaluation_comes_to() {
    let env = worlds::env();
    let mut decided = 0;
    for seed in 0..1_500 {
        let mut random = Random::new(seed);
        let source = source(&mut random, 4);
        let Ok(program) = env.compile(&source) else { continue };
        let world = world(&mut random);
        let plain = program.evaluate(&world, &mut Scratch::new()).map(Value::into_static);
        let explanation = program.explain(&world, &mut Scratch::new(), Sensitive::Show);
        let shown = match &explanation.root.outcome {
            Outcome::Value(shown) => Ok(shown.to_string()),
            Outcome::Error(error) => Err(error.kind),
            other => panic!("seed {seed}: {source}: {other:?}"),
        };
        match (&plain, &shown) {
            (Ok(plain), Ok(shown)) => {
                let plain: String = plain.to_string().chars().take(limits::EXPLAIN_TEXT_MAX).collect();
                assert!(shown.starts_with(&plain), "seed {seed}: {source}: {plain} {shown}");
            }
            (Err(plain), Err(shown)) => assert_eq!(plain.kind, *shown, "seed {seed}: {source}"),
            _ => panic!("seed {seed}: {source}: {plain:?} {shown:?}"),
        }
        well_placed(&explanation.root, &source);
        decided += usize::from(explanation.to_string().contains('◀'));
    }
    assert!(decided > 200, "{decided}");
}
