//! An adapter's configuration against the plugin's schema.

use jsonschema::ValidationError;
use serde_json::Value as Json;

use crate::{Error, Manifest};

/// Problems that are listed before the rest is only counted.
const PROBLEMS_MAX: usize = 8;

/// Checks `config` and gives the JSON that `configure` gets. No configuration at all is an empty object.
pub(crate) fn checked(manifest: &Manifest, origin: &str, adapter: &str, config: &Json) -> Result<String, Error> {
    let empty = Json::Object(serde_json::Map::new());
    let config = if config.is_null() { &empty } else { config };
    let validator = jsonschema::validator_for(&manifest.config_schema).map_err(|e| Error::Schema {
        origin: origin.to_owned(),
        path: e.instance_path().to_string(),
        message: e.to_string(),
    })?;
    let mut problems: Vec<String> = validator.iter_errors(config).take(PROBLEMS_MAX + 1).map(|e| problem(&e)).collect();
    if problems.len() > PROBLEMS_MAX {
        problems.truncate(PROBLEMS_MAX);
        problems.push("and more".into());
    }
    match problems.is_empty() {
        true => Ok(config.to_string()),
        false => Err(Error::Config { adapter: adapter.to_owned(), problems }),
    }
}

/// `config.list[2]: value is not of type "string"`: the value itself may be a secret.
fn problem(error: &ValidationError<'_>) -> String {
    let mut path = String::from("config");
    for step in error.instance_path().to_string().split('/').skip(1) {
        match step.parse::<usize>() {
            Ok(index) => path.push_str(&format!("[{index}]")),
            Err(_) => path.push_str(&format!(".{}", step.replace("~1", "/").replace("~0", "~"))),
        }
    }
    format!("{path}: {}", error.masked())
}
