//! `PeerAuthentication` (security.istio.io v1 and v1beta1).

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, de};

use super::Selector;

/// The spec of a PeerAuthentication: whether connections to workloads must be mutually authenticated.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PeerAuthentication {
    /// Which workloads; none or without labels means the whole namespace, in the root namespace the whole mesh.
    pub selector: Option<Selector>,
    /// For every port.
    pub mtls: Option<MutualTls>,
    /// By the workload's own port, 1 to 65535; needs a selector.
    pub port_level_mtls: Option<BTreeMap<Port, MutualTls>>,
}

/// A port as it was written: YAML has a number for it, JSON a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port(pub(crate) String);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl de::Visitor<'_> for Written {
            type Value = Port;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Port, E> {
                Ok(Port(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Port, E> {
                Ok(Port(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Port, E> {
                Ok(Port(number.to_string()))
            }
        }

        deserializer.deserialize_any(Written)
    }
}

/// How connections are authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MutualTls {
    /// The mode.
    pub mode: PeerMode,
}

/// The mode of a PeerAuthentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PeerMode {
    /// What the wider scope says.
    #[default]
    #[serde(alias = "")]
    Unset,
    /// Plaintext alone.
    Disable,
    /// Plaintext or mutual TLS.
    Permissive,
    /// Mutual TLS alone: the client's certificate is required.
    Strict,
}
