//! Documents become a [`PolicySet`], or a list of everything that is wrong with them.

mod authentication;
mod authorization;
mod cel;
mod kept;
mod limits;
mod mesh;
mod names;
mod peer;
mod providers;
mod scope;
mod targets;
mod values;
mod when;
mod workloads;

pub(crate) use kept::ByDigest;
use kept::Kept;

use crate::{
    document::Documents,
    mesh::Mesh,
    policy::Scope,
    problem::{Problem, Problems, Severity},
    provider::Transport,
    ruleset::{AdapterRef, Parts, PolicySet},
};

/// Compiles a configuration.
///
/// # Errors
/// Every problem of every document, warnings too, when at least one is an error: the whole candidate is refused.
pub fn compile(documents: &Documents) -> Result<(PolicySet, Vec<Problem>), Vec<Problem>> {
    compile_after(documents, None)
}

/// As [`compile`], taking from the set that it replaces every policy whose document has not changed, and the indexes of
/// rulesets that have hardly changed.
///
/// # Errors
/// As [`compile`].
pub fn compile_after(
    documents: &Documents,
    previous: Option<&PolicySet>,
) -> Result<(PolicySet, Vec<Problem>), Vec<Problem>> {
    let mut problems = Vec::new();
    let mesh = match &documents.mesh {
        Some(document) => mesh::mesh(document, &mut Problems::of(document.id, &mut problems)),
        None => Mesh::default(),
    };
    let workloads = workloads::workloads(&documents.workloads, &mut problems);
    let adapters = adapters(documents, &mesh, &mut problems);
    let peer = peer::rules(&documents.peer, &mesh, &mut problems);
    let authentication = authentication::policies(&documents.authentication, &mesh, &mut problems);
    let mut kept = Kept::after(previous.filter(|previous| *previous.mesh() == mesh).map(PolicySet::kept));
    for document in &documents.authorization {
        kept.policy(document, &mut problems, |problems| authorization::policy(document, &mesh, problems));
    }
    let env = cel::environment();
    for document in &documents.cel {
        kept.policy(document, &mut problems, |problems| cel::policy(document, &mesh, &env, problems));
    }
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    let (mut policies, kept) = kept.into_parts();
    // The sort is stable: AuthorizationPolicies stay before CelPolicies of the same name.
    policies.sort_by(|a, b| a.id.cmp(&b.id));
    let parts = Parts { mesh, workloads, policies, authentication, adapters, peer, kept };
    Ok((PolicySet::new(parts, previous), problems))
}

fn adapters(documents: &Documents, mesh: &Mesh, problems: &mut Vec<Problem>) -> Vec<(Scope, AdapterRef)> {
    let mut adapters = Vec::new();
    for (binding, adapter) in documents.check_adapters.iter().enumerate() {
        let problems = &mut Problems::of(adapter.id, problems);
        let scope = scope::scope(&adapter.namespace, adapter.selector.as_ref(), mesh, problems);
        // Asked where CUSTOM policies say so, and nowhere else.
        let named = |transport: &Transport| matches!(transport, Transport::Adapter(name) if **name == *adapter.name);
        let provides = mesh.providers().iter().any(|provider| named(&provider.transport));
        let scope = if provides { Scope::nowhere() } else { scope };
        adapters.push((scope, AdapterRef { binding, name: adapter.name.as_str().into() }));
    }
    adapters
}
