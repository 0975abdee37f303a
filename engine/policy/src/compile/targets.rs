//! `targetRefs`: the gateways and waypoints that a policy is attached to. Sidecars never see such a policy.

use crate::{document::TargetRef, mesh::Mesh, policy::Target, problem::Problems};

/// The most references of one policy, as Istio's schema has it.
const TARGETS_MAX: usize = 16;

/// What a document says about its attachment.
pub(super) struct Attachment<'d> {
    pub(super) namespace: &'d str,
    pub(super) target_ref: Option<&'d TargetRef>,
    pub(super) target_refs: &'d [TargetRef],
    /// Whether it has a selector too, which excludes both.
    pub(super) selects: bool,
}

/// The gateways that a policy is attached to; none when it is not attached to anything.
pub(super) fn targets(spec: &Attachment<'_>, mesh: &Mesh, problems: &mut Problems<'_>) -> Option<Box<[Target]>> {
    let lone = spec.target_ref.iter().map(|target| ("spec.targetRef".to_owned(), *target));
    let listed = spec.target_refs.iter().enumerate();
    let listed = listed.map(|(index, target)| (format!("spec.targetRefs[{index}]"), target));
    let all: Vec<(String, &TargetRef)> = lone.chain(listed).collect();
    let (path, _) = all.first()?;
    if spec.selects || (spec.target_ref.is_some() && !spec.target_refs.is_empty()) {
        let message = "only one of targetRefs or workloadSelector can be set";
        problems.error(path, message, "keep `targetRefs` for gateways, or `selector` for workloads");
    }
    if all.len() > TARGETS_MAX {
        let message = format!("{} references, at most {TARGETS_MAX} are allowed", all.len());
        problems.error("spec.targetRefs", message, "spread them over several policies: their rules are OR-ed");
    }
    let root = spec.namespace == mesh.root_namespace();
    let found = all.iter().filter_map(|(path, target)| resolve(path, target, spec.namespace, root, problems));
    Some(found.collect())
}

fn resolve(path: &str, target: &TargetRef, namespace: &str, root: bool, problems: &mut Problems<'_>) -> Option<Target> {
    if target.name.is_empty() {
        problems.error(&format!("{path}.name"), "targetRef name must be set", "name the object");
    }
    if target.namespace.is_some() {
        let message = "targetRef namespace must not be set: cross namespace references are not supported";
        problems.error(&format!("{path}.namespace"), message, "remove it: the object is in the policy's own namespace");
    }
    match (target.group.as_str(), target.kind.as_str()) {
        ("gateway.networking.k8s.io", "Gateway") => {
            Some(Target::Gateway { name: target.name.clone(), namespace: namespace.to_owned() })
        }
        ("gateway.networking.k8s.io", "GatewayClass") if root => Some(Target::Class(target.name.clone())),
        ("gateway.networking.k8s.io", "GatewayClass") => {
            let message = "a policy for a GatewayClass has no effect outside of the root namespace";
            problems.warn(&format!("{path}.kind"), message, "move the policy there, or name a Gateway");
            None
        }
        // Only a waypoint knows for which service a request is; Weir stands in front of workloads.
        ("" | "core", "Service") | ("networking.istio.io", "ServiceEntry") => None,
        (group, kind) => {
            problems.error(
                path,
                format!(
                    "targetRef must be to one of Gateway, GatewayClass, Service, ServiceEntry but was {group}/{kind}"
                ),
                "write kind Gateway with group gateway.networking.k8s.io, or select workloads with `selector`",
            );
            None
        }
    }
}
