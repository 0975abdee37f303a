//! `weir plugin bench`: what calls cost.

use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value as Json, json};

use super::project::Folder;
use super::test::{Measured, measure, read};
use super::{Output, build, wait};
use crate::failure::Failure;
use crate::terminal::say;

/// Measures the requests of test.yaml's cases: time, work (fuel, about one a machine instruction of Wasm) and memory of a call.
#[derive(Debug, Args)]
pub(super) struct Bench {
    #[command(flatten)]
    folder: Folder,
    /// Only cases whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    case: String,
    /// Milliseconds to measure each case for.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    ms: u64,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl Bench {
    pub(super) fn run(self) -> Result<(), Failure> {
        let project = self.folder.open()?;
        let wasm = build::fresh(&project)?;
        let mut cases = read(&project.root.join("test.yaml"), project.manifest.world)?;
        cases.retain(|case| case.name.contains(&self.case));
        let time = Duration::from_millis(self.ms);
        let began = Instant::now();
        let rows: Vec<(String, Measured)> = wait(measure(wasm, &cases, time))?;
        match self.output {
            Output::Json => {
                let each = rows.iter().map(|(case, of)| {
                    json!({"case": case, "calls": of.calls, "meanNs": of.mean_ns, "p50Ns": of.p50_ns, "p99Ns": of.p99_ns,
                           "fuel": of.fuel, "memory": of.memory})
                });
                say(&format!("{}\n", each.collect::<Json>()));
            }
            Output::Text => {
                let width = rows.iter().map(|(case, _)| case.chars().count()).max().unwrap_or(4);
                say(&format!(
                    "{:width$} {:>10} {:>10} {:>10} {:>10} {:>10} {:>9}\n",
                    "case", "calls", "mean ns", "p50 ns", "p99 ns", "fuel", "memory"
                ));
                for (case, of) in &rows {
                    let memory = build::size(of.memory);
                    let (calls, mean, p50, p99, fuel) = (of.calls, of.mean_ns, of.p50_ns, of.p99_ns, of.fuel);
                    say(&format!("{case:width$} {calls:>10} {mean:>10} {p50:>10} {p99:>10} {fuel:>10} {memory:>9}\n"));
                }
                let build =
                    if cfg!(debug_assertions) { ", by an unoptimised weir: calls cost less in a release" } else { "" };
                say(&format!("one instance, one thread, {:.1} s{build}\n", began.elapsed().as_secs_f64()));
            }
        }
        Ok(())
    }
}
