//! A case as its author wrote it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;
use weir_attributes::Bag;
use weir_config::{Diagnostic, Node, Yaml, documents};
use weir_manifest::World;

use super::compare::FIELDS;
use crate::cel::{complain, requests};
use crate::failure::Failure;

/// Bytes of one file of cases.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// One case.
#[derive(Clone, Debug, Default)]
pub(in crate::plugin) struct Case {
    pub(in crate::plugin) name: String,
    /// File and line.
    pub(super) place: String,
    pub(in crate::plugin) bags: Vec<Bag>,
    pub(in crate::plugin) told: Told,
}

/// What a case says beside its requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(in crate::plugin) struct Told {
    case: String,
    pub(super) config: Json,
    pub(super) bindings: BTreeMap<String, String>,
    #[serde(rename = "match")]
    pub(super) condition: Option<String>,
    pub(super) mocks: Mocks,
    pub(super) then: Vec<Then>,
    pub(super) expect: serde_json::Map<String, Json>,
}

/// What stands behind the host's functions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mocks {
    pub(super) kv: BTreeMap<String, BTreeMap<String, Json>>,
    pub(super) lookup: BTreeMap<String, BTreeMap<String, serde_json::Map<String, Json>>>,
    pub(super) http: BTreeMap<String, Vec<Answer>>,
}

/// What an upstream answers to a request of that method and path; none means any.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Answer {
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) headers: BTreeMap<String, String>,
    /// A text, or what is sent as JSON.
    pub(super) body: Json,
    pub(super) fail: Option<Fail>,
}

/// How an upstream does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Fail {
    Unreachable,
    Timeout,
}

/// What is called after the requests.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Then {
    SelfTest,
    Tick,
    Drain,
}

/// The cases of a file; what is wrong with them is said on standard error, with its place.
pub(in crate::plugin) fn read(file: &Path, world: World) -> Result<Vec<Case>, Failure> {
    let shown = file.display().to_string();
    let unread = |e: &dyn std::fmt::Display| Failure::Usage(format!("{shown}: {e}"));
    if std::fs::metadata(file).map_err(|e| unread(&e))?.len() > FILE_BYTES_MAX {
        return Err(unread(&format!("longer than {FILE_BYTES_MAX} bytes; split it")));
    }
    let text = std::fs::read_to_string(file).map_err(|e| unread(&e))?;
    let nodes = documents(&shown, &text).map_err(|wrong| complain(&wrong.into_iter().collect::<Vec<_>>()))?;
    nodes.iter().map(|node| case(&shown, &text, node, world).map_err(|wrong| complain(&wrong))).collect()
}

fn case(file: &str, text: &str, node: &Node, world: World) -> Result<Case, Vec<Diagnostic>> {
    let at = |node: &Node, message: String| vec![Diagnostic::at(file, text, node.range(), message)];
    let Yaml::Mapping(entries) = node.yaml() else {
        return Err(at(node, "a case is a mapping with case, request and expect".to_owned()));
    };
    let (mut rest, mut asked) = (serde_json::Map::new(), Vec::new());
    for (key, _, value) in entries {
        match (&**key, value.yaml()) {
            ("request", _) => asked.push(value),
            ("requests", Yaml::Sequence(items)) => asked.extend(items),
            ("requests", _) => return Err(at(value, "requests is a list".to_owned())),
            _ => drop(rest.insert(key.clone(), json(value))),
        }
    }
    let bags = requests(file, text, &asked, world == World::Report)?;
    let told = serde_json::from_value::<Told>(Json::Object(rest)).map_err(|e| at(node, e.to_string()))?;
    if let Some(unknown) = told.expect.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        let message = format!("expect.{unknown} is not known; known are {}", FIELDS.join(", "));
        return Err(at(node, message));
    }
    let line = text.get(..node.range().start).unwrap_or_default().matches('\n').count() + 1;
    let place = format!("{file}:{line}");
    let name = if told.case.is_empty() { place.clone() } else { told.case.clone() };
    Ok(Case { name, place, bags, told })
}

/// The documents of a file as JSON.
pub(in crate::plugin) fn documents_of(file: &Path, text: &str) -> Result<Vec<Json>, Failure> {
    let nodes = documents(&file.display().to_string(), text);
    let nodes = nodes.map_err(|wrong| complain(&wrong.into_iter().collect::<Vec<_>>()))?;
    Ok(nodes.iter().map(json).collect())
}

/// YAML as JSON has it: plain texts that look like numbers, `true`, `false` and `null` are these.
fn json(node: &Node) -> Json {
    match node.yaml() {
        Yaml::Mapping(entries) => entries.iter().map(|(key, _, value)| (key.clone(), json(value))).collect(),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Scalar { text, plain: false } => text.into(),
        Yaml::Scalar { text: "" | "~" | "null", .. } => Json::Null,
        Yaml::Scalar { text, .. } => {
            let number = text.parse::<i64>().map(Json::from).or_else(|_| text.parse::<f64>().map(Json::from));
            text.parse::<bool>().map(Json::from).ok().or(number.ok()).unwrap_or_else(|| text.into())
        }
    }
}
