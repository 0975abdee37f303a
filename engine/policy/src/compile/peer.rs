//! `PeerAuthentication`: validated, and sorted into the scopes that inherit from each other.

use super::scope::scope;
use crate::{
    document::{Document, PeerAuthentication, Port},
    mesh::Mesh,
    peer::{Ports, Rule, Rules},
    problem::{Problem, Problems},
};

pub(super) fn rules(documents: &[Document<PeerAuthentication>], mesh: &Mesh, problems: &mut Vec<Problem>) -> Rules {
    let mut rules: Vec<Rule> = documents
        .iter()
        .filter_map(|document| rule(document, mesh, &mut Problems::of(document.id, problems)))
        .collect();
    // In one scope the oldest wins; documents without a time of creation come by name.
    rules.sort_by(|a, b| (&a.created, &a.id).cmp(&(&b.created, &b.id)));
    Rules::new(rules, mesh.root_namespace())
}

fn rule(document: &Document<PeerAuthentication>, mesh: &Mesh, problems: &mut Problems<'_>) -> Option<Rule> {
    const PORTS: &str = "spec.portLevelMtls";
    let spec = &document.spec;
    let scope = scope(&document.namespace, spec.selector.as_ref(), mesh, problems);
    if !scope.labels.is_empty() && document.namespace == mesh.root_namespace() {
        problems.warn(
            "spec.selector",
            "a PeerAuthentication with a selector in the root namespace is ignored",
            "put it into the namespace of its workloads, or remove the selector to mean the whole mesh",
        );
    }
    let mut ports = Ports::new();
    if let Some(level) = &spec.port_level_mtls {
        if scope.labels.is_empty() {
            let message = "mesh/namespace peer authentication cannot have port level mTLS";
            problems.error(PORTS, message, "select workloads with spec.selector.matchLabels: ports are theirs");
        }
        if level.is_empty() {
            let message = "port level mTLS, if defined, must have at least one element";
            problems.error(PORTS, message, "add a port, or remove the field");
        }
        for (Port(port), mtls) in level {
            match port.parse::<u16>() {
                Ok(number) if number > 0 => {
                    ports.insert(number, mtls.mode);
                }
                _ => problems.error(
                    &format!("{PORTS}[\"{port}\"]"),
                    format!("port must be in range 1..65535, not {port}"),
                    "write the number of the port that the workload listens on",
                ),
            }
        }
    }
    let rule = Rule {
        id: format!("{}/{}", document.namespace, document.name),
        created: document.created.clone(),
        namespace: document.namespace.clone(),
        labels: scope.labels,
        mode: spec.mtls.unwrap_or_default().mode,
        ports,
    };
    Some(rule).filter(|_| problems.is_clean())
}
