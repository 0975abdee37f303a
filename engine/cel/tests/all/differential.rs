//! The same expressions in the crate `cel`: the same value, or an error in both.

pub(crate) mod generate;

use std::{sync::Arc, thread};

use generate::{ALL, Random, Wanted, expression};
use weir_cel::{Env, Map, Scratch, Type, Value};

/// How many expressions, unless `WEIR_CEL_CASES` says otherwise.
const CASES: u64 = 5_000;

/// A known difference, and who is right.
struct Class {
    /// What differs, and what decides.
    name: &'static str,
    /// A source that shows it, and what it is in this crate; none when it is refused or fails.
    example: (&'static str, Option<&'static str>),
    applies: fn(&Difference) -> bool,
}

/// What one gave and the other did not.
struct Difference {
    source: String,
    ours: Result<String, String>,
    theirs: Result<String, String>,
}

const CLASSES: &[Class] = &[
    Class {
        name: "the parts of a timestamp are in UTC unless a zone is given (language definition, timestamps), not in the \
               zone that it was written in",
        example: ("timestamp('1999-12-31T23:59:59-05:00').getHours()", Some("4")),
        applies: |it| it.source.contains("-05:00'") && it.source.contains(".get"),
    },
    Class {
        name: "or and orValue evaluate their argument only when they need it, as cel-go does",
        example: ("optional.of(1).orValue(1 / 0)", Some("1")),
        applies: |it| it.source.contains(".orValue(") && it.ours.is_ok() && it.theirs.is_err(),
    },
    Class {
        name: "a literal that is no timestamp or duration is refused when it is compiled, even where it is never read",
        example: ("false ? duration('a') : duration('1s')", None),
        applies: |it| it.theirs.is_ok() && it.ours.as_ref().is_err_and(|error| error.contains("this is not a ")),
    },
    Class {
        name: "no number is less or greater than NaN, which is false and no error (language definition, ordering)",
        example: ("0.0 / 0.0 < 1.0 ? 1 : 2", Some("2")),
        applies: |it| {
            let numbers = |error: &String| error.contains("overload for '_") && error.contains("double");
            // Theirs may fail later on, where NaN was absorbed.
            let nan = it.source.contains("(d / d)") && it.theirs.is_err();
            it.ours.is_ok() && (nan || it.theirs.as_ref().is_err_and(numbers))
        },
    },
    Class {
        name: "a text with more than a duration in it is no duration (language definition, duration)",
        example: ("duration('16h' + 'x').getSeconds()", None),
        applies: |it| {
            let refused = |error: &String| error.contains("cannot be converted");
            it.source.contains("duration(") && it.theirs.is_ok() && it.ours.as_ref().is_err_and(refused)
        },
    },
    Class {
        name: "a duration is read to the nanosecond, not by way of a double",
        example: (
            "duration(string(timestamp('2024-02-29T12:34:56.789Z') - timestamp(1))) == \
             timestamp('2024-02-29T12:34:56.789Z') - timestamp(1) ? 1 : 2",
            Some("1"),
        ),
        applies: |it| {
            it.source.contains("duration(") && it.source.contains("string(") && it.ours.is_ok() && it.theirs.is_ok()
        },
    },
];

#[test]
fn each_known_difference_is_still_one() {
    let mut their_env = cel::Env::stdlib();
    their_env.add_extension(cel::extensions::strings).unwrap();
    let their_env = Arc::new(their_env);
    let bindings = bindings(&mut Random::new(1), &their_env);
    for class in CLASSES {
        let (source, expected) = class.example;
        assert!(compare(source, &env(), &their_env, &bindings).is_some(), "no longer a difference: {}", class.name);
        let ours = env().compile(source).ok().and_then(|program| {
            let value = program.evaluate(&bindings.ours, &mut Scratch::new()).ok()?.into_static();
            value.as_int().map(|value| value.to_string())
        });
        assert_eq!(ours.as_deref(), expected, "{}", class.name);
    }
}

fn env() -> Env {
    Env::builder()
        .variable("i", Type::Int)
        .variable("j", Type::Int)
        .variable("u", Type::Uint)
        .variable("d", Type::Double)
        .variable("b", Type::Bool)
        .variable("c", Type::Bool)
        .variable("s", Type::String)
        .variable("t", Type::String)
        .variable("y", Type::Bytes)
        .variable("l", Type::list(Type::Int))
        .variable("ts", Type::list(Type::String))
        .variable("m", Type::map(Type::String, Type::Int))
        .build()
}

struct Bindings {
    ours: Vec<Value<'static>>,
    theirs: cel::Context<'static, 'static>,
}

