//! The kinds of resources, and the API versions that each is known under.

use std::fmt;

use serde::Serialize;

use crate::suggestion;

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Kind {
    /// Istio's policy: who may do what.
    AuthorizationPolicy,
    /// Istio's rule whether peers must be authenticated.
    PeerAuthentication,
    /// Istio's rules about tokens: whose are taken, and where they are.
    RequestAuthentication,
    /// A policy in the Common Expression Language.
    CelPolicy,
    /// A Wasm plugin that checks or reports.
    Adapter,
    /// Which name, principal or address is which workload.
    Workload,
    /// Settings of the whole mesh; at most one.
    MeshConfig,
}

const ISTIO: &[&str] = &["security.istio.io/v1", "security.istio.io/v1beta1"];
const WEIR: &[&str] = &["policy.weir.dev/v1alpha1"];

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 7] = [
        Kind::AuthorizationPolicy,
        Kind::PeerAuthentication,
        Kind::RequestAuthentication,
        Kind::CelPolicy,
        Kind::Adapter,
        Kind::Workload,
        Kind::MeshConfig,
    ];

    /// As it is written after `kind:`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::AuthorizationPolicy => "AuthorizationPolicy",
            Kind::PeerAuthentication => "PeerAuthentication",
            Kind::RequestAuthentication => "RequestAuthentication",
            Kind::CelPolicy => "CelPolicy",
            Kind::Adapter => "Adapter",
            Kind::Workload => "Workload",
            Kind::MeshConfig => "MeshConfig",
        }
    }

    /// What may stand after `apiVersion:`.
    pub fn api_versions(self) -> &'static [&'static str] {
        match self {
            Kind::AuthorizationPolicy | Kind::PeerAuthentication | Kind::RequestAuthentication => ISTIO,
            _ => WEIR,
        }
    }

    /// The kind called `name`, else what to do about it.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        if let Some(kind) = Self::ALL.into_iter().find(|kind| kind.as_str() == name) {
            return Ok(kind);
        }
        Err(match name {
            "List" => "write each item as a document of its own, with `---` between them".to_owned(),
            name => {
                let names = Self::ALL.map(Kind::as_str);
                suggestion::help(name, &names).unwrap_or_default()
            }
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
