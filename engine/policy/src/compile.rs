//! Documents become a [`PolicySet`], or a list of everything that is wrong with them.

mod authorization;
mod cel;
mod limits;
mod mesh;
mod names;
mod peer;
mod scope;
mod targets;
mod values;
mod when;
mod workloads;

use std::sync::Arc;

use crate::{
    document::Documents,
    mesh::Mesh,
    policy::{Policy, Scope},
    problem::{Problem, Problems, Severity},
    ruleset::{AdapterRef, PolicySet},
};

/// Compiles a configuration.
///
/// # Errors
/// Every problem of every document, warnings too, when at least one is an error: the whole candidate is refused.
pub fn compile(documents: &Documents) -> Result<(PolicySet, Vec<Problem>), Vec<Problem>> {
    let mut problems = Vec::new();
    let mesh = match &documents.mesh {
        Some(document) => mesh::mesh(document, &mut Problems::of(document.id, &mut problems)),
        None => Mesh::default(),
    };
    let workloads = workloads::workloads(&documents.workloads, &mut problems);
    let adapters = adapters(documents, &mesh, &mut problems);
    let peer = peer::rules(&documents.peer, &mesh, &mut problems);
    let mut policies: Vec<Arc<Policy>> = Vec::new();
    for document in &documents.authorization {
        policies.extend(
            authorization::policy(document, &mesh, &mut Problems::of(document.id, &mut problems)).map(Arc::new),
        );
    }
    let env = cel::environment();
    for document in &documents.cel {
        policies
            .extend(cel::policy(document, &mesh, &env, &mut Problems::of(document.id, &mut problems)).map(Arc::new));
    }
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    // The sort is stable: AuthorizationPolicies stay before CelPolicies of the same name.
    policies.sort_by(|a, b| a.id.cmp(&b.id));
    Ok((PolicySet::new(mesh, workloads, policies, adapters, peer), problems))
}

fn adapters(documents: &Documents, mesh: &Mesh, problems: &mut Vec<Problem>) -> Vec<(Scope, AdapterRef)> {
    let mut adapters = Vec::new();
    for (binding, adapter) in documents.check_adapters.iter().enumerate() {
        let problems = &mut Problems::of(adapter.id, problems);
        let scope = scope::scope(&adapter.namespace, adapter.selector.as_ref(), mesh, problems);
        adapters.push((scope, AdapterRef { binding, name: adapter.name.as_str().into() }));
    }
    adapters
}