fn bindings(random: &mut Random, env: &Arc<cel::Env>) -> Bindings {
    let (i, j) = (*random.pick(&[0i64, 1, -5, 42, i64::MAX]), *random.pick(&[0i64, 2, 3, -1]));
    let u = *random.pick(&[0u64, 1, 9, u64::MAX]);
    let d = *random.pick(&[0.0f64, 1.0, -3.5, 1e18]);
    let (b, c) = (random.below(2) == 0, random.below(2) == 0);
    let (s, t) = (*random.pick(&["", "a", "b,c", "héllo wörld"]), *random.pick(&["a", "ABC", " x ", "42"]));
    let y = random.pick(&[&b""[..], b"abc", b"\xff"]).to_vec();
    let l = random.pick(&[&[][..], &[1i64, 2, 3], &[0], &[7, 7]]).to_vec();
    let ts: Vec<String> = random.pick(&[&[][..], &["a", "b"], &["x"]]).iter().map(ToString::to_string).collect();
    let m: Vec<(String, i64)> = random
        .pick(&[&[][..], &[("a", 1i64)], &[("a", 1), ("b", 2)]])
        .iter()
        .map(|(k, v)| (k.to_string(), *v))
        .collect();
    let mut theirs = cel::Context::with_env(env.clone());
    for (name, value) in [("i", i), ("j", j)] {
        theirs.add_variable_from_value(name, value);
    }
    theirs.add_variable_from_value("u", u);
    theirs.add_variable_from_value("d", d);
    theirs.add_variable_from_value("b", b);
    theirs.add_variable_from_value("c", c);
    theirs.add_variable_from_value("s", s);
    theirs.add_variable_from_value("t", t);
    theirs.add_variable_from_value("y", cel::Value::Bytes(Arc::new(y.clone())));
    theirs.add_variable_from_value("l", l.clone());
    theirs.add_variable_from_value("ts", ts.clone());
    theirs.add_variable_from_value("m", m.iter().cloned().collect::<std::collections::HashMap<_, _>>());
    let mut map = weir_cel::Entries::default();
    for (key, value) in m {
        map.push(Value::from(key), Value::from(value)).unwrap();
    }
    let ours = vec![
        i.into(),
        j.into(),
        u.into(),
        d.into(),
        b.into(),
        c.into(),
        s.into(),
        t.into(),
        Value::Bytes(weir_cel::Bytes::Shared(y.into())),
        l.into_iter().map(Value::Int).collect::<Vec<_>>().into(),
        ts.into_iter().map(Value::from).collect::<Vec<_>>().into(),
        Value::Map(Map::new(map)),
    ];
    Bindings { ours, theirs }
}

fn same(ours: &Value<'_>, theirs: &cel::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, cel::Value::Null) => true,
        (Value::Bool(a), cel::Value::Bool(b)) => a == b,
        (Value::Int(a), cel::Value::Int(b)) => a == b,
        (Value::Uint(a), cel::Value::UInt(b)) => a == b,
        (Value::Double(a), cel::Value::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Value::String(a), cel::Value::String(b)) => **a == ***b,
        (Value::Bytes(a), cel::Value::Bytes(b)) => **a == ***b,
        (Value::Duration(a), cel::Value::Duration(b)) => Some(*a) == b.num_nanoseconds(),
        (Value::Timestamp(a), cel::Value::Timestamp(b)) => {
            (a.seconds(), a.subsecond_nanoseconds()) == (b.timestamp(), b.timestamp_subsec_nanos())
        }
        (Value::List(a), cel::Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Value::Map(Map::Entries(a)), cel::Value::Map(b)) => {
            let get = |key: &Value<'_>| match key {
                Value::String(text) => b.map.get(&cel::objects::Key::String(Arc::new(text.to_string()))),
                _ => None,
            };
            a.pairs().len() == b.map.len()
                && a.pairs().iter().all(|(key, value)| get(key).is_some_and(|other| same(value, other)))
        }
        _ => false,
    }
}

/// What differs, if anything does.
fn compare(source: &str, env: &Env, their_env: &cel::Env, bindings: &Bindings) -> Option<Difference> {
    let ours = match env.compile(source) {
        Ok(program) => program
            .evaluate(&bindings.ours, &mut Scratch::new())
            .map(Value::into_static)
            .map_err(|error| error.to_string()),
        Err(errors) => Err(errors.to_string()),
    };
    let theirs = their_env.compile(source).map_err(|errors| errors.to_string());
    let theirs = theirs.and_then(|program| program.execute(&bindings.theirs).map_err(|error| error.to_string()));
    let agree = match (&ours, &theirs) {
        (Ok(ours), Ok(theirs)) => same(ours, theirs),
        (Err(_), Err(_)) => true,
        _ => false,
    };
    (!agree).then(|| Difference {
        source: source.to_owned(),
        ours: ours.map(|value| format!("{value:?}")),
        theirs: theirs.map(|value| format!("{value:?}")),
    })
}

#[test]
fn expressions_mean_what_they_mean_in_the_crate_cel() {
    let cases = std::env::var("WEIR_CEL_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(CASES);
    // Their parser and evaluator recurse without a limit.
    let worker = thread::Builder::new().stack_size(256 * 1024 * 1024).spawn(move || {
        let mut their_env = cel::Env::stdlib();
        their_env.add_extension(cel::extensions::strings).unwrap();
        let (env, their_env) = (env(), Arc::new(their_env));
        let (mut found, mut values) = (Vec::new(), 0);
        for seed in 0..cases {
            let mut random = Random::new(seed);
            let wanted: Wanted = *random.pick(&ALL);
            let source = expression(wanted, &mut random, 4);
            let bindings = bindings(&mut random, &their_env);
            match compare(&source, &env, &their_env, &bindings) {
                None => values += 1,
                Some(it) if CLASSES.iter().any(|class| (class.applies)(&it)) => {}
                Some(it) => found.push(format!("seed {seed}: {}\n  {:?}\n  {:?}", it.source, it.ours, it.theirs)),
            }
        }
        assert!(
            found.is_empty(),
            "{} differences, the first:\n{}",
            found.len(),
            found[..found.len().min(20)].join("\n")
        );
        assert!(values * 2 > cases, "too few comparisons: {values}");
    });
    worker.unwrap().join().unwrap();
}
