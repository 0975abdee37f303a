//! Asks an OPA policy in Rego.

mod answer;
mod input;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use regorus::{Engine, Value};
use serde::Deserialize;
use weir::{Configure, Failure, Verdict};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    policies: BTreeMap<String, String>,
    data: Option<serde_json::Value>,
    query: Option<String>,
    #[serde(default)]
    rego: Language,
    #[serde(default)]
    valid_seconds: f64,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Language {
    V0,
    #[default]
    V1,
}

struct Policy {
    engine: RefCell<Engine>,
    query: String,
    valid: Duration,
}

impl Configure for Policy {
    fn configure(json: &str) -> Result<Self, Failure> {
        let config = Config::configure(json)?;
        let wrong = |what: &str, error: &dyn std::fmt::Display| Failure::InvalidInput(format!("{what}: {error}"));
        let mut engine = Engine::new();
        engine.set_rego_v0(config.rego == Language::V0);
        for (name, text) in config.policies {
            engine.add_policy(name.clone(), text).map_err(|error| wrong(&name, &error))?;
        }
        if let Some(data) = config.data {
            let data = Value::from_json_str(&data.to_string()).map_err(|error| wrong("data", &error))?;
            engine.add_data(data).map_err(|error| wrong("data", &error))?;
        }
        let query = config.query.unwrap_or_else(|| "data.envoy.authz.allow".to_owned());
        // Once without a request: what is wrong with the modules shows now, and each call finds them ready.
        engine.set_input(Value::new_object());
        engine.eval_rule(query.clone()).map_err(|error| wrong(&query, &error))?;
        let valid = Duration::from_secs_f64(config.valid_seconds);
        Ok(Policy { engine: RefCell::new(engine), query, valid })
    }
}

#[weir::check]
fn check(inputs: Inputs, policy: &Policy) -> Result<Verdict, Failure> {
    let mut engine = policy.engine.borrow_mut();
    engine.set_input(input::of(&inputs)?);
    let answer = engine.eval_rule(policy.query.clone());
    let answer = answer.map_err(|error| Failure::Internal(format!("{}: {error}", policy.query)))?;
    let verdict = answer::verdict(&answer)?;
    Ok(if policy.valid.is_zero() { verdict } else { verdict.ttl(policy.valid) })
}
