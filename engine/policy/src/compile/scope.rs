//! Which workloads a document is about: namespace and selector.

use std::collections::BTreeMap;

use super::limits::LABEL_VALUE_LENGTH_MAX;
use crate::{document::Selector, mesh::Mesh, policy::Scope, problem::Problems};

/// The scope of a document of that namespace. A document of the root namespace is about every namespace, with its
/// selector still applied.
pub(super) fn scope(namespace: &str, selector: Option<&Selector>, mesh: &Mesh, problems: &mut Problems<'_>) -> Scope {
    let labels = selector.map(|selector| check(selector, problems)).unwrap_or_default();
    let namespace = (namespace != mesh.root_namespace()).then(|| namespace.to_owned());
    Scope { namespace, labels, targets: None }
}

fn check(selector: &Selector, problems: &mut Problems<'_>) -> BTreeMap<String, String> {
    const PATH: &str = "spec.selector.matchLabels";
    if selector.match_labels.is_empty() {
        problems.warn(
            PATH,
            "the selector has no labels, so the document is about every workload of its scope",
            "add labels, or remove `selector` to say that all are meant",
        );
    }
    for (key, value) in &selector.match_labels {
        if value.len() > LABEL_VALUE_LENGTH_MAX {
            problems.error(
                &format!("{PATH}[\"{key}\"]"),
                format!("the value has {} bytes, at most {LABEL_VALUE_LENGTH_MAX} are allowed", value.len()),
                "no workload can have such a label: write the value that it has",
            );
        }
        if key.is_empty() {
            problems.error(PATH, "empty key is not supported in selector", "write the label's name before the colon");
        }
        if key.contains('*') || value.contains('*') {
            problems.error(
                &format!("{PATH}[\"{key}\"]"),
                "wildcard is not supported in selector",
                "labels are compared exactly: write one policy for each value, or give the workloads a common label",
            );
        }
    }
    selector.match_labels.clone()
}
