//! The suite `authz`: policies, a request, and the verdict that Istio and Envoy give.
//!
//! A row's resources are loaded and compiled as the engine loads a folder, its request is told as the sidecar tells one, and
//! the verdict must be the row's: allow, deny (403), 401 or 400. Where the row says so, so must be the audit mark, the
//! results of the dry-run policies and the path that the workload would get. Rows of one configuration share its compilation.

mod answer;
mod candidate;
pub(crate) mod door;
mod request;
mod row;
mod tokens;

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

use serde_json::Value as Json;
use weir_attributes::{Bag, Struct};
use weir_policy::{
    Answer, Ask, Claim, Evaluation, Keys, PolicySet, Step, Verdict as Decided, WorkloadIdentity, authenticated, prepare,
};

pub(crate) use self::candidate::{compile, file, mesh};
use self::{
    answer::Got,
    candidate::{Candidate, Compiled},
    row::Row,
};
use crate::{
    rows,
    suite::{Case, Malformed, Suite, Task, Verdict},
};

/// Verdicts on requests.
pub(crate) struct Authz;

impl Suite for Authz {
    fn name(&self) -> &'static str {
        "authz"
    }

    fn cases(&self, file: &Path) -> Result<Vec<Case>, Malformed> {
        let mut known: HashMap<Candidate, Arc<Compiled>> = HashMap::new();
        let rows: Vec<(String, Json)> = rows::lines(file)?;
        Ok(rows.into_iter().map(|(place, row)| case(&place, row, &mut known)).collect())
    }
}

fn case(place: &str, row: Json, known: &mut HashMap<Candidate, Arc<Compiled>>) -> Case {
    let row = match Row::read(place, row) {
        Ok(row) => row,
        Err((name, problem)) => return Case::unreadable(name, problem),
    };
    let candidate = Candidate::of(&row, &[], candidate::by_name);
    let candidate = known.entry(candidate.clone()).or_insert_with(|| Arc::new(Compiled::new(candidate))).clone();
    Case { name: row.title.clone(), task: Task::Ask(Box::new(move || verdict(&row, &candidate))) }
}

fn verdict(row: &Row, candidate: &Compiled) -> Verdict {
    match candidate.policies() {
        Ok(policies) => row.judge(&ask(row, policies)),
        Err(refused) => row.failed(format!("refused: {refused}"), "the configuration"),
    }
}

/// What the policies say of the row's request.
fn ask(row: &Row, policies: &PolicySet) -> Got {
    let mut bag = match request::told(&row.request, policies.mesh().normalization()) {
        Ok(bag) => bag,
        Err(refused) => return Got::bad_request(refused),
    };
    let workload = match resolve(policies, &row.workload.namespace, &row.workload.labels) {
        Ok(workload) => workload,
        Err(unknown) => return Got::no_answer(unknown),
    };
    if let Err(invalid) = prepare(&mut bag, policies.mesh(), &workload) {
        return Got::of(&Decided::invalid_path(invalid), &bag);
    }
    if let Some(claims) = &row.request.jwt {
        match Struct::parse(claims.to_string().as_bytes()) {
            Ok(claims) => authenticated(&mut bag, claims, &[]),
            Err(error) => return Got::no_answer(format!("the claims: {error}")),
        }
    }
    let keys = Keys::default();
    let mut step = Evaluation::start(&policies.ruleset(&workload), &mut bag, tokens::now(), &keys);
    loop {
        match step {
            Step::Done(verdict) => return Got::of(&verdict, &bag),
            Step::Ask(Ask::Provider { name, .. } | Ask::Adapter { name, .. }, evaluation) => {
                let answer = provided(&name, &bag);
                step = evaluation.resume(answer, &mut bag, &keys);
            }
        }
    }
}

/// The workload that a proxy describes so; or why nobody knows it.
pub(crate) fn resolve(
    policies: &PolicySet,
    namespace: &str,
    labels: &BTreeMap<String, String>,
) -> Result<Arc<WorkloadIdentity>, String> {
    let labels = row::labels(labels);
    let claim = Claim { namespace: Some(namespace), labels: Some(&labels), ..Claim::default() };
    policies.workloads().resolve(&claim).map_err(|unknown| unknown.to_string())
}

/// What the provider of that name answers.
fn provided(name: &str, bag: &Bag) -> Answer {
    let told = bag.headers().lines("x-ext-authz").any(|value| value == "allow");
    match candidate::temper(name) {
        candidate::Temper::Allows => allow(),
        candidate::Temper::AsTheHeaderSays if told => allow(),
        _ => Answer::Deny { status: 403, message: None, ttl: None, max_uses: None, headers: Vec::new() },
    }
}

fn allow() -> Answer {
    Answer::Allow { ttl: None, max_uses: None, headers: Vec::new() }
}
