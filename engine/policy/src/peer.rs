//! Whether a connection's peer must be authenticated: Istio's PeerAuthentication, its scopes and what they inherit.
//!
//! The workload's own rule wins over its namespace's, that one over the mesh's; what a narrower one leaves unset comes
//! from the wider. Nothing at all means PERMISSIVE.

use std::{collections::BTreeMap, fmt};

use weir_attributes::{Bag, Slot, slot};

use crate::{document::PeerMode, referenced::Referenced, workload::WorkloadIdentity};

/// Modes by port.
pub(crate) type Ports = BTreeMap<u16, PeerMode>;

/// One PeerAuthentication.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    /// RFC 3339, which sorts by time.
    pub(crate) created: String,
    pub(crate) namespace: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) mode: PeerMode,
    pub(crate) ports: Ports,
}

/// All of them, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    all: Box<[Rule]>,
    root: String,
}

impl Rules {
    pub(crate) fn new(all: Vec<Rule>, root: &str) -> Self {
        Self { all: all.into(), root: root.to_owned() }
    }

    /// Where the rules of a workload are: the mesh's, its namespace's, its own.
    pub(crate) fn places(&self, workload: &WorkloadIdentity) -> [Option<u32>; 3] {
        let first = |fits: &dyn Fn(&Rule) -> bool| self.all.iter().position(fits).map(|at| at as u32);
        let own = |rule: &Rule| *rule.namespace == *workload.namespace;
        [
            first(&|rule| rule.namespace == self.root && rule.labels.is_empty()),
            first(&|rule| own(rule) && rule.labels.is_empty()),
            first(&|rule| {
                let selects = rule.labels.iter().all(|(key, value)| workload.labels.get(key) == Some(value));
                own(rule) && !rule.labels.is_empty() && rule.namespace != self.root && selects
            }),
        ]
    }

    /// What holds where those rules do.
    pub(crate) fn effective(&self, places: [Option<u32>; 3]) -> PeerModes {
        let [mesh, namespace, own] = places.map(|place| place.and_then(|at| self.all.get(at as usize)));
        let mut mode = PeerMode::Unset;
        for rule in [mesh, namespace, own].into_iter().flatten().filter(|rule| rule.mode != PeerMode::Unset) {
            mode = rule.mode;
        }
        let level = own.into_iter().flat_map(|rule| &rule.ports);
        let ports = level.map(|(port, of)| (*port, if *of == PeerMode::Unset { mode } else { *of }));
        PeerModes::new(mode, ports.collect())
    }
}

/// The modes that hold for a workload. The default is that nobody says anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerModes {
    /// As it was said: unset where no PeerAuthentication says anything.
    mode: PeerMode,
    ports: Ports,
    /// Peers of some port must be authenticated.
    strict: bool,
}

/// What is read to know whether a peer is authenticated, and whether it must be.
const READS: [Slot; 3] = [slot::SOURCE_PRINCIPAL, slot::CONNECTION_MTLS, slot::DESTINATION_PORT];

impl PeerModes {
    /// Modes as they are told from one process to another.
    #[must_use]
    pub fn new(said: PeerMode, ports: BTreeMap<u16, PeerMode>) -> Self {
        let strict = said == PeerMode::Strict || ports.values().any(|mode| *mode == PeerMode::Strict);
        Self { mode: said, ports, strict }
    }

    /// The mode of ports that have none of their own; PERMISSIVE where nobody says anything, as in Istio.
    #[must_use]
    pub fn mode(&self) -> PeerMode {
        settled(self.mode)
    }

    /// The mode of that port of the workload; PERMISSIVE where nobody says anything.
    #[must_use]
    pub fn of_port(&self, port: u16) -> PeerMode {
        settled(self.said_of_port(port))
    }

    /// What was said of ports that have no mode of their own: [`PeerMode::Unset`] where nobody says anything.
    #[must_use]
    pub fn said(&self) -> PeerMode {
        self.mode
    }

    /// What was said of the ports that have a mode of their own.
    #[must_use]
    pub fn ports(&self) -> &BTreeMap<u16, PeerMode> {
        &self.ports
    }

    /// What was said of that port: [`PeerMode::Unset`] where nobody says anything.
    #[must_use]
    pub fn said_of_port(&self, port: u16) -> PeerMode {
        self.ports.get(&port).copied().unwrap_or(self.mode)
    }

    /// Whether the peer of that request lacks the authentication that its port requires. A port that is not known counts
    /// as the strictest.
    #[inline]
    pub(crate) fn refuses(&self, bag: &Bag) -> bool {
        self.strict && self.lacks_authentication(bag)
    }

    fn lacks_authentication(&self, bag: &Bag) -> bool {
        let port = bag.int(slot::DESTINATION_PORT).and_then(|port| u16::try_from(port).ok());
        let strict = port.is_none_or(|port| self.of_port(port) == PeerMode::Strict);
        let principal = bag.str(slot::SOURCE_PRINCIPAL).is_some_and(|principal| !principal.is_empty());
        strict && !principal && bag.bool(slot::CONNECTION_MTLS) != Some(true)
    }

    pub(crate) fn refer(&self, referenced: &mut Referenced) {
        if self.strict {
            READS.into_iter().for_each(|slot| referenced.slot(slot));
        }
    }
}

/// Nothing said means PERMISSIVE.
fn settled(mode: PeerMode) -> PeerMode {
    if mode == PeerMode::Unset { PeerMode::Permissive } else { mode }
}

impl fmt::Display for PeerMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PeerMode::Unset => "UNSET",
            PeerMode::Disable => "DISABLE",
            PeerMode::Permissive => "PERMISSIVE",
            PeerMode::Strict => "STRICT",
        })
    }
}
