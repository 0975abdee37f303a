//! Allows or denies requests whose value is in a list.

mod entries;

use std::cell::RefCell;
use std::time::Duration;

use serde::Deserialize;
use weir::{Configure, Failure, Value, Verdict, http, log};

use entries::{Entries, EntryType};

/// The upstream that a list is fetched from.
const UPSTREAM: &str = "list";

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    action: Action,
    #[serde(default)]
    entry_type: EntryType,
    #[serde(default)]
    entries: Vec<String>,
    path: Option<String>,
    #[serde(default = "refresh_seconds")]
    refresh_seconds: u32,
    #[serde(default = "stale_seconds")]
    stale_seconds: u32,
    status: Option<u16>,
    message: Option<String>,
    #[serde(default)]
    valid_seconds: f64,
}

fn refresh_seconds() -> u32 {
    30
}

fn stale_seconds() -> u32 {
    600
}

struct List {
    config: Config,
    given: Entries,
    fetched: RefCell<Fetched>,
}

/// Entries from the upstream.
struct Fetched {
    entries: Option<Entries>,
    /// Ticks since they came; each is a second.
    age: u32,
    /// Ticks until they are fetched anew.
    wait: u32,
}

impl Configure for List {
    fn configure(json: &str) -> Result<Self, Failure> {
        let config = Config::configure(json)?;
        let given = Entries::new(config.entry_type, config.entries.iter().map(String::as_str));
        let given = given.map_err(Failure::InvalidInput)?;
        let list = List { config, given, fetched: RefCell::new(Fetched { entries: None, age: 0, wait: 0 }) };
        // What cannot be had now is tried again at the next tick; until then this adapter fails.
        tick(&list)?;
        Ok(list)
    }
}

/// Fetches the entries when it is time to.
fn tick(list: &List) -> Result<(), Failure> {
    let Some(path) = &list.config.path else { return Ok(()) };
    let mut fetched = list.fetched.borrow_mut();
    fetched.age = fetched.age.saturating_add(1);
    fetched.wait = fetched.wait.saturating_sub(1);
    if fetched.wait == 0 {
        match fetch(path, list.config.entry_type) {
            Ok(entries) => *fetched = Fetched { entries: Some(entries), age: 0, wait: list.config.refresh_seconds },
            Err(error) => {
                fetched.wait = list.config.refresh_seconds.min(5);
                log::warn(&format!("{path} of the upstream {UPSTREAM} was not taken: {error}"));
            }
        }
    }
    if fetched.age > list.config.stale_seconds {
        fetched.entries = None;
    }
    Ok(())
}

fn fetch(path: &str, entry_type: EntryType) -> Result<Entries, String> {
    let answer = http::Request::get(UPSTREAM, path).send().map_err(|refusal| refusal.message)?;
    if answer.status != 200 {
        return Err(format!("status {}", answer.status));
    }
    let text = String::from_utf8(answer.body).map_err(|_| "it is not UTF-8")?;
    let entry = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let lines: Vec<String> = text.lines().map(entry).filter(|line| !line.is_empty()).collect();
    Entries::new(entry_type, lines.iter().map(String::as_str))
}

#[weir::check(tick = tick)]
fn check(inputs: Inputs, list: &List) -> Result<Verdict, Failure> {
    let value = match inputs.bound.get("value") {
        Some(Value::Text(text)) => Some(text.as_str()),
        Some(other) => return Err(Failure::InvalidInput(format!("`value` is bound to {other:?}, not to a text"))),
        // Bound, and this request has none.
        None if inputs.bound.iter().any(|(name, _)| name == "value") => None,
        None => inputs.source_ip.as_deref(),
    };
    let fetched = list.fetched.borrow();
    if list.config.path.is_some() && fetched.entries.is_none() {
        return Err(Failure::Unavailable(format!("the list has not been fetched from the upstream {UPSTREAM}")));
    }
    let listed = value.is_some_and(|value| {
        list.given.contains(value) || fetched.entries.as_ref().is_some_and(|entries| entries.contains(value))
    });
    let verdict = match (list.config.action, listed) {
        (Action::Allow, true) | (Action::Deny, false) => Verdict::abstain(),
        (Action::Allow, false) => denial(list, "is not in the list"),
        (Action::Deny, true) => denial(list, "is in the list"),
    };
    let valid = Duration::from_secs_f64(list.config.valid_seconds);
    Ok(if valid.is_zero() { verdict } else { verdict.ttl(valid) })
}

fn denial(list: &List, reason: &str) -> Verdict {
    let mut verdict = Verdict::deny(format!("the value {reason}"));
    verdict.status = list.config.status.map(u32::from);
    verdict.message = list.config.message.clone();
    verdict
}
