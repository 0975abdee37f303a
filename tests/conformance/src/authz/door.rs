//! `authz --via ext_authz`: the rows through the engine's door for Envoy, over gRPC, as a proxy that normalizes paths and
//! sends header lines raw would ask. Each configuration gets an engine of its own, a few at a time.

mod engine;
mod providers;
mod wire;

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use serde_json::Value as Json;
use tokio::{sync::Semaphore, task::JoinSet};

use self::{engine::Engine, providers::Providers};
use super::{candidate::Candidate, row::Row};
use crate::{
    rows,
    suite::{Malformed, Report, Verdict},
};

/// How many engines run at once.
const ENGINES: usize = 4;

/// Rows of one configuration, each with its place in the order of the report.
type Group = Vec<(usize, Arc<Row>)>;

/// Asks every row of these files that the door can carry; counts the others by reason. `progress` hears how many of how many
/// are done.
///
/// # Errors
/// A file that cannot be read, or an engine that does not start: then nothing is counted.
pub(crate) fn run(files: &[PathBuf], progress: impl Fn(usize, usize)) -> Result<Report, Malformed> {
    let mut all: Vec<(String, Json)> = Vec::new();
    for file in files {
        all.extend(rows::lines(file)?);
    }
    let broken = |problem: String| Malformed { place: "ext_authz".to_owned(), problem };
    let executor = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| broken(error.to_string()))?;
    executor.block_on(through(all, progress)).map_err(broken)
}

async fn through(all: Vec<(String, Json)>, progress: impl Fn(usize, usize)) -> Result<Report, String> {
    let providers = Providers::start().await?;
    let mut outcomes: BTreeMap<usize, (String, Verdict)> = BTreeMap::new();
    let mut skipped: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut groups: HashMap<Candidate, Group> = HashMap::new();
    for (at, (place, row)) in all.into_iter().enumerate() {
        match Row::read(&place, row) {
            Ok(row) => match wire::obstacle(&row) {
                Some(reason) => *skipped.entry(reason).or_default() += 1,
                None => {
                    let issuers: Vec<&str> = wire::issuer(&row).into_iter().collect();
                    let candidate = Candidate::of(&row, &issuers, |name| providers.named(name));
                    groups.entry(candidate).or_default().push((at, Arc::new(row)));
                }
            },
            Err((name, problem)) => drop(outcomes.insert(at, (name, Verdict::unreadable(problem)))),
        }
    }
    let count = groups.values().map(Vec::len).sum();
    let mut asking = JoinSet::new();
    let slots = Arc::new(Semaphore::new(ENGINES));
    for (candidate, rows) in groups {
        let slots = slots.clone();
        asking.spawn(async move {
            let _slot = slots.acquire().await.map_err(|error| error.to_string())?;
            ask(&candidate, rows).await
        });
    }
    let mut done = 0;
    while let Some(asked) = asking.join_next().await {
        let asked = asked.map_err(|error| error.to_string())??;
        done += asked.len();
        progress(done, count);
        outcomes.extend(asked);
    }
    let mut report = Report { skipped, ..Report::default() };
    outcomes.into_values().for_each(|(name, verdict)| report.count(&name, verdict));
    Ok(report)
}

/// Asks an engine of that configuration.
async fn ask(candidate: &Candidate, rows: Group) -> Result<Vec<(usize, (String, Verdict))>, String> {
    let engine = match Engine::start(candidate.files()).await? {
        Ok(engine) => engine,
        Err(refused) => {
            let failed = |row: &Row| row.failed(format!("refused: {refused}"), "the configuration");
            return Ok(rows.into_iter().map(|(at, row)| (at, (row.title.clone(), failed(&row)))).collect());
        }
    };
    let mut outcomes = Vec::new();
    for (at, row) in rows {
        let got = engine.check(wire::request(&row)).await?;
        outcomes.push((at, (row.title.clone(), row.judge(&got))));
    }
    engine.stop().await;
    Ok(outcomes)
}
