//! What a proxy must know of its workload before any request comes.

use std::sync::Arc;

use weir_policy::{Claim, PeerModes};

use crate::Runtime;

/// What holds for a workload in one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The version of the configuration; empty without a good one.
    pub snapshot: Arc<str>,
    /// How its peers must be authenticated; none when nobody knows: without a good configuration, or for a workload that is
    /// in none. Every check is denied then.
    pub peers: Option<PeerModes>,
}

impl Runtime {
    /// What holds now for the workload of that claim, found as a check's is. [`Runtime::snapshots`] tells when to ask again.
    #[must_use]
    pub fn watched(&self, claim: &Claim<'_>) -> Watched {
        let Some(snapshot) = self.snapshot.load_full() else {
            return Watched { snapshot: Arc::default(), peers: None };
        };
        let claim = Claim { default: self.setup.default_workload.as_deref(), ..*claim };
        let workload = snapshot.policies.workloads().resolve(&claim).ok();
        let peers = workload.map(|workload| snapshot.policies.ruleset(&workload).peer().clone());
        Watched { snapshot: self.version_of(&snapshot, &self.keys.load()), peers }
    }
}
