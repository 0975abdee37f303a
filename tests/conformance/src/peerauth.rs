//! The suite `peerauth`: PeerAuthentications, and the mode of a workload and of its ports that comes of them.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::{
    authz::{compile, file, mesh, resolve},
    rows,
    suite::{Case, Malformed, Suite, Verdict},
};

/// Modes of workloads.
pub(crate) struct PeerAuth;

#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    name: String,
    policies: Vec<Json>,
    #[serde(default = "istio_system")]
    root_namespace: String,
    #[serde(default)]
    workload: Workload,
    expect: Expected,
}

/// The workload that is asked about. Rows that name none mean the one of Istio's own test.
#[derive(Deserialize)]
struct Workload {
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Default for Workload {
    fn default() -> Self {
        Self { namespace: "my-ns".to_owned(), labels: [("app".to_owned(), "foo".to_owned())].into() }
    }
}

#[derive(Deserialize)]
struct Expected {
    mode: String,
    #[serde(default)]
    per_port: BTreeMap<u16, String>,
}

fn istio_system() -> String {
    "istio-system".to_owned()
}

impl Suite for PeerAuth {
    fn name(&self) -> &'static str {
        "peerauth"
    }

    fn cases(&self, path: &Path) -> Result<Vec<Case>, Malformed> {
        rows::cases(path, |row: &Row| row.name.clone(), ask)
    }
}

fn ask(row: &Row) -> Verdict {
    let failed = |expected: &str, got: String, rule: &str| Verdict::Failed {
        expected: expected.to_owned(),
        got,
        rule: rule.to_owned(),
    };
    let policies = match compile(row.files()) {
        Ok((policies, _)) => policies,
        Err(refused) => return failed(&row.expect.mode, format!("a refusal: {refused}"), "load"),
    };
    let workload = match resolve(&policies, &row.workload.namespace, &row.workload.labels) {
        Ok(workload) => workload,
        Err(unknown) => return failed(&row.expect.mode, unknown, "the workload"),
    };
    let ruleset = policies.ruleset(&workload);
    let mode = ruleset.peer().mode().to_string();
    if mode != row.expect.mode {
        return failed(&row.expect.mode, mode, "the workload");
    }
    for (port, expected) in &row.expect.per_port {
        let mode = ruleset.peer().of_port(*port).to_string();
        if mode != *expected {
            return failed(expected, mode, &format!("port {port}"));
        }
    }
    Verdict::Passed
}

impl Row {
    /// The resources as files; rows leave out what every PeerAuthentication says.
    fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![mesh(&json!({"rootNamespace": self.root_namespace}))];
        for (at, policy) in self.policies.iter().enumerate() {
            let mut policy = policy.clone();
            if let Some(policy) = policy.as_object_mut() {
                policy.entry("apiVersion").or_insert("security.istio.io/v1".into());
                policy.entry("kind").or_insert("PeerAuthentication".into());
            }
            files.push(file(&format!("policy-{at}"), &policy));
        }
        files
    }
}
