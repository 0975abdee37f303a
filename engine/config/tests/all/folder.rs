//! A configuration folder that is not on a disk, and resources to put into it.

use std::path::Path;

use weir_config::{Diagnostics, Loaded, Options, Sources, load_sources};

/// A policy that is right.
pub(crate) const ALLOW: &str = "apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: allow-get
  namespace: shop
spec:
  action: ALLOW
  rules:
  - to:
    - operation:
        methods: [GET]
";

/// A CEL policy that is right.
pub(crate) const CEL: &str = "apiVersion: policy.weir.dev/v1alpha1
kind: CelPolicy
metadata:
  name: no-bots
  namespace: shop
spec:
  action: DENY
  variables:
  - name: agent
    expression: request.headers[?'user-agent'].orValue('')
  rules:
  - name: bot
    expression: variables.agent.contains('bot')
    message: no bots
";

/// One of each kind, as several documents of one file.
pub(crate) fn everything() -> String {
    let mesh = "apiVersion: policy.weir.dev/v1alpha1
kind: MeshConfig
metadata: {name: mesh}
spec:
  trustDomain: example.org
  trustDomainAliases: [old.example.org]
";
    let workload = "apiVersion: policy.weir.dev/v1alpha1
kind: Workload
metadata: {name: cart, namespace: shop}
spec:
  labels: {app: cart}
  serviceAccount: cart
  principals: [example.org/ns/shop/sa/cart]
  addresses: [\"10.0.0.1:8080\"]
";
    let peer = "apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: shop, creationTimestamp: 2026-01-31T00:00:00Z}
spec:
  selector: {matchLabels: {app: cart}}
  mtls: {mode: STRICT}
  portLevelMtls: {8080: {mode: PERMISSIVE}}
";
    [ALLOW, CEL, mesh, workload, peer].join("---\n")
}

/// Loads files that claim to be in `config/`.
pub(crate) fn files<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    options: &Options,
) -> Result<Loaded, Diagnostics> {
    load_sources(Sources::in_memory(Path::new("config"), files), options)
}

/// Loads one file.
pub(crate) fn one(text: &str) -> Result<Loaded, Diagnostics> {
    files([("a.yaml", text)], &Options::default())
}

/// What is wrong with one file, its policies' meaning included, as a person reads it.
pub(crate) fn refusal(text: &str) -> String {
    match one(text) {
        Err(diagnostics) => diagnostics.to_string(),
        Ok(loaded) => match loaded.compile() {
            Err(diagnostics) => diagnostics.to_string(),
            Ok((_, warnings)) => panic!("was accepted: {warnings}\n{text}"),
        },
    }
}
