//! Denies every request it is asked about.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use weir::{Failure, Verdict};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    status: Option<u16>,
    message: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    valid_seconds: f64,
    valid_uses: Option<u32>,
}

#[weir::check]
fn check(_: Inputs, config: &Config) -> Result<Verdict, Failure> {
    let verdict = Verdict::deny(config.reason.as_deref().unwrap_or("denied by the operator"));
    let mut verdict = config.headers.iter().fold(verdict, |verdict, (name, value)| verdict.set_header(name, value));
    verdict.status = config.status.map(u32::from);
    verdict.message = config.message.clone();
    if config.valid_seconds > 0.0 {
        verdict = verdict.ttl(Duration::from_secs_f64(config.valid_seconds));
        verdict.max_uses = config.valid_uses;
    }
    Ok(verdict)
}
