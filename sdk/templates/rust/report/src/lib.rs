//! Counts requests by code, and writes a record about each that was slow.

use weir::{Configure, Counter, Failure, Family, Label, LogRecord, Rows, Severity};

/// What `config.schema.json` describes.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    slow_ms: i64,
}

struct State {
    slow_ms: i64,
    requests: Counter,
}

impl Configure for State {
    fn configure(json: &str) -> Result<Self, Failure> {
        let config = Config::configure(json)?;
        let requests = Family::new("{{ident}}_requests_total", "Requests by code.").labels(&["code"]).counter()?;
        Ok(State { slow_ms: config.slow_ms, requests })
    }
}

// `Inputs` is written from `[inputs]` of weir-plugin.toml: a field for each, an `Option` where absent is possible.
#[weir::report]
fn report(rows: Rows<'_, Inputs<'_>>, state: &State) -> Result<(), Failure> {
    for row in rows {
        state.requests.add(&[Label::or(row.response_code, "unknown")], 1)?;
        let milliseconds = row.request_duration.map_or(0, |duration| duration.as_millis() as i64);
        if milliseconds >= state.slow_ms {
            let path = row.request_url_path.map_or("-".to_owned(), |path| path.to_string());
            let record = LogRecord::new("slow request").severity(Severity::Warn);
            record.attribute("path", path).attribute("milliseconds", milliseconds).emit()?;
        }
    }
    Ok(())
}
