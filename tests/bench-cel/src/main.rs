//! The second half of `make bench`: weir-cel beside the crate `cel`. Prints tables, adds them to target/bench.json, exits 1
//! when a bar is missed.
//!
//! Both evaluate what was compiled once, on a request that was built once; they take turns, batch by batch, and the
//! minimum of the batches is compared: what disturbs a batch only ever makes it slower.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)] // a benchmark that cannot run must stop

mod clock;
mod expressions;
mod table;

use std::{fs, hint::black_box, process::ExitCode, sync::Arc};

use clock::Timed;
use expressions::{Expression, RULES, rule};
use serde_json::Value;
use table::{Line, print};
use weir_cel::{Candidates, Index, Scratch};

const BATCHES: usize = 15;
const JSON: &str = "target/bench.json";

fn main() -> ExitCode {
    let tables = [evaluation(), compilation()];
    let mut all: Vec<Value> =
        fs::read_to_string(JSON).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    all.retain(|known| tables.iter().all(|(table, _)| known["title"] != table["title"]));
    let passed = tables.iter().all(|(_, passed)| *passed);
    all.extend(tables.map(|(table, _)| table));
    fs::create_dir_all("target").expect("target is writable");
    fs::write(JSON, serde_json::to_string_pretty(&all).unwrap()).expect("target is writable");
    println!("\nJSON: {JSON}");
    if !passed {
        println!("a bar is missed");
    }
    ExitCode::from(u8::from(!passed))
}

/// Runs the batches of all in turns.
fn take_turns(contestants: &mut [Timed<'_>]) -> Vec<f64> {
    for _ in 0..BATCHES {
        contestants.iter_mut().for_each(Timed::batch);
    }
    contestants.iter().map(Timed::minimum).collect()
}

fn report(title: &str, lines: &[Line]) -> (Value, bool) {
    (print(title, lines), lines.iter().all(Line::passes))
}

fn evaluation() -> (Value, bool) {
    let their_env = Arc::new(cel::Env::stdlib());
    let mut lines: Vec<Line> = expressions::all().iter().map(|it| evaluate(it, &their_env)).collect();
    lines.push(indexed(lines.last().unwrap()));
    report(&format!("CEL evaluation, CPU time of the thread, minimum of {BATCHES} batches"), &lines)
}

fn evaluate(expression: &Expression, their_env: &Arc<cel::Env>) -> Line {
    let (request, context) = (expression.request(), expression.context(their_env));
    let ours = expressions::env().compile(&expression.source).unwrap();
    let theirs = their_env.compile(&expression.source).unwrap();
    let mut scratch = Scratch::new();
    assert!(ours.evaluate_bool(&request, &mut scratch).unwrap(), "{}", expression.name);
    assert_eq!(theirs.execute(&context).unwrap(), cel::Value::Bool(true), "{}", expression.name);
    let mut contestants = [
        Timed::new(|| {
            let _ = black_box(black_box(&ours).evaluate_bool(black_box(&request), &mut scratch));
        }),
        Timed::new(|| {
            let _ = black_box(black_box(&theirs).execute(black_box(&context)));
        }),
    ];
    let minima = take_turns(&mut contestants);
    Line { name: expression.name.into(), weir: minima[0], cel: minima[1], bar: Some(expression.bar) }
}

/// The rules of e as programs of their own behind an index, against e as the one expression that `cel` can have.
fn indexed(e: &Line) -> Line {
    let all = expressions::all();
    let request = all.last().unwrap().request().bag;
    let env = expressions::env();
    let programs: Vec<_> = (0..RULES).map(|index| env.compile(&rule(index)).unwrap()).collect();
    let index = Index::new(&programs.iter().map(|program| program.alternatives()).collect::<Vec<_>>());
    let (mut scratch, mut room) = (Scratch::new(), Candidates::new());
    let mut hit = |request: &weir_attributes::Bag| {
        let holds = |rule: &u32| programs[*rule as usize].evaluate_bool(request, &mut scratch).unwrap();
        index.lookup(request, &mut room).iter().copied().find(holds)
    };
    assert_eq!(hit(&request), Some(RULES as u32 - 1));
    let minima = take_turns(&mut [Timed::new(|| {
        black_box(hit(black_box(&request)));
    })]);
    Line { name: "e: the same as an indexed ruleset".into(), weir: minima[0], cel: e.cel, bar: Some(250.0) }
}

fn compilation() -> (Value, bool) {
    let env = expressions::env();
    let mut lines = Vec::new();
    for Expression { name, source, .. } in &expressions::all() {
        // The pattern of d, compiled as weir-cel compiles it, is counted apart.
        let pattern = source.split_once(".matches(\"").map(|(_, rest)| rest.trim_end_matches("\")"));
        let mut contestants = vec![
            Timed::new(|| drop(black_box(env.compile(black_box(source))))),
            Timed::new(|| drop(black_box(cel::Program::compile(black_box(source))))),
            Timed::new(|| drop(black_box(cel::parser::PrattParser::new().parse(black_box(source))))),
        ];
        if let Some(pattern) = pattern {
            let limit = weir_cel::limits::REGEX_MAX;
            let build = move || regex::RegexBuilder::new(black_box(pattern)).size_limit(limit).build();
            contestants.push(Timed::new(move || drop(black_box(build()))));
        }
        let minima = take_turns(&mut contestants);
        let pattern = minima.get(3).copied().unwrap_or(0.0);
        let ours = minima[0] - pattern;
        lines.push(Line { name: (*name).into(), weir: ours, cel: minima[1], bar: Some(1.0) });
        lines.push(Line { name: "   (cel's hidden second parser)".into(), weir: ours, cel: minima[2], bar: None });
        if pattern > 0.0 {
            lines.push(Line { name: "   (with the pattern)".into(), weir: minima[0], cel: minima[1], bar: None });
        }
    }
    report("CEL compilation: weir-cel parses, checks and plans (no patterns); cel parses", &lines)
}
