//! Sends an event for each request to Fluentd or Fluent Bit.

mod event;

use std::collections::BTreeMap;

use serde::Deserialize;
use weir::{Cell, Configure, Failure, Rows, bindings, emit};

use event::Chunk;

const SINK: &str = "fluentd";

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    tag: String,
    fields: BTreeMap<String, String>,
    bound_only: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { tag: "weir.access".to_owned(), fields: BTreeMap::new(), bound_only: false }
    }
}

struct Forward {
    config: Config,
    bound: Vec<String>,
}

impl Configure for Forward {
    fn configure(json: &str) -> Result<Self, Failure> {
        let bound = bindings().iter().map(|binding| binding.name.clone()).collect();
        Ok(Forward { config: Config::configure(json)?, bound })
    }
}

#[weir::report]
fn report(rows: Rows<'_, Inputs<'_>>, forward: &Forward) -> Result<(), Failure> {
    let mut chunk = Chunk::new(&forward.config.tag);
    for row in rows {
        let fixed =
            forward.config.fields.iter().map(|(name, value)| (name.as_str(), Cell::Text(weir::Text::new(value))));
        let bound = forward.bound.iter().enumerate();
        let bound = bound.filter_map(|(number, name)| Some((name.as_str(), row.bound.at(number)?)));
        let usual = if forward.config.bound_only { Vec::new() } else { usual(&row) };
        let fields: Vec<(&str, Cell<'_>)> = fixed.chain(usual).chain(bound).collect();
        if let Some(full) = chunk.add(row.request_time.unwrap_or_default().0, &fields) {
            emit(SINK, &full)?;
        }
    }
    if let Some(rest) = chunk.take() {
        emit(SINK, &rest)?;
    }
    Ok(())
}

/// What the request has of what every log has.
fn usual<'a>(row: &Inputs<'a>) -> Vec<(&'static str, Cell<'a>)> {
    let fields = [
        ("method", row.request_method.map(Cell::Text)),
        ("path", row.request_url_path.map(Cell::Text)),
        ("protocol", row.request_protocol.map(Cell::Text)),
        ("authority", row.request_host.map(Cell::Text)),
        ("request_id", row.request_id.map(Cell::Text)),
        ("response_code", row.response_code.map(Cell::Int)),
        ("response_flags", row.response_flags.map(Cell::Text)),
        ("bytes_received", row.request_size.map(Cell::Int)),
        ("bytes_sent", row.response_size.map(Cell::Int)),
        ("duration_ms", row.request_duration.map(|time| Cell::Double(time.as_secs_f64() * 1e3))),
        ("downstream_remote_address", row.source_address.map(Cell::Text)),
        ("source_principal", row.source_principal.map(Cell::Text)),
        ("destination_workload", row.destination_workload.map(Cell::Text)),
        ("destination_namespace", row.destination_namespace.map(Cell::Text)),
        ("upstream_host", row.upstream_address.map(Cell::Text)),
        ("decision", row.check_decision.map(Cell::Text)),
        ("decision_id", row.check_id.map(Cell::Text)),
        ("trace_id", row.trace_id.map(Cell::Text)),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
