//! What a connection's peer must show: PeerAuthentication as the engine tells it, port by port.
//!
//! Where it says something it decides; where it says nothing, and until the engine has told anything, the flags of the
//! listener do. That opens nothing: whoever cannot tell the modes denies every check. What the engine told last holds while
//! it is away.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;
use weir_listen::{Security, TlsSwap};
use weir_policy::{PeerModes, document::PeerMode};
use weir_proto::v1;

/// What the peers of a listener must show.
#[derive(Debug)]
pub(crate) struct Peers {
    /// None: not told, or told that nobody knows.
    modes: watch::Sender<Option<PeerModes>>,
    tls: Option<Arc<TlsSwap>>,
    /// The flag that keeps plaintext out where nobody says anything.
    only: bool,
}

impl Peers {
    pub(crate) fn new(tls: Option<Arc<TlsSwap>>, only: bool) -> Arc<Self> {
        Arc::new(Self { modes: watch::Sender::new(None), tls, only })
    }

    /// The engine told the modes of our workload.
    pub(crate) fn tell(&self, told: Option<&v1::PeerModes>) {
        let modes = told.and_then(read);
        self.modes.send_if_modified(|known| {
            let changed = *known != modes;
            if changed {
                tracing::info!(modes = %text(modes.as_ref()), "how peers must be authenticated");
                *known = modes;
            }
            changed
        });
    }

    /// What a connection to that port may speak.
    pub(crate) fn security(&self, port: u16) -> Security {
        self.security_under(self.modes.borrow().as_ref(), port)
    }

    fn security_under(&self, modes: Option<&PeerModes>, port: u16) -> Security {
        let said = modes.map_or(PeerMode::Unset, |modes| modes.said_of_port(port));
        match (said, &self.tls) {
            (PeerMode::Strict, Some(tls)) if tls.is_mutual() => Security::Tls(Arc::clone(tls)),
            // Nobody could be authenticated.
            (PeerMode::Strict, _) => Security::Nothing,
            (PeerMode::Disable, _) | (_, None) => Security::Plaintext,
            (PeerMode::Unset, Some(tls)) if self.only => Security::Tls(Arc::clone(tls)),
            (PeerMode::Unset | PeerMode::Permissive, Some(tls)) => Security::Either(Arc::clone(tls)),
        }
    }

    /// Returns when a connection that is open, with TLS or without, would no longer be taken.
    pub(crate) async fn refused(&self, port: u16, secured: bool) {
        let takes = |modes: &Option<PeerModes>| self.security_under(modes.as_ref(), port).takes(secured);
        // INVARIANT: the sender is ours, so the wait does not fail.
        let _ = self.modes.subscribe().wait_for(|modes| !takes(modes)).await;
    }

    /// As the admin port shows them: null where nothing is known.
    pub(crate) fn status(&self) -> serde_json::Value {
        let modes = self.modes.borrow();
        let Some(modes) = modes.as_ref() else { return serde_json::Value::Null };
        let ports: BTreeMap<String, String> =
            modes.ports().iter().map(|(port, mode)| (port.to_string(), mode.to_string())).collect();
        serde_json::json!({ "mode": modes.said().to_string(), "ports": ports })
    }
}

/// The modes as told; none when the engine cannot tell.
fn read(told: &v1::PeerModes) -> Option<PeerModes> {
    if told.mode == i32::from(v1::PeerMode::Unspecified) {
        return None;
    }
    let ports = told.ports.iter().filter_map(|(port, said)| Some((u16::try_from(*port).ok()?, mode(*said))));
    Some(PeerModes::new(mode(told.mode), ports.collect()))
}

/// A mode of a newer version is the strictest.
fn mode(said: i32) -> PeerMode {
    match v1::PeerMode::try_from(said) {
        Ok(v1::PeerMode::Unset) => PeerMode::Unset,
        Ok(v1::PeerMode::Disable) => PeerMode::Disable,
        Ok(v1::PeerMode::Permissive) => PeerMode::Permissive,
        Ok(v1::PeerMode::Strict | v1::PeerMode::Unspecified) | Err(_) => PeerMode::Strict,
    }
}

fn text(modes: Option<&PeerModes>) -> String {
    let Some(modes) = modes else { return "not known".to_owned() };
    let ports = modes.ports().iter().map(|(port, mode)| format!(", {mode} at {port}"));
    format!("{}{}", modes.said(), ports.collect::<String>())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn told(mode: i32, ports: &[(u32, i32)]) -> v1::PeerModes {
        v1::PeerModes { mode, ports: ports.iter().copied().collect() }
    }

    #[test]
    fn without_certificates_strict_takes_nothing_and_the_rest_is_plaintext() {
        let peers = Peers::new(None, false);
        assert!(matches!(peers.security(80), Security::Plaintext), "nothing is told yet");
        for (mode, nothing) in [(0, false), (1, false), (2, false), (3, false), (4, true), (99, true)] {
            peers.tell(Some(&told(mode, &[])));
            assert_eq!(matches!(peers.security(80), Security::Nothing), nothing, "{mode}");
        }
        peers.tell(None);
        assert!(matches!(peers.security(80), Security::Plaintext), "told that nobody knows");
    }

    #[test]
    fn a_port_has_its_own_mode_and_one_that_is_none_is_left_out() {
        let peers = Peers::new(None, false);
        peers.tell(Some(&told(4, &[(80, 2), (90, 0), (70_000, 2)])));
        assert!(matches!(peers.security(80), Security::Plaintext));
        assert!(matches!(peers.security(90), Security::Nothing) && matches!(peers.security(100), Security::Nothing));
        assert_eq!(peers.status(), serde_json::json!({"mode": "STRICT", "ports": {"80": "DISABLE", "90": "STRICT"}}));
    }

    #[tokio::test]
    async fn an_open_connection_is_refused_when_its_port_takes_its_like_no_longer() {
        let peers = Peers::new(None, false);
        peers.tell(Some(&told(3, &[])));
        let refused = |port| {
            let peers = Arc::clone(&peers);
            tokio::spawn(async move { peers.refused(port, false).await })
        };
        let (kept, ended) = (refused(80), refused(90));
        peers.tell(Some(&told(4, &[(80, 3)])));
        ended.await.unwrap();
        assert!(!kept.is_finished());
    }
}
