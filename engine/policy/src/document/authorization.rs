//! `AuthorizationPolicy` (security.istio.io v1 and v1beta1).
//!
//! Lists are boxed: there may be 100,000 rules, and a vector that is read has room for three more.

use serde::Deserialize;

use super::{Selector, null_as_default};

/// The spec of an AuthorizationPolicy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AuthorizationPolicy {
    /// Which workloads; none means all in scope.
    pub selector: Option<Selector>,
    /// As one of `target_refs`.
    pub target_ref: Option<TargetRef>,
    /// The gateways that it is attached to; sidecars then never see it.
    #[serde(deserialize_with = "null_as_default")]
    pub target_refs: Vec<TargetRef>,
    /// What a matching rule does; ALLOW when none is given.
    pub action: Option<Action>,
    /// Who is asked; belongs to the action CUSTOM.
    pub provider: Option<Provider>,
    /// The rules, OR-ed. None in an ALLOW policy: it matches nothing, and default deny holds.
    pub rules: Option<Box<[Rule]>>,
}

/// What a matching rule of an AuthorizationPolicy does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    /// Allows; makes everything else denied by default.
    #[default]
    Allow,
    /// Denies, whatever else allows.
    Deny,
    /// Marks; the verdict stays.
    Audit,
    /// Asks an external authorizer, before everything else: it can deny what others allow, never the reverse.
    Custom,
}

/// What a policy is attached to at a gateway or waypoint.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TargetRef {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Namespace; Istio refuses it.
    pub namespace: Option<String>,
}

/// The external authorizer of a CUSTOM policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Provider {
    /// Its name in the mesh's settings.
    pub name: String,
}

/// One rule: any of `from`, any of `to` and all of `when`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rule {
    /// Who; none means anybody.
    pub from: Option<Box<[From]>>,
    /// What; none means anything.
    pub to: Option<Box<[To]>>,
    /// Further conditions.
    #[serde(deserialize_with = "null_as_default")]
    pub when: Box<[Condition]>,
}

/// One entry of `from`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct From {
    /// Who.
    pub source: Option<Source>,
}

/// One entry of `to`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct To {
    /// What.
    pub operation: Option<Operation>,
}

/// Declares a struct of value lists whose every field may be absent or null.
macro_rules! lists {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$doc])* #[serde(deserialize_with = "null_as_default")] pub $field: Box<[String]>,)*
        }
    };
}

lists! {
    /// Who sends a request: all fields AND-ed, the values of one OR-ed.
    Source {
        /// Identities of the peer's certificate, without `spiffe://`.
        principals,
        /// None of these identities.
        not_principals,
        /// Validated JWT identities.
        request_principals,
        /// Their not-form.
        not_request_principals,
        /// Namespaces of the peer's identity.
        namespaces,
        /// None of these namespaces.
        not_namespaces,
        /// Service accounts, `SA` or `NAMESPACE/SA`, in any trust domain.
        service_accounts,
        /// None of these service accounts.
        not_service_accounts,
        /// Trust domains of the peer's identity.
        trust_domains,
        /// None of these trust domains.
        not_trust_domains,
        /// Addresses or CIDR blocks of the physical peer.
        ip_blocks,
        /// None of these.
        not_ip_blocks,
        /// Addresses or CIDR blocks of the original client.
        remote_ip_blocks,
        /// None of these.
        not_remote_ip_blocks,
    }
}

lists! {
    /// What a request does: all fields AND-ed, the values of one OR-ed.
    Operation {
        /// Hosts, compared without case, port included.
        hosts,
        /// None of these hosts.
        not_hosts,
        /// Ports of the workload.
        ports,
        /// None of these ports.
        not_ports,
        /// Methods.
        methods,
        /// None of these methods.
        not_methods,
        /// Normalized paths or path templates.
        paths,
        /// None of these paths.
        not_paths,
    }
}

/// One condition: any of `values` and none of `notValues`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Condition {
    /// The attribute.
    #[serde(deserialize_with = "null_as_default")]
    pub key: String,
    /// At least one of them.
    #[serde(deserialize_with = "null_as_default")]
    pub values: Box<[String]>,
    /// None of them.
    #[serde(deserialize_with = "null_as_default")]
    pub not_values: Box<[String]>,
}
