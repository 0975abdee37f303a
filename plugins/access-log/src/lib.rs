//! One log record for each request, as JSON fields or as a line of text.

use serde::Deserialize;
use weir::{Failure, LogRecord, Rows, Severity, Value};

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    format: Format,
    errors_only: bool,
}

#[weir::report]
fn report(rows: Rows<'_, Inputs<'_>>, config: &Config) -> Result<(), Failure> {
    for row in rows {
        let failed = row.response_code.is_none_or(|code| code >= 400);
        if config.errors_only && !failed {
            continue;
        }
        let record = match config.format {
            Format::Json => json(&row),
            Format::Text => LogRecord::new(line(&row)),
        };
        let severity = if row.response_code.is_some_and(|code| code < 500) { Severity::Info } else { Severity::Warn };
        let (trace, span) = (row.trace_id.unwrap_or_default(), row.trace_span_id.unwrap_or_default());
        record.time(row.request_time).severity(severity).trace(&trace, &span).emit()?;
    }
    Ok(())
}

fn json(row: &Inputs<'_>) -> LogRecord {
    let text = |value: Option<weir::Text<'_>>| value.map(Value::from);
    let millis = row.request_duration.map(|duration| Value::Double(duration.as_secs_f64() * 1e3));
    let fields = [
        ("method", text(row.request_method)),
        ("path", text(row.request_url_path)),
        ("protocol", text(row.request_protocol)),
        ("authority", text(row.request_host)),
        ("request_id", text(row.request_id)),
        ("user_agent", text(row.request_useragent)),
        ("response_code", row.response_code.map(Value::from)),
        ("response_flags", text(row.response_flags)),
        ("response_code_details", text(row.response_code_details)),
        ("bytes_received", row.request_size.map(Value::from)),
        ("bytes_sent", row.response_size.map(Value::from)),
        ("duration_ms", millis),
        ("downstream_remote_address", text(row.source_address)),
        ("source_principal", text(row.source_principal)),
        ("destination_workload", text(row.destination_workload)),
        ("destination_namespace", text(row.destination_namespace)),
        ("upstream_host", text(row.upstream_address)),
        ("decision", text(row.check_decision)),
        ("decision_id", text(row.check_id)),
    ];
    let present = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    present.fold(LogRecord::new("request"), |record, (name, value)| record.attribute(name, value))
}

fn line(row: &Inputs<'_>) -> String {
    let text = |value: Option<weir::Text<'_>>| value.map_or("-".to_owned(), |text| text.replace(['"', '\n'], "_"));
    let int = |value: Option<i64>| value.map_or("-".to_owned(), |number| number.to_string());
    let (method, path, protocol) = (text(row.request_method), text(row.request_url_path), text(row.request_protocol));
    let (code, flags, details) = (int(row.response_code), text(row.response_flags), text(row.response_code_details));
    let (received, sent) = (int(row.request_size), int(row.response_size));
    let millis = int(row.request_duration.map(|duration| duration.as_millis() as i64));
    let (agent, id, host) = (text(row.request_useragent), text(row.request_id), text(row.request_host));
    let (upstream, peer, decision) = (text(row.upstream_address), text(row.source_address), text(row.check_decision));
    format!(
        "\"{method} {path} {protocol}\" {code} {flags} {details} {received} {sent} {millis} \
         \"{agent}\" \"{id}\" \"{host}\" \"{upstream}\" {peer} {decision}"
    )
}
