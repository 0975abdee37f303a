//! What the tour prints: the table, then what the metrics, the logs and the trace of it look like.

use super::mesh::Mesh;
use super::{Row, steps};
use crate::table::{Paint, Table, Tone};
use crate::{Outcome, patience, repository};
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Most columns of a line that shows a piece of output.
const WIDE: usize = 150;

/// The requests and what came of them.
pub fn table(rows: &[Row], paint: Paint) -> String {
    let mut table = Table::new(&["", "request", "as", "verdict", "decided by", "where"]);
    for row in rows {
        let tone = match row.verdict.as_str() {
            verdict if verdict.ends_with("allow") => Tone::Good,
            verdict if verdict.starts_with("503") => Tone::Warn,
            _ => Tone::Bad,
        };
        let (mark, mark_tone) = if row.broken.is_empty() { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
        table.row(vec![
            (mark.into(), mark_tone),
            (row.title.clone(), Tone::Plain),
            (row.caller.clone(), Tone::Dim),
            (row.verdict.clone(), tone),
            (row.by.clone(), Tone::Plain),
            (row.place.clone(), Tone::Dim),
        ]);
    }
    let mut out = table.render(paint);
    for row in rows {
        for broken in &row.broken {
            out.push_str(&paint.text(Tone::Bad, &format!("not as promised: {}: {broken}\n", row.title)));
        }
    }
    out
}

/// Metrics, decision log, access log and trace of the tour; fails when one of them has nothing of it.
pub async fn traces_of_it(mesh: &Mesh, rows: &[Row], paint: Paint) -> Outcome<String> {
    let mut out = String::new();
    let mut section = |title: &str, lines: Vec<String>| {
        out.push_str(&format!("\n{}\n", paint.text(Tone::Bold, title)));
        out.extend(lines.into_iter().map(|line| format!("  {line}\n")));
    };
    let id = doubled(rows)?;
    section("metrics before the engine was killed, as Prometheus reads them", metrics(&mesh.scrape));
    section("the decision log's line about the doubled header", decision(mesh, &id).await?);
    section("the access log's record of it (plugin access-log)", record(mesh, &id).await?);
    section("the trace of the first request (plugin trace-spans, over OTLP)", trace(mesh).await?);
    Ok(out)
}

/// Four families of the scrape, with the labels that tell something here.
fn metrics(scrape: &str) -> Vec<String> {
    let families = [
        ("weir_checks_total", 12),
        ("weir_check_duration_seconds_count", 2),
        ("weir_config_rejected", 1),
        ("istio_requests_total", 12),
    ];
    let mut shown = Vec::new();
    for (name, most) in families {
        let lines =
            scrape.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])));
        shown.extend(lines.take(most).map(telling));
    }
    shown
}

/// A sample without the labels that are the same everywhere in a small mesh.
fn telling(line: &str) -> String {
    let Some((name, rest)) = line.split_once('{') else { return line.to_owned() };
    let Some((labels, value)) = rest.rsplit_once('}') else { return line.to_owned() };
    let wanted = ["decision=", "reason=", "door=", "source_principal=", "destination_workload=", "response_code="];
    let all: Vec<&str> = labels.split("\",").collect();
    let kept: Vec<String> = all
        .iter()
        .filter(|label| wanted.iter().any(|start| label.starts_with(start)))
        .map(|label| format!("{}\"", label.trim_end_matches('"')))
        .collect();
    let more = if kept.len() < all.len() { ",…" } else { "" };
    format!("{name}{{{}{more}}}{value}", kept.join(","))
}

/// The id of the decision about the doubled header.
fn doubled(rows: &[Row]) -> Outcome<String> {
    let row = rows.iter().find(|row| row.title.contains("x-role")).and_then(|row| row.id.clone());
    row.ok_or_else(|| "the doubled header has no decision".into())
}

async fn decision(mesh: &Mesh, id: &str) -> Outcome<Vec<String>> {
    let line = mesh.house.engine.decision(id).await?;
    let object = line.as_object().ok_or("a decision is an object")?;
    Ok(object.iter().map(|(key, value)| cut(&format!("{key:<12} {value}"))).collect())
}

async fn record(mesh: &Mesh, id: &str) -> Outcome<Vec<String>> {
    let record = patience::until("the access log has the denied request", async || {
        mesh.house.engine.records().into_iter().find(|record| record.to_string().contains(id))
    })
    .await?;
    let attributes = record.get("attributes").and_then(Value::as_object).ok_or("a record has attributes")?;
    Ok(attributes.iter().map(|(key, value)| cut(&format!("{key:<26} {value}"))).collect())
}

/// The span of the first request, once it has reached the collector.
pub(super) async fn span(mesh: &Mesh) -> Outcome<Span> {
    let wanted = hex_bytes(steps::TRACE);
    patience::within(Duration::from_secs(12), "the span has reached the collector", async || {
        mesh.collector.look(|kept| kept.spans.iter().find(|span| span.trace_id == wanted).cloned())
    })
    .await
}

async fn trace(mesh: &Mesh) -> Outcome<Vec<String>> {
    let span = span(mesh).await?;
    let took = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
    let mut lines = vec![
        format!("trace {}  span {}  parent {}", steps::TRACE, hex(&span.span_id), hex(&span.parent_span_id)),
        format!("{}  {:.1} ms", span.name, Duration::from_nanos(took).as_secs_f64() * 1e3),
    ];
    lines.extend(attributes(&span));
    Ok(lines)
}

fn attributes(span: &Span) -> Vec<String> {
    let shown = ["http.", "url.", "weir.", "deployment."];
    let pairs = span.attributes.iter().filter(|pair| shown.iter().any(|start| pair.key.starts_with(start)));
    pairs
        .map(|pair| {
            let value = match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(any_value::Value::StringValue(text)) => text.clone(),
                Some(any_value::Value::IntValue(number)) => number.to_string(),
                other => format!("{other:?}"),
            };
            cut(&format!("{:<27} {value}", pair.key))
        })
        .collect()
}

/// Where `weir` is and what to try next.
pub fn farewell(paint: Paint) -> Outcome<String> {
    let weir = repository::weir()?;
    let weir = std::fs::canonicalize(&weir).unwrap_or(weir);
    let (run, plugins) = (from_here(&weir), from_here(&repository::plugins()?));
    let lines = [
        format!("{run} check-config deploy/samples/shop --plugin-dir {plugins}"),
        format!("{run} serve --config deploy/samples/shop --plugin-dir {plugins}"),
        "make up    # the same mesh, left running, with curl lines for its callers".to_owned(),
    ];
    let title = paint.text(Tone::Bold, &format!("weir is {}", weir.display()));
    Ok(format!("\n{title}\nto go on, paste one of these:\n  {}\n", lines.join("\n  ")))
}

/// A path as one types it in this folder.
fn from_here(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(WIDE) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hex_bytes(text: &str) -> Vec<u8> {
    (0..text.len() / 2).filter_map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}
