//! Engine, sidecar and upstream on free ports, with a configuration folder of their own.

pub mod engine;
pub mod folder;
pub mod sidecar;

use crate::Outcome;
use crate::ca::{Authority, Identity};
use crate::client::Caller;
use crate::echo::Echo;
use crate::patience;
use crate::repository;
use engine::Engine;
use folder::Folder;
use serde_json::Value;
use sidecar::Sidecar;
use std::path::Path;
use tempfile::TempDir;

/// How long a worker of the sidecar may still be without the engine when another has found it: its longest pause between
/// two tries, and what a busy machine adds.
const RECONNECTED: std::time::Duration = std::time::Duration::from_millis(1500);

/// The sample that the demo and most stories run.
pub const SHOP: &str = "deploy/samples/shop";

/// A running house. Everything in it ends when it is dropped.
#[derive(Debug)]
pub struct House {
    /// The engine.
    pub engine: Engine,
    /// The sidecar in front of the upstream, unless the plan has none.
    pub sidecar: Option<Sidecar>,
    /// The upstream.
    pub echo: Echo,
    /// Who signs this house's certificates.
    pub authority: Authority,
    /// The watched configuration.
    pub config: Folder,
    /// Everything that the house writes; removed with it.
    pub place: TempDir,
}

/// What a house is to be.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    documents: Vec<(String, String)>,
    engine: Vec<String>,
    sidecar: Vec<String>,
    without_sidecar: bool,
    plaintext: bool,
}

impl Plan {
    /// The sample shop.
    pub fn shop() -> Outcome<Self> {
        Self::default().samples(&repository::root().join(SHOP))
    }

    /// An empty configuration folder: add documents with [`Plan::document`].
    pub fn empty() -> Self {
        Self::default()
    }

    /// Adds every `*.yaml` of a folder.
    pub fn samples(mut self, folder: &Path) -> Outcome<Self> {
        for entry in std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.documents.push((name, std::fs::read_to_string(&path)?));
            }
        }
        Ok(self)
    }

    /// Adds one file to the configuration.
    #[must_use]
    pub fn document(mut self, name: &str, text: &str) -> Self {
        self.documents.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Adds flags to `weir serve`.
    #[must_use]
    pub fn engine(mut self, flags: &[&str]) -> Self {
        self.engine.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// Adds flags to `weir sidecar`.
    #[must_use]
    pub fn sidecar(mut self, flags: &[&str]) -> Self {
        self.sidecar.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// Only the engine and the upstream.
    #[must_use]
    pub fn without_sidecar(mut self) -> Self {
        self.without_sidecar = true;
        self
    }

    /// The sidecar listens in plaintext instead of mTLS.
    #[must_use]
    pub fn plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// Starts everything and waits until it is ready.
    pub async fn start(self) -> Outcome<House> {
        let place = tempfile::Builder::new().prefix("weir-house-").tempdir()?;
        let config = Folder::create(&place.path().join("config"), &self.documents)?;
        let authority = Authority::new("weir throw-away CA")?;
        let echo = Echo::start().await?;
        let engine = Engine::start(place.path(), &self.engine).await?;
        let sidecar = if self.without_sidecar {
            None
        } else {
            let tls = match self.plaintext {
                true => None,
                false => {
                    Some(authority.write(&place.path().join("tls"), "cart", &authority.identity("shop", "cart")?)?)
                }
            };
            Some(Sidecar::start(place.path(), echo.address(), engine.grpc()?, tls.as_ref(), &self.sidecar).await?)
        };
        Ok(House { engine, sidecar, echo, authority, config, place })
    }
}

impl House {
    /// A caller of the sidecar that shows the certificate of `account` in `namespace`.
    pub fn caller(&self, namespace: &str, account: &str) -> Outcome<Caller> {
        self.caller_with(Some(&self.authority.identity(namespace, account)?))
    }

    /// A caller of the sidecar's TLS port that shows `identity`, or none.
    pub fn caller_with(&self, identity: Option<&Identity>) -> Outcome<Caller> {
        Caller::to(self.front()?.http()?).with_tls(&self.authority, identity)
    }

    /// A caller of a sidecar that listens in plaintext.
    pub fn plain_caller(&self) -> Outcome<Caller> {
        Ok(Caller::to(self.front()?.http()?))
    }

    /// The sidecar, which most plans have.
    pub fn front(&self) -> Outcome<&Sidecar> {
        self.sidecar.as_ref().ok_or_else(|| "this house has no sidecar".into())
    }

    /// Changes the configuration and waits until the engine serves it; gives the new version.
    pub async fn reload(&self, change: impl FnOnce(&Folder) -> Outcome<()>) -> Outcome<String> {
        let before = self.engine.version().await?;
        change(&self.config)?;
        self.engine.version_after(&before).await
    }

    /// Waits until `caller` gets 200 for `target` eight times in a row, each on a connection of its own: after a restart
    /// each worker of a proxy finds the engine again by itself.
    pub async fn recovered(&self, caller: &Caller, target: &str) -> Outcome<()> {
        patience::until("the proxy finds the engine again", async || {
            for _ in 0..8 {
                caller.get(target).await.ok().filter(|answer| answer.status == 200)?;
            }
            Some(())
        })
        .await?;
        // One worker's verdict answers the others from the cache: each of them tries again within this time.
        tokio::time::sleep(RECONNECTED).await;
        Ok(())
    }

    /// The engine's decision with this id, when its log has it.
    pub async fn decision(&self, id: &str) -> Outcome<Value> {
        self.engine.decision(id).await
    }
}
