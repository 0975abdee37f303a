//! What policies compare with, by the field or key that they compare.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{Policy, Random};

/// The values of some policies. Fields are in lower case and without their `not`.
#[derive(Debug, Default)]
pub(crate) struct Atoms(BTreeMap<String, Vec<String>>);

impl Atoms {
    pub(crate) fn of(policies: &[Policy]) -> Self {
        let mut atoms = Self::default();
        let array = |json: &'_ Json| json.as_array().cloned().unwrap_or_default();
        for rule in policies.iter().flat_map(|policy| array(&policy.spec["rules"])) {
            for (list, inner) in [("from", "source"), ("to", "operation")] {
                for (field, values) in array(&rule[list]).iter().filter_map(|entry| entry[inner].as_object()).flatten()
                {
                    atoms.add(field.strip_prefix("not").unwrap_or(field), values);
                }
            }
            for condition in array(&rule["when"]) {
                for values in ["values", "notValues"] {
                    atoms.add(condition["key"].as_str().unwrap(), &condition[values]);
                }
            }
        }
        atoms
    }

    fn add(&mut self, field: &str, values: &Json) {
        let texts = values.as_array().into_iter().flatten().filter_map(Json::as_str);
        self.0.entry(field.to_lowercase()).or_default().extend(texts.map(str::to_owned));
    }

    /// One of what these policies compare those fields with. Where there is none, and in one of four, one of `all`.
    pub(super) fn pick(&self, fields: &[&str], all: &[&'static str], random: &mut Random) -> String {
        let drawn: Vec<&String> = fields.iter().filter_map(|field| self.0.get(*field)).flatten().collect();
        if drawn.is_empty() || random.one_in(4) { random.text(all).to_owned() } else { random.pick(&drawn).to_string() }
    }
}
