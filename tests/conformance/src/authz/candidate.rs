//! A row's configuration: files as a user would have them, and what becomes of them.

use std::{collections::BTreeSet, path::Path, sync::OnceLock};

use serde_json::{Value as Json, json};
use weir_config::{Options, Sources, load_sources};
use weir_policy::PolicySet;

use super::{row::Row, tokens};

/// The files of a configuration: name and text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Candidate(Vec<(String, String)>);

/// A configuration, compiled once somebody asks.
#[derive(Debug)]
pub(super) struct Compiled {
    candidate: Candidate,
    policies: OnceLock<Result<PolicySet, String>>,
}

/// How a provider answers, which its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temper {
    Allows,
    Denies,
    /// It allows what has the header `x-ext-authz: allow`.
    AsTheHeaderSays,
}

pub(super) fn temper(name: &str) -> Temper {
    match name {
        _ if name.starts_with("always-allow") => Temper::Allows,
        _ if name.starts_with("always-deny") => Temper::Denies,
        _ => Temper::AsTheHeaderSays,
    }
}

/// A provider that nobody really asks, of the protocol that its name says: Istio calls its own `ext-authz-http` and
/// `ext-authz-grpc`.
pub(super) fn by_name(name: &str) -> Json {
    let way = if name.contains("http") { "envoyExtAuthzHttp" } else { "envoyExtAuthzGrpc" };
    json!({"name": name, way: {"service": "authz", "port": 9000}})
}

/// A resource as a file; a text is one already.
pub(crate) fn file(name: &str, resource: &Json) -> (String, String) {
    match resource.as_str() {
        Some(text) => (format!("{name}.yaml"), text.to_owned()),
        None => (format!("{name}.json"), resource.to_string()),
    }
}

impl Candidate {
    /// The resources of a row; tokens of these issuers are taken besides. `provider` makes a provider of a name.
    pub(super) fn of(row: &Row, issuers: &[&str], provider: impl Fn(&str) -> Json) -> Self {
        let mut files = vec![mesh(&settings(row, provider))];
        files.extend(row.policies.iter().enumerate().map(|(at, policy)| file(&format!("policy-{at}"), policy)));
        let rules = row.request_authentication.iter().flatten().cloned();
        let mut rules: Vec<Json> = rules.chain(issuers.iter().map(|issuer| json!({"issuer": issuer}))).collect();
        for rule in &mut rules {
            let named =
                ["jwks", "jwksUri", "jwks_uri"].iter().any(|field| rule.get(field).is_some_and(|it| !it.is_null()));
            if let (false, Some(rule)) = (named, rule.as_object_mut()) {
                rule.insert("jwks".to_owned(), tokens::jwks().into());
            }
        }
        if !rules.is_empty() {
            files.push(file(
                "tokens",
                &json!({
                    "apiVersion": "security.istio.io/v1",
                    "kind": "RequestAuthentication",
                    "metadata": {"name": "tokens", "namespace": row.workload.namespace},
                    "spec": {"jwtRules": rules},
                }),
            ));
        }
        Self(files)
    }

    pub(super) fn files(&self) -> &[(String, String)] {
        &self.0
    }
}

impl Compiled {
    pub(super) fn new(candidate: Candidate) -> Self {
        Self { candidate, policies: OnceLock::new() }
    }

    /// The policies as the engine would have them, or all that is wrong with the files.
    pub(super) fn policies(&self) -> Result<&PolicySet, &String> {
        self.policies.get_or_init(|| compile(self.candidate.0.clone()).map(|(policies, _)| policies)).as_ref()
    }
}

/// Files as the engine would take them: the policies, and whether it warns; or all that is wrong.
pub(crate) fn compile(files: Vec<(String, String)>) -> Result<(PolicySet, bool), String> {
    let options = Options { allow_empty: true, ..Options::default() };
    let loaded = load_sources(Sources::in_memory(Path::new(""), files), &options);
    let compiled = loaded.and_then(|loaded| loaded.compile());
    compiled.map(|(policies, warnings)| (policies, !warnings.is_empty())).map_err(|refused| {
        let messages: Vec<&str> = refused.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        messages.join("; ")
    })
}

/// The mesh's settings as a file.
pub(crate) fn mesh(spec: &Json) -> (String, String) {
    file(
        "mesh",
        &json!({
            "apiVersion": "policy.weir.dev/v1alpha1",
            "kind": "MeshConfig",
            "metadata": {"name": "mesh"},
            "spec": spec,
        }),
    )
}

fn settings(row: &Row, provider: impl Fn(&str) -> Json) -> Json {
    let workload = &row.workload;
    let names = row.policies.iter().filter_map(|policy| policy.pointer("/spec/provider/name")?.as_str());
    let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
    json!({
        "rootNamespace": workload.root_namespace.as_deref().unwrap_or("istio-system"),
        "trustDomain": workload.trust_domain.as_deref().unwrap_or("cluster.local"),
        "trustDomainAliases": workload.trust_domain_aliases,
        "pathNormalization": row.normalization.as_deref().unwrap_or("BASE"),
        "extensionProviders": names.into_iter().map(provider).collect::<Vec<_>>(),
    })
}
