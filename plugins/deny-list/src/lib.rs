//! Denies requests whose attribute or header is in a list.

use std::collections::HashSet;

use serde::Deserialize;
use weir::{Failure, Verdict};

#[derive(Deserialize)]
struct Config {
    attribute: Option<String>,
    header: Option<String>,
    list: HashSet<String>,
    status: Option<u16>,
    message: Option<String>,
}

#[weir::check]
fn check(inputs: Inputs, config: &Config) -> Result<Verdict, Failure> {
    let value = match (config.attribute.as_deref(), config.header.as_deref()) {
        (Some("source.principal"), _) => inputs.source_principal.as_deref(),
        (Some("source.namespace"), _) => inputs.source_namespace.as_deref(),
        (Some("source.ip"), _) => inputs.source_ip.as_deref(),
        (Some("remote.ip"), _) => inputs.remote_ip.as_deref(),
        (Some("request.host"), _) => inputs.request_host.as_deref(),
        (Some("request.useragent"), _) => inputs.request_useragent.as_deref(),
        (None, Some(header)) => {
            inputs.request_headers.as_ref().and_then(|headers| headers.get(&header.to_ascii_lowercase()))
        }
        (other, _) => return Err(Failure::InvalidInput(format!("cannot look up {other:?}"))),
    };
    let Some(value) = value else { return Ok(Verdict::abstain()) };
    // Several lines of a header arrive as one, joined by commas: one listed line is enough.
    let lines = config.header.iter().flat_map(|_| value.split(',').map(|line| line.trim_matches([' ', '\t'])));
    if !config.list.contains(value) && !lines.into_iter().any(|line| config.list.contains(line)) {
        return Ok(Verdict::abstain());
    }
    let name = config.header.as_deref().or(config.attribute.as_deref()).unwrap_or_default();
    let mut verdict = Verdict::deny(format!("{name} is in the list"));
    verdict.status = config.status.map(u32::from);
    verdict.message = config.message.clone();
    Ok(verdict)
}
