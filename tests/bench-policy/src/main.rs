//! `make bench`, the policy part: prints one table, exits 1 when a bar is missed.
//!
//! Everything is measured in one run; only ratios mean something. Times are CPU-bound and single-threaded: the
//! minimum of several batches, which take turns.
//!
//! Both sides of the first ratio start from the same prepared bag and end with equal verdicts, which is asserted: a filter
//! that somebody writes in Rust for this engine has just that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a benchmark that cannot run must stop

mod counting;

use std::{hint::black_box, path::Path, process::ExitCode, sync::Arc};

use weir_attributes::Bag;
use weir_config::{Loaded, Options, Sources, load_sources};
use weir_policy::{Claim, Evaluation, Keys, PolicySet, Ruleset, Step, Verdict, WorkloadIdentity, prepare};

use weir_bench_policy::rules::{self, Asked, ByHand};
use weir_bench_policy::table::{self, Line, Timed, in_turns};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Rules of the small set, of the large one, and policies of the large one.
const SMALL: usize = 20;
const LARGE: usize = 10_000;
const POLICIES: usize = 500;

fn main() -> ExitCode {
    if let Some(of) = std::env::args().nth(1) {
        return profile(&of);
    }
    let small = Set::new(&rules::yaml(1, SMALL, rules::Shape::Distinct));
    let large = Set::new(&rules::yaml(POLICIES, LARGE / POLICIES, rules::Shape::Distinct));
    let shared = Set::new(&rules::yaml(POLICIES, LARGE / POLICIES, rules::Shape::Shared));
    let few = rules::asked(1, SMALL);
    let many = rules::asked(POLICIES, LARGE / POLICIES);
    check(&small, &few);
    check(&large, &many);
    let sharing = rules::asked_shared(64);
    let [hand, twenty, ten_thousand, adversarial] =
        in_turns([by_hand(&small, &few), small.evaluation(&few), large.evaluation(&many), shared.evaluation(&sharing)]);
    let mut lines = vec![
        Line::new("20 rules, by hand", hand, hand, None),
        Line::new("20 rules", twenty, hand, Some(2.5)),
        Line::new("10,000 rules in 500 policies, to the 20", ten_thousand, twenty, Some(3.0)),
        // The stated limit of a set in which no index helps: each rule is asked, for at most this.
        Line::new("10,000 rules that share every exact atom, each", adversarial / LARGE as f64, hand, Some(2.0)),
    ];
    lines.extend(compiling());
    table::print("policies", &lines)
}

/// `weir-bench-policy hand|20|10000 [ROUNDS]`: one of the evaluations alone, for a profiler to watch: each round is 1,000.
fn profile(of: &str) -> ExitCode {
    let (policies, each) = if of == "10000" { (POLICIES, LARGE / POLICIES) } else { (1, SMALL) };
    let (set, asked) = (Set::new(&rules::yaml(policies, each, rules::Shape::Distinct)), rules::asked(policies, each));
    let (_, mut run) = if of == "hand" { by_hand(&set, &asked) } else { set.evaluation(&asked) };
    let rounds = std::env::args().nth(2).map_or(1_000, |rounds| rounds.parse().expect("ROUNDS is a number"));
    (0..rounds).for_each(|_| run());
    ExitCode::SUCCESS
}

/// The same rules in Rust, from the same bags to the same verdicts.
fn by_hand<'s>(set: &'s Set, asked: &[Asked]) -> Timed<'s> {
    let rules = ByHand::default();
    let bags: Vec<Bag> = asked.iter().map(|asked| set.bag(asked)).collect();
    for (bag, asked) in bags.iter().zip(asked) {
        assert_eq!(rules.decide(bag), set.decide(&mut set.bag(asked)), "{asked:?}");
    }
    let run = move || {
        for bag in &bags {
            black_box(rules.decide(black_box(bag)));
        }
    };
    (asked.len(), Box::new(run))
}

/// What a configuration costs: to read, to compile, to change by one policy, to hold.
fn compiling() -> Vec<Line> {
    let text = rules::yaml(POLICIES, LARGE / POLICIES, rules::Shape::Distinct);
    let changed = text.replacen("/svc7/3/", "/changed/", 1);
    let (before, after) = (loaded(&text), loaded(&changed));
    let live = counting::live();
    let (set, _) = before.compile().unwrap();
    let bytes = counting::live() - live;
    let parse = || {
        for document in text.split("---\n") {
            black_box(serde_saphyr::from_str::<serde_json::Value>(document).unwrap());
        }
    };
    let compile = || {
        let (set, _) = before.compile().unwrap();
        black_box(ruleset(&set));
    };
    let change = || {
        let (next, _) = after.compile_after(Some(&set)).unwrap();
        black_box(ruleset(&next));
    };
    let [parse, compile, change] = in_turns([(1, Box::new(parse)), (1, Box::new(compile)), (1, Box::new(change))]);
    vec![
        Line::new("compile 10,000 rules, to the parse of their YAML", compile, parse, Some(10.0)),
        Line::new("one policy of 500 changed, to a full compile", change, compile, Some(1.0 / 50.0)),
        Line::new("live bytes a rule, to 2 KiB", bytes as f64 / LARGE as f64, 2048.0, Some(1.0)),
    ]
}

fn loaded(text: &str) -> Loaded {
    load_sources(Sources::in_memory(Path::new("bench"), [("rules.yaml", text)]), &Options::default())
        .unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

fn workload(set: &PolicySet) -> Arc<WorkloadIdentity> {
    set.workloads().resolve(&Claim { workload: Some("shop/cart"), ..Claim::default() }).unwrap()
}

fn ruleset(set: &PolicySet) -> Arc<Ruleset> {
    set.ruleset(&workload(set))
}

/// A compiled configuration and what applies to its workload.
struct Set {
    set: PolicySet,
    ruleset: Arc<Ruleset>,
    keys: Keys,
}

impl Set {
    fn new(yaml: &str) -> Self {
        let (set, _) = loaded(yaml).compile().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        let ruleset = ruleset(&set);
        Self { set, ruleset, keys: Keys::default() }
    }

    fn bag(&self, asked: &Asked) -> Bag {
        let mut bag = asked.bag();
        prepare(&mut bag, self.set.mesh(), &workload(&self.set)).unwrap();
        bag
    }

    fn decide(&self, bag: &mut Bag) -> Verdict {
        match Evaluation::start(&self.ruleset, bag, 0, &self.keys) {
            Step::Done(verdict) => verdict,
            Step::Ask(ask, _) => panic!("asked {ask:?}"),
        }
    }

    /// The evaluation of each.
    fn evaluation<'s>(&'s self, asked: &[Asked]) -> Timed<'s> {
        let mut bags: Vec<Bag> = asked.iter().map(|asked| self.bag(asked)).collect();
        let run = move || {
            for bag in &mut bags {
                black_box(self.decide(black_box(bag)));
            }
        };
        (asked.len(), Box::new(run))
    }
}

/// The compiled rules decide as they were written.
fn check(set: &Set, asked: &[Asked]) {
    for asked in asked {
        assert_eq!(set.decide(&mut set.bag(asked)).is_allow(), asked.allowed, "{asked:?}");
    }
}
