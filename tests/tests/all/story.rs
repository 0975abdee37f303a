//! What several stories say: policies in a few words, and the names of what they look at.

/// Checks that the engine answered, by decision and reason.
pub const CHECKS: &str = "weir_checks_total";

/// Requests that a sidecar answered from its cache.
pub const CACHE_HITS: &str = "weir_sidecar_cache_hits_total";

/// A policy that denies one path to everybody.
pub fn deny(name: &str, namespace: &str, path: &str) -> String {
    format!(
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec:\n  action: DENY\n  rules:\n    - to:\n        - operation: {{paths: [\"{path}\"]}}\n"
    )
}

/// A policy that allows one path to everybody.
pub fn allow(name: &str, namespace: &str, path: &str) -> String {
    deny(name, namespace, path).replace("DENY", "ALLOW")
}

/// A workload without labels.
pub fn workload(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: policy.weir.dev/v1alpha1\nkind: Workload\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec: {{labels: {{app: {name}}}}}\n"
    )
}
