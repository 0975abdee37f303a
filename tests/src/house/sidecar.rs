//! `weir sidecar` as a process of the house.

use crate::Outcome;
use crate::ca::Files;
use crate::client::Caller;
use crate::patience;
use crate::process::Program;
use crate::repository;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The workload that the house's sidecar guards.
pub const WORKLOAD: &str = "shop/cart";

/// Names of the ports as the sidecar prints them, and their flags.
const PORTS: [(&str, &str); 3] = [("http", "--listen"), ("admin", "--admin"), ("health", "--health")];

/// A running sidecar.
#[derive(Debug)]
pub struct Sidecar {
    /// The process.
    pub program: Program,
    access: PathBuf,
}

impl Sidecar {
    /// `weir sidecar` on free ports in front of `upstream`, mTLS when there are files; returns when it is ready.
    pub async fn start(
        place: &Path,
        upstream: SocketAddr,
        engine: SocketAddr,
        tls: Option<&Files>,
        flags: &[String],
    ) -> Outcome<Self> {
        let mut sidecar = Self::prepare(place, upstream, engine, tls, flags)?;
        sidecar.program.start().await?;
        sidecar.ready().await?;
        Ok(sidecar)
    }

    /// The same, not yet started.
    pub fn prepare(
        place: &Path,
        upstream: SocketAddr,
        engine: SocketAddr,
        tls: Option<&Files>,
        flags: &[String],
    ) -> Outcome<Self> {
        let access = place.join("access.log");
        let mut arguments: Vec<String> = vec!["sidecar".into()];
        for (_, flag) in PORTS {
            arguments.extend([flag.into(), "127.0.0.1:0".into()]);
        }
        let given = [
            ("--upstream", upstream.to_string()),
            ("--engine", format!("http://{engine}")),
            ("--workload", WORKLOAD.to_owned()),
            ("--access-log", access.display().to_string()),
            // As samples/shop/mesh.yaml: one normalization for the policy and for the upstream.
            ("--path-normalization", "decode-and-merge-slashes".to_owned()),
        ];
        for (flag, value) in given {
            if !flags.iter().any(|have| have == flag) {
                arguments.extend([flag.to_owned(), value]);
            }
        }
        if let Some(files) = tls {
            let paths =
                [("--tls-cert", &files.certificate), ("--tls-key", &files.key), ("--client-ca", &files.authority)];
            for (flag, path) in paths {
                arguments.extend([flag.to_owned(), path.display().to_string()]);
            }
        }
        arguments.extend_from_slice(flags);
        Ok(Self { program: Program::new("weir sidecar", &repository::weir()?, arguments), access })
    }

    /// Where it takes requests.
    pub fn http(&self) -> Outcome<SocketAddr> {
        self.program.address("http")
    }

    /// Where its admin pages are.
    pub fn admin(&self) -> Outcome<SocketAddr> {
        self.program.address("admin")
    }

    /// Waits until `/healthz/ready` says so.
    pub async fn ready(&self) -> Outcome<()> {
        let health = Caller::to(self.program.address("health")?);
        let waited = patience::until("the sidecar is ready", || async {
            health.get("/healthz/ready").await.ok().filter(|answer| answer.status == 200).map(drop)
        })
        .await;
        waited.map_err(|trouble| format!("{trouble}\n{}", self.program.said()).into())
    }

    /// Its access log so far, as text.
    pub fn access(&self) -> String {
        std::fs::read_to_string(&self.access).unwrap_or_default()
    }

    /// The scrape of its own metrics.
    pub async fn scrape(&self) -> Outcome<String> {
        Ok(Caller::to(self.admin()?).get("/metrics").await?.body)
    }
}
