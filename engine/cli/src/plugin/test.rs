//! `weir plugin test`: the cases of test.yaml, in the engine's own host.

mod case;
mod chaos;
mod compare;
mod heard;
mod measure;
mod mock;
mod outcome;
mod run;
mod stage;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value as Json, json};

pub(super) use self::case::{documents_of, read};
pub(super) use self::heard::{Heard, listen};
pub(super) use self::measure::{Measured, measure};
pub(super) use self::stage::Stage;

use super::project::{Folder, Project};
use super::{Output, build, wait};
use crate::failure::Failure;
use crate::terminal::say;

/// Runs the cases of test.yaml (and tests/*.yaml) against the component, in the engine's own host; builds it first when a
/// source is newer.
///
/// One YAML document is one case. It fails when something that `expect` names is not so; what `expect` does not name may be
/// anything. An empty map or list says that there is nothing.
#[derive(Debug, Args)]
#[command(after_help = "A case, all of it:
  case: the name
  config: {teams: [red]}                   what the operator configures
  request: {request: {method: GET}}        attributes, nested or dotted; or requests: [...], asked one after another
  bindings: {risk: '7'}                    CEL, for inputs that are no attributes; and match: CEL
  mocks:
    kv: {sessions: {key: text}}
    lookup: {workloads: {10.0.0.1: {name: cart}}}
    http: {authz: [{path: /ask, status: 200, headers: {}, body: {ok: true}}, {fail: unreachable}, {fail: timeout}]}
  then: [tick, drain, self-test]           called after the requests
  expect:                                  of the last request; emissions and host calls of all
    decision: deny                         allow, deny, abstain; status, message, reason, ttl-ms, max-uses
    headers: [{set: {x-a: b}}, {append: {x-c: d}}, {remove: x-e}]
    metadata: {name: value}
    outputs: {team.tier: gold}             exactly these
    failure: part of the text              the plugin has no answer; configure too
    metrics: {NAME: [{labels: {code: \"200\"}, value: 2}]}   of a histogram: values: [1, 2]
    records: [{severity: warn, body: text, attributes: {path: /a}}]
    spans: [{name: GET, kind: server}]
    log: [part of a line]
    http: [{upstream: authz, method: GET, path: /ask, headers: {}, body: text}]
    kv: {sessions: {key: text, gone: null}}
    sinks: {NAME: [message]}
    fuel-below: 100000                     work of all its calls")]
pub(super) struct Test {
    #[command(flatten)]
    folder: Folder,
    /// Runs these files instead.
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// Runs only cases whose name contains this.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    case: String,
    /// Makes the world worse for each case: no inputs, long inputs, upstreams that fail, stores that forget. The plugin may then
    /// say that it has no answer, but must not trap or take too long.
    #[arg(long)]
    chaos: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// What became of one case, or of one variation of it.
pub(super) struct Report {
    name: String,
    place: String,
    problems: Vec<String>,
    actual: Json,
}

impl Test {
    pub(super) fn run(self) -> Result<(), Failure> {
        let project = self.folder.open()?;
        let wasm = build::fresh(&project)?;
        let mut cases = Vec::new();
        for file in self.files(&project)? {
            cases.extend(read(&file, project.manifest.world)?);
        }
        cases.retain(|case| case.name.contains(&self.case));
        if cases.is_empty() {
            return Err(Failure::Usage(
                "no case; write one in test.yaml (weir plugin test --help shows all of it)".to_owned(),
            ));
        }
        let heard = listen();
        let reports = wait(async {
            let rehearsal = run::Rehearsal::new(wasm, &heard)?;
            match self.chaos {
                false => rehearsal.cases(&cases).await,
                true => chaos::cases(&rehearsal, &cases).await,
            }
        })?;
        self.print(&reports)
    }

    fn files(&self, project: &Project) -> Result<Vec<PathBuf>, Failure> {
        if !self.file.is_empty() {
            return Ok(self.file.clone());
        }
        let mut files: Vec<PathBuf> =
            Some(project.root.join("test.yaml")).into_iter().filter(|file| file.is_file()).collect();
        let more = std::fs::read_dir(project.root.join("tests")).into_iter().flatten().filter_map(Result::ok);
        let mut more: Vec<_> = more.map(|entry| entry.path()).collect();
        more.retain(|file| file.extension().is_some_and(|end| end == "yaml" || end == "yml"));
        more.sort();
        files.append(&mut more);
        match files.is_empty() {
            true => Err(Failure::Usage("neither test.yaml nor tests/*.yaml is here; write one".to_owned())),
            false => Ok(files),
        }
    }

    fn print(&self, reports: &[Report]) -> Result<(), Failure> {
        let failed = reports.iter().filter(|report| !report.problems.is_empty()).count();
        match self.output {
            Output::Json => {
                let each = reports.iter().map(|report| {
                    json!({"case": report.name, "place": report.place, "ok": report.problems.is_empty(),
                           "problems": report.problems, "actual": report.actual})
                });
                let passed = reports.len() - failed;
                say(&format!("{}\n", json!({"passed": passed, "failed": failed, "cases": each.collect::<Vec<_>>()})));
            }
            Output::Text => {
                let width = reports.iter().map(|report| report.name.chars().count()).max().unwrap_or(0);
                for report in reports {
                    let state = if report.problems.is_empty() { "ok  " } else { "FAIL" };
                    let (fuel, ms) = (number(&report.actual, "fuel"), number(&report.actual, "milliseconds"));
                    say(&format!("{state}  {:width$}  {fuel:>12} fuel {ms:>9.3} ms\n", report.name));
                    for problem in &report.problems {
                        say(&format!("      {}: {problem}\n", report.place));
                    }
                }
                say(&format!("{} passed, {failed} failed\n", reports.len() - failed));
            }
        }
        if failed == 0 { Ok(()) } else { Err(Failure::Finding) }
    }
}

fn number(actual: &Json, field: &str) -> f64 {
    actual.get(field).and_then(Json::as_f64).unwrap_or_default()
}
