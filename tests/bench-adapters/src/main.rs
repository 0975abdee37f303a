//! `make bench`, the part of adapters: what a call of a plugin costs beside an empty call, a flat buffer, every attribute by
//! name and rows of values; and what a second thread adds. Prints one table, exits 1 when a bar is missed.
//!
//! Everything is measured in one run, in turns; only ratios mean something. Both sides of a ratio start from the same bag:
//! the flat side writes its buffer from it, the typed side gathers its inputs, and each call ends with an answer that was
//! looked at. The typed side goes through `Adapter`: instance pool, deadline, clock and accounts included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // a benchmark that cannot run must stop

#[allow(missing_debug_implementations, unreachable_pub, missing_docs, clippy::all)]
mod flat;
mod request;
mod threads;

use std::{path::PathBuf, process::ExitCode};

use tokio::runtime::Runtime;
use weir_adapters::{Adapter, AdapterDecision, AdapterSpec, Grants, Host, HostOptions, Limits};
use weir_attributes::Bag;
use weir_bench_policy::table::{self, Line, Timed, in_turns};

use flat::Bare;

/// Calls in one go: entering the runtime is nobody's cost.
const CALLS: usize = 100;
/// Records of one report.
const RECORDS: usize = 1000;

fn main() -> ExitCode {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: weir-bench-adapters FOLDER-OF-GUESTS"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bare = || runtime.block_on(Bare::load(&folder.join("bench_flat.wasm")));
    let [mut silent, mut flat, mut named, mut listed] = [bare(), bare(), bare(), bare()];
    let host = Host::new(HostOptions::default()).unwrap();
    let load = |name: &str| {
        let wasm = std::fs::read(folder.join(format!("bench_{name}.wasm"))).expect("the guests are built");
        runtime.block_on(host.load(name, spec(wasm))).unwrap()
    };
    let (typed, columns) = (load("typed"), load("columns"));
    let (bag, bags) = (request::bag(0), (0..RECORDS).map(request::bag).collect::<Vec<_>>());
    let [empty, buffer, projected, all, rows, batch] = in_turns([
        again(&runtime, async || silent.empty().await),
        again(&runtime, async || flat.flat(&bag).await),
        again(&runtime, async || check(&typed, &bag).await),
        again(&runtime, async || named.all(&bag).await),
        (RECORDS, Box::new(|| runtime.block_on(listed.rows(&bags)))),
        (RECORDS, Box::new(|| assert!(runtime.block_on(columns.report(&bags)).unwrap().emissions.is_empty()))),
    ]);
    let [one, two] = threads::nanoseconds_of_a_check(&folder);
    table::print(
        "adapters",
        &[
            Line::new("an empty call, ns", empty, buffer, None),
            Line::new("3 of 30 attributes, typed, to a flat buffer, ns", projected, buffer, Some(2.0)).goal(),
            Line::new("the same, to all 28 that it has by name, ns", projected, all, Some(0.2)).goal(),
            Line::new("a record of 3 columns, to a row of values, ns", batch, rows, Some(0.1)).goal(),
            Line::new("a check with 3 plugins, 2 threads to 1, ns", two, one, Some(1.0 / 1.7)).goal(),
        ],
    )
}

fn spec(wasm: Vec<u8>) -> AdapterSpec {
    AdapterSpec {
        wasm: wasm.into(),
        origin: "the bench".into(),
        config: serde_json::Value::Null,
        limits: Limits { instances: 2, ..Limits::generous() },
        grants: Grants::default(),
        bindings: Vec::new(),
        condition: None,
    }
}

async fn check(adapter: &Adapter, bag: &Bag) {
    assert_eq!(adapter.check(bag).await.unwrap().decision, AdapterDecision::Allow);
}

fn again<'t>(runtime: &'t Runtime, mut call: impl AsyncFnMut() + 't) -> Timed<'t> {
    let run = move || {
        runtime.block_on(async {
            for _ in 0..CALLS {
                call().await;
            }
        });
    };
    (CALLS, Box::new(run))
}
