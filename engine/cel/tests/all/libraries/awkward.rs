//! Every function with values that nobody thought of: each call gives a value or an error, within its budget.

use weir_cel::{Env, Scratch, Type, Value, functions};

/// Values at the edges of their types.
const AWKWARD: &[&str] = &[
    "null",
    "true",
    "-9223372036854775807 - 1",
    "9223372036854775807",
    "-1",
    "0",
    "3",
    "18446744073709551615u",
    "0.0 / 0.0",
    "-1.0 / 0.0",
    "-4.9e-324",
    "''",
    "'é€😀'",
    "'%.1000f%s%%%d'",
    "'a.b/c:d@e?f#g[h]%25'",
    "'1.2.3-rc.1+b'",
    "'(a|b)*?$'",
    "'['",
    "r'\\9\\'",
    "'10.0.0.0/8'",
    "b'\\xff\\x00'",
    "timestamp('9999-12-31T23:59:59.999999999Z')",
    "duration('-9223372036.854775807s')",
    "[]",
    "[dyn(1), 2u, 3.5, 'x', [null]]",
    "['b', 'a', '']",
    "[[['deep']]]",
    "{}",
    "{1: 'a', 'b': [2], true: {}}",
    "int",
    "optional.none()",
    "optional.of(optional.of(1))",
    "ip('::1')",
    "cidr('10.0.0.1/8')",
    "url('https://u:p@[::1]:1/a%20b?c=d&c#e')",
    "semver('18446744073709551615.0.0-a')",
];

#[test]
fn no_function_panics_or_runs_away() {
    let none: [Value<'static>; 0] = [];
    let plain = Env::builder().build();
    let pool: Vec<Value<'static>> = AWKWARD
        .iter()
        .map(|source| {
            let program = plain.compile(source).unwrap_or_else(|errors| panic!("{errors}"));
            program.evaluate(&none, &mut Scratch::new()).unwrap().into_static()
        })
        .collect();
    let names = ["a", "b", "c", "d"];
    let env = names.iter().fold(Env::builder(), |env, name| env.variable(name, Type::Dyn)).build();
    let (mut random, mut calls, mut values) = (7_u64, 0, 0);
    let mut seen = std::collections::HashSet::new();
    for form in functions().filter(|form| !form.is_macro()) {
        for arity in 0..=names.len() {
            if !seen.insert((form.name(), form.is_method(), arity)) || (form.is_method() && arity == 0) {
                continue;
            }
            let given = &names[..arity];
            let source = match (form.is_method(), given.split_first()) {
                (true, Some((target, rest))) => format!("{target}.{}({})", form.name(), rest.join(", ")),
                _ => format!("{}({})", form.name(), given.join(", ")),
            };
            let Ok(program) = env.compile(&source) else { continue };
            // All of one and of two, some of more.
            let rounds = if arity <= 2 { pool.len().pow(arity as u32) } else { 1_500 };
            for round in 0..rounds {
                let mut at = round;
                let args: [Value<'static>; 4] = std::array::from_fn(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let place = if arity <= 2 { at % pool.len() } else { (random >> 33) as usize % pool.len() };
                    at /= pool.len();
                    pool[place].clone()
                });
                calls += 1;
                let mut scratch = Scratch::with_budget(20_000, 64 * 1024);
                if let Ok(value) = program.evaluate(&args, &mut scratch) {
                    values += 1;
                    assert!(value.to_string().len() < 64 * 1024 + 4_096, "{source} {args:?}");
                }
            }
        }
    }
    assert!(calls > 50_000 && values > 3_000, "{calls} calls, {values} values");
}
