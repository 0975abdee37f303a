//! Takes the steps one after another and compares what came with what was promised.

use super::mesh::{Mesh, Proxies, Workload};
use super::{Act, Place, Promise, Row, Step, show, steps};
use crate::client::{Answer, Call};
use crate::house::engine;
use crate::{Outcome, patience};
use serde_json::Value;
use std::time::Duration;

/// How long a decision may take to come out of the log's queue.
const LOGGED: Duration = Duration::from_secs(3);

/// Takes every step; a step that cannot be taken at all is a broken row, not the end.
pub async fn run(mesh: &mut Mesh, steps: &[Step]) -> Vec<Row> {
    let mut rows = Vec::new();
    for step in steps {
        let row = take(mesh, step).await.unwrap_or_else(|trouble| Row {
            verdict: "?".into(),
            broken: vec![trouble.to_string()],
            ..start(step)
        });
        rows.push(row);
    }
    rows
}

fn start(step: &Step) -> Row {
    Row { title: step.title.to_owned(), caller: step.caller.to_owned(), ..Row::default() }
}

async fn take(mesh: &mut Mesh, step: &Step) -> Outcome<Row> {
    match &step.act {
        Act::Cart(call) => ask(mesh, step, Workload::Cart, call).await,
        Act::Checkout(call) => ask(mesh, step, Workload::Checkout, call).await,
        Act::BadPolicy(name, text) => refuse(mesh, step, name, text).await,
        Act::KillThen(call) => {
            mesh.scrape = reported(mesh).await?;
            // What a proxy or the engine has not sent on when the engine is killed is gone: the tour shows this span later.
            show::span(mesh).await?;
            mesh.house.engine.kill().await?;
            ask(mesh, step, Workload::Cart, call).await
        }
        Act::RestartThen(call) => {
            mesh.house.engine.restart().await?;
            back(mesh, step.caller).await?;
            ask(mesh, step, Workload::Cart, call).await
        }
    }
}

/// The engine's metrics once the checkout's last request is reported, too.
async fn reported(mesh: &Mesh) -> Outcome<String> {
    patience::until("the requests so far are counted", async || {
        let scrape = mesh.house.engine.scrape().await.ok()?;
        let labels = ["destination_workload=\"checkout\"", "response_code=\"200\""];
        (engine::sample(&scrape, "istio_requests_total", &labels) > 0.0).then_some(scrape)
    })
    .await
}

/// The proxies come back by themselves, each worker for itself; until they have, they fail closed.
async fn back(mesh: &Mesh, caller: &str) -> Outcome<()> {
    let caller = mesh.caller(Workload::Cart, caller)?;
    let mut item = 1000;
    patience::until("the proxy finds the engine again", async || {
        for _ in 0..8 {
            item += 1;
            let probe = Call::get(&format!("/api/v1/items/{item}")).header("host", Workload::Cart.host());
            caller.send(probe).await.ok().filter(|answer| answer.status == 200)?;
        }
        Some(())
    })
    .await
}

async fn ask(mesh: &Mesh, step: &Step, workload: Workload, call: &Call) -> Outcome<Row> {
    let promise = with_this_proxy(step.promise, mesh);
    let before = (mesh.house.engine.decisions().len(), mesh.cached().await?);
    let call = call.clone().header("host", workload.host());
    let answer = mesh.caller(workload, step.caller)?.send(call).await?;
    let (place, decision) = decided(mesh, before, &answer).await?;
    let mut row = start(step);
    row.verdict = format!("{} {}", answer.status, if answer.status < 400 { "allow" } else { "deny" });
    row.id = decision.as_ref().and_then(|decision| text(decision, "id"));
    row.by = match (place, &decision) {
        (Place::Cache, _) => "the same verdict".into(),
        (_, Some(decision)) => by(decision),
        _ => "fail closed".into(),
    };
    row.place = name(place, mesh);
    compare(&mut row, promise, place, &answer);
    let seen = mesh.house.echo.seen();
    if seen.last().is_some_and(|seen| seen.to_string().contains(steps::FORGED)) {
        row.broken.push("the upstream saw a forged identity".into());
    }
    Ok(row)
}

fn compare(row: &mut Row, promise: Promise, place: Place, answer: &Answer) {
    if answer.status != promise.status {
        row.broken.push(format!("status {}, not {}", promise.status, answer.status));
    }
    if row.by != promise.by {
        row.broken.push(format!("decided by {}, not {}", promise.by, row.by));
    }
    if place != promise.place {
        row.broken.push(format!("decided at {:?}, not {place:?}", promise.place));
    }
    if !answer.body.contains(promise.says) {
        row.broken.push(format!("the client reads {:?}, not {:?}", promise.says, answer.body.trim()));
    }
}

/// Envoy keeps no verdicts: what a sidecar answers from its cache the engine decides again.
fn with_this_proxy(promise: Promise, mesh: &Mesh) -> Promise {
    match (&mesh.proxies, promise.place) {
        (Proxies::Envoy(_), Place::Cache) => {
            Promise { place: Place::Engine, by: "shop/cart-callers, rule 0", ..promise }
        }
        _ => promise,
    }
}

/// Where it was decided, and the engine's line about it.
async fn decided(mesh: &Mesh, before: (usize, f64), answer: &Answer) -> Outcome<(Place, Option<Value>)> {
    if mesh.cached().await? > before.1 {
        return Ok((Place::Cache, None));
    }
    if answer.status == 503 {
        return Ok((Place::Proxy, None));
    }
    let line = patience::within(LOGGED, "the decision is in the log", || async {
        mesh.house.engine.decisions().into_iter().skip(before.0).next_back()
    })
    .await?;
    Ok((Place::Engine, Some(line)))
}

async fn refuse(mesh: &Mesh, step: &Step, file: &str, policy: &str) -> Outcome<Row> {
    mesh.house.config.put(file, policy)?;
    let refusal = mesh.house.engine.refusal(file).await?;
    let mut row = start(step);
    row.verdict = "refused".into();
    row.place = name(Place::Configuration, mesh);
    row.by = place_in_file(&refusal, file).unwrap_or_default();
    for words in [step.promise.by, step.promise.says] {
        if !refusal.contains(words) {
            row.broken.push(format!("/status says nothing of {words}: {refusal}"));
        }
    }
    Ok(row)
}

/// `file:line:column` as the refusal has it.
fn place_in_file(refusal: &str, file: &str) -> Option<String> {
    let rest = &refusal[refusal.find(&format!("{file}:"))?..];
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !":.-_/".contains(c)).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches(':').to_owned())
}

/// The policy and rule of a line of the decision log, as people say it.
fn by(decision: &Value) -> String {
    let policy = text(decision, "policy");
    match (text(decision, "reason").as_deref(), policy, text(decision, "rule")) {
        (Some("adapter"), Some(adapter), _) => format!("{adapter} (plugin)"),
        (_, Some(policy), Some(rule)) if rule.bytes().all(|b| b.is_ascii_digit()) => format!("{policy}, rule {rule}"),
        (_, Some(policy), Some(rule)) => format!("{policy}, {rule}"),
        (_, Some(policy), None) => policy,
        (Some("default-deny"), None, _) => "no ALLOW rule matches".into(),
        (reason, ..) => reason.unwrap_or("?").to_owned(),
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn name(place: Place, mesh: &Mesh) -> String {
    match place {
        Place::Engine => "engine".into(),
        Place::Cache => "sidecar cache".into(),
        Place::Proxy => mesh.proxy_name().into(),
        Place::Configuration => "engine, at reload".into(),
    }
}
