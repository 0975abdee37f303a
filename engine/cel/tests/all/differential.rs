//! The same expressions in the crate `cel`: the same value, or an error in both.

mod bindings;
mod classes;
mod forms;
pub(crate) mod generate;

use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use bindings::{Bindings, bindings, env, their_env};
use classes::{CLASSES, Difference};
use generate::{ALL, Random, Wanted, expression};
use weir_cel::{Env, Map, Scratch, Value};

/// After how many expressions a long run says how far it is.
const PROGRESS: u64 = 50_000;

#[test]
fn each_known_difference_is_still_one() {
    assert!(CLASSES.len() <= 10);
    let their_env = their_env();
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
                Value::String(text) => b.map.get(&cel::objects::Key::String(std::sync::Arc::new(text.to_string()))),
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

/// The seeds whose expressions are compared, and those whose outcomes differ in an unknown way.
fn compare_all(cases: Range<u64>, done: &AtomicU64, all: u64) -> (u64, Vec<String>) {
    let (env, their_env) = (env(), their_env());
    let (mut found, mut same) = (Vec::new(), 0);
    for seed in cases {
        let mut random = Random::new(seed);
        let wanted: Wanted = *random.pick(&ALL);
        let source = expression(wanted, &mut random, 4);
        let bindings = bindings(&mut random, &their_env);
        match compare(&source, &env, &their_env, &bindings) {
            None => same += 1,
            Some(it) if CLASSES.iter().any(|class| (class.applies)(&it)) => {}
            Some(it) => found.push(format!("seed {seed}: {}\n  {:?}\n  {:?}", it.source, it.ours, it.theirs)),
        }
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(PROGRESS) {
            eprintln!("{done} of {all} expressions, {} unknown differences here", found.len());
        }
    }
    (same, found)
}

/// Compares that many expressions, on as many threads as there are processors.
fn expressions_agree(cases: u64) {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
    let first: u64 = number("WEIR_CEL_SEED").unwrap_or(0);
    let cases = number("WEIR_CEL_CASES").unwrap_or(cases);
    eprintln!("{cases} expressions from seed {first} on: WEIR_CEL_SEED and WEIR_CEL_CASES choose others");
    let (threads, done) = (thread::available_parallelism().map_or(1, |count| count.get() as u64), AtomicU64::new(0));
    let bound = |thread| first + cases * thread / threads;
    let (mut same, mut found) = (0, Vec::new());
    thread::scope(|scope| {
        let work = |thread| {
            let (range, done) = (bound(thread)..bound(thread + 1), &done);
            // Their parser and evaluator recurse without a limit.
            let worker = thread::Builder::new().stack_size(256 * 1024 * 1024);
            worker.spawn_scoped(scope, move || compare_all(range, done, cases)).unwrap()
        };
        for worker in (0..threads).map(work).collect::<Vec<_>>() {
            let (part, differences) = worker.join().unwrap();
            same += part;
            found.extend(differences);
        }
    });
    assert!(found.is_empty(), "{} differences, the first:\n{}", found.len(), found[..found.len().min(20)].join("\n"));
    assert!(same * 2 > cases, "too few comparisons: {same}");
}

#[test]
fn expressions_mean_what_they_mean_in_the_crate_cel() {
    expressions_agree(50_000);
}

#[test]
#[ignore = "takes minutes: make test-full"]
fn a_million_expressions_mean_what_they_mean_in_the_crate_cel() {
    expressions_agree(1_000_000);
}
