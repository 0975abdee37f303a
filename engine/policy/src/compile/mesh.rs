//! `MeshConfig`.

use crate::{
    document::{Document, MeshConfig},
    mesh::Mesh,
    problem::Problems,
};

/// More proxies in a row than anybody has.
const TRUSTED_PROXIES_MAX: u32 = 64;

pub(super) fn mesh(document: &Document<MeshConfig>, problems: &mut Problems<'_>) -> Mesh {
    let spec = &document.spec;
    if spec.root_namespace.is_empty() {
        problems.error(
            "spec.rootNamespace",
            "empty value not allowed, found in rootNamespace",
            "name the namespace whose policies hold everywhere, or remove the field: the default is istio-system",
        );
    }
    trust_domain("spec.trustDomain", &spec.trust_domain, problems);
    for (index, alias) in spec.trust_domain_aliases.iter().enumerate() {
        trust_domain(&format!("spec.trustDomainAliases[{index}]"), alias, problems);
    }
    if spec.num_trusted_proxies > TRUSTED_PROXIES_MAX {
        problems.error(
            "spec.numTrustedProxies",
            format!("{} is more than {TRUSTED_PROXIES_MAX}", spec.num_trusted_proxies),
            "count the proxies in front of this mesh that append to x-forwarded-for",
        );
    }
    Mesh::new(spec).with_providers(super::providers::providers(&spec.extension_providers, problems))
}

fn trust_domain(path: &str, value: &str, problems: &mut Problems<'_>) {
    if value.is_empty() || value.contains(['/', '*', ' ']) {
        problems.error(
            path,
            format!("{value:?} is not a trust domain"),
            "write a name as `cluster.local`, without spiffe://, slash and wildcard",
        );
    }
}
