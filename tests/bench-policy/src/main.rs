//! `make bench`, the policy part: prints one table, exits 1 when a bar is missed.
//!
//! Everything is measured in one run, in turns; only ratios mean something. Times are CPU-bound and single-threaded: the
//! minimum of several batches.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a benchmark that cannot run must stop

mod counting;
mod table;

use std::{hint::black_box, path::Path, process::ExitCode, sync::Arc};

use weir_attributes::Bag;
use weir_config::{Loaded, Options, Sources, load_sources};
use weir_policy::{Claim, Evaluation, PolicySet, Ruleset, Step, Verdict, WorkloadIdentity, prepare};

use table::{Line, nanoseconds};
use weir_bench_policy::rules::{self, Asked, ByHand};

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

/// Rules of the small set, of the large one, and policies of the large one.
const SMALL: usize = 20;
const LARGE: usize = 10_000;
const POLICIES: usize = 500;

fn main() -> ExitCode {
    let small = Set::new(&rules::yaml(1, SMALL, rules::Shape::Distinct));
    let large = Set::new(&rules::yaml(POLICIES, LARGE / POLICIES, rules::Shape::Distinct));
    let shared = Set::new(&rules::yaml(POLICIES, LARGE / POLICIES, rules::Shape::Shared));
    let few = rules::asked(1, SMALL);
    let many = rules::asked(POLICIES, LARGE / POLICIES);
    check(&small, &few);
    check(&large, &many);
    let hand = by_hand(&small, &few);
    let twenty = small.evaluate(&few);
    let ten_thousand = large.evaluate(&many);
    let adversarial = shared.evaluate(&rules::asked_shared(64));
    let mut lines = vec![
        Line::new("20 rules, by hand", hand, hand, None),
        Line::new("20 rules", twenty, hand, Some(2.5)).goal(),
        Line::new("10,000 rules in 500 policies, to the 20", ten_thousand, twenty, Some(3.0)),
        // The stated limit of a set in which no index helps: each rule is asked, for at most this.
        Line::new("10,000 rules that share every exact atom, each", adversarial / LARGE as f64, hand, Some(10.0)),
    ];
    lines.extend(compiling());
    table::print(&lines)
}

/// Nanoseconds a request of the same rules in Rust.
fn by_hand(set: &Set, asked: &[Asked]) -> f64 {
    let rules = ByHand::default();
    let bags: Vec<Bag> = asked.iter().map(|asked| set.bag(asked)).collect();
    for (bag, asked) in bags.iter().zip(asked) {
        assert_eq!(rules.decide(bag).is_allow(), asked.allowed, "{asked:?}");
    }
    nanoseconds(bags.len(), || {
        for bag in &bags {
            black_box(rules.decide(black_box(bag)));
        }
    })
}

/// What a configuration costs: to read, to compile, to change by one policy, to hold.
fn compiling() -> Vec<Line> {
    let text = rules::yaml(POLICIES, LARGE / POLICIES, rules::Shape::Distinct);
    let changed = text.replacen("/svc7/3/", "/changed/", 1);
    let parse = nanoseconds(1, || {
        for document in text.split("---\n") {
            black_box(serde_saphyr::from_str::<serde_json::Value>(document).unwrap());
        }
    });
    let (before, after) = (loaded(&text), loaded(&changed));
    let compile = nanoseconds(1, || {
        let (set, _) = before.compile().unwrap();
        black_box(ruleset(&set));
    });
    let live = counting::live();
    let (set, _) = before.compile().unwrap();
    let bytes = counting::live() - live;
    let change = nanoseconds(1, || {
        let (next, _) = after.compile_after(Some(&set)).unwrap();
        black_box(ruleset(&next));
    });
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
}

impl Set {
    fn new(yaml: &str) -> Self {
        let (set, _) = loaded(yaml).compile().unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        let ruleset = ruleset(&set);
        Self { set, ruleset }
    }

    fn bag(&self, asked: &Asked) -> Bag {
        let mut bag = asked.bag();
        prepare(&mut bag, self.set.mesh(), &workload(&self.set)).unwrap();
        bag
    }

    fn decide(&self, bag: &mut Bag) -> Verdict {
        match Evaluation::start(&self.ruleset, bag, 0, &weir_policy::Keys::default()) {
            Step::Done(verdict) => verdict,
            Step::Ask(ask, _) => panic!("asked {ask:?}"),
        }
    }

    /// Nanoseconds a request.
    fn evaluate(&self, asked: &[Asked]) -> f64 {
        let mut bags: Vec<Bag> = asked.iter().map(|asked| self.bag(asked)).collect();
        nanoseconds(bags.len(), || {
            for bag in &mut bags {
                black_box(self.decide(black_box(bag)));
            }
        })
    }
}

/// The compiled rules decide as they were written.
fn check(set: &Set, asked: &[Asked]) {
    for asked in asked {
        assert_eq!(set.decide(&mut set.bag(asked)).is_allow(), asked.allowed, "{asked:?}");
    }
}
