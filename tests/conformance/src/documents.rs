//! The suites `authz-invalid` and `authz-valid`: documents that are refused when they are loaded, and documents that are taken,
//! with a warning or without. They are loaded as the engine loads its folder.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::{
    authz::{compile, file},
    rows,
    suite::{Case, Malformed, Suite, Verdict},
};

/// Documents that must be refused.
pub(crate) struct Invalid;

/// Documents that must be accepted.
pub(crate) struct Valid;

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    name: String,
    /// A resource, or its text.
    yaml: Json,
    #[serde(default)]
    why: String,
    #[serde(default)]
    warning: Option<bool>,
}

impl Suite for Invalid {
    fn name(&self) -> &'static str {
        "authz-invalid"
    }

    fn cases(&self, path: &Path) -> Result<Vec<Case>, Malformed> {
        cases(path, |row| match compile(vec![file("row", &row.yaml)]) {
            Err(_) => Verdict::Passed,
            Ok(_) => Verdict::Failed {
                expected: format!("a refusal: {}", row.why),
                got: "a configuration".to_owned(),
                rule: "load".to_owned(),
            },
        })
    }
}

impl Suite for Valid {
    fn name(&self) -> &'static str {
        "authz-valid"
    }

    fn cases(&self, path: &Path) -> Result<Vec<Case>, Malformed> {
        cases(path, |row| {
            let words = |warned: bool| if warned { "a warning" } else { "no warning" }.to_owned();
            match compile(vec![file("row", &row.yaml)]) {
                Ok((_, warned)) => match row.warning.filter(|warning| *warning != warned) {
                    None => Verdict::Passed,
                    Some(warning) => {
                        Verdict::Failed { expected: words(warning), got: words(warned), rule: "load".to_owned() }
                    }
                },
                Err(refused) => Verdict::Failed {
                    expected: "a configuration".to_owned(),
                    got: format!("a refusal: {refused}"),
                    rule: "load".to_owned(),
                },
            }
        })
    }
}

fn cases(path: &Path, ask: fn(&Row) -> Verdict) -> Result<Vec<Case>, Malformed> {
    rows::cases(path, |row: &Row| row.name.clone(), ask)
}
