//! `weir serve` as a process of the house.

use crate::Outcome;
use crate::client::{Answer, Call, Caller};
use crate::patience;
use crate::process::Program;
use crate::repository;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Names of the ports as the engine prints them, and their flags.
const PORTS: [(&str, &str); 4] =
    [("grpc", "--grpc"), ("admin", "--admin"), ("health", "--health"), ("metrics", "--metrics")];

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    /// The process.
    pub program: Program,
    decisions: PathBuf,
    records: PathBuf,
}

impl Engine {
    /// `weir serve` with its folders under `place`, on free ports; returns when it is ready to decide.
    pub async fn start(place: &Path, flags: &[String]) -> Outcome<Self> {
        let mut engine = Self::prepare(place, flags)?;
        engine.program.start().await?;
        engine.ready().await?;
        Ok(engine)
    }

    /// The same, not yet started: for stories about what happens before it is ready.
    pub fn prepare(place: &Path, flags: &[String]) -> Outcome<Self> {
        let decisions = place.join("decisions.jsonl");
        let records = place.join("records.jsonl");
        let mut arguments = vec!["serve".to_owned()];
        let folders = [
            ("--config", place.join("config")),
            ("--state", place.join("state")),
            ("--plugin-dir", repository::plugins()?),
            ("--decision-log", decisions.clone()),
            ("--log-records", records.clone()),
        ];
        for (flag, path) in folders {
            if !flags.iter().any(|have| have == flag) {
                arguments.extend([flag.to_owned(), path.display().to_string()]);
            }
        }
        for (_, flag) in PORTS {
            if !flags.iter().any(|have| have == flag) {
                arguments.extend([flag.to_owned(), "127.0.0.1:0".to_owned()]);
            }
        }
        arguments.extend_from_slice(flags);
        Ok(Self { program: Program::new("weir serve", &repository::weir()?, arguments), decisions, records })
    }

    /// Where its gRPC services listen.
    pub fn grpc(&self) -> Outcome<SocketAddr> {
        self.program.address("grpc")
    }

    /// Where its admin pages are.
    pub fn admin(&self) -> Outcome<SocketAddr> {
        self.program.address("admin")
    }

    /// Where its health is.
    pub fn health(&self) -> Outcome<SocketAddr> {
        self.program.address("health")
    }

    /// Where its metrics are.
    pub fn metrics_address(&self) -> Outcome<SocketAddr> {
        self.program.address("metrics")
    }

    /// Kills it without warning.
    pub async fn kill(&mut self) -> Outcome<()> {
        self.pin()?;
        self.program.kill().await
    }

    /// Starts it again on the ports that it had.
    pub async fn restart(&mut self) -> Outcome<()> {
        self.program.start().await?;
        self.ready().await
    }

    /// From now on it starts on the ports that it has.
    pub fn pin(&mut self) -> Outcome<()> {
        for (name, flag) in PORTS {
            let address = self.program.address(name)?;
            self.program.set(flag, address.to_string());
        }
        Ok(())
    }

    /// Waits until `/healthz/ready` says so.
    pub async fn ready(&self) -> Outcome<()> {
        let health = Caller::to(self.health()?);
        let waited = patience::until("the engine is ready", || async {
            health.get("/healthz/ready").await.ok().filter(|answer| answer.status == 200).map(drop)
        })
        .await;
        waited.map_err(|trouble| format!("{trouble}\n{}", self.program.said()).into())
    }

    /// Whether `/healthz/ready` says so now.
    pub async fn is_ready(&self) -> Outcome<bool> {
        Ok(Caller::to(self.health()?).get("/healthz/ready").await?.status == 200)
    }

    /// An admin page as JSON.
    pub async fn page(&self, path: &str) -> Outcome<Value> {
        let answer = self.raw_page(path).await?;
        match answer.status {
            200 => Ok(serde_json::from_str(&answer.body)?),
            status => Err(format!("admin {path}: {status}: {}", answer.body).into()),
        }
    }

    /// An admin page as it is.
    pub async fn raw_page(&self, path: &str) -> Outcome<Answer> {
        // The admin port answers to its own address only.
        let admin = self.admin()?;
        Caller::to(admin).send(Call::get(path).header("host", &admin.to_string())).await
    }

    /// The scrape of the metrics port.
    pub async fn scrape(&self) -> Outcome<String> {
        Ok(Caller::to(self.metrics_address()?).get("/metrics").await?.body)
    }

    /// Sum of the samples of `name` whose labels contain every text of `labels`, such as `decision="deny"`.
    pub async fn metric(&self, name: &str, labels: &[&str]) -> Outcome<f64> {
        Ok(sample(&self.scrape().await?, name, labels))
    }

    /// The version of the configuration that it serves.
    pub async fn version(&self) -> Outcome<String> {
        let status = self.page("/status").await?;
        let version = status.pointer("/config/version").or_else(|| status.get("snapshot"));
        Ok(version.and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Waits until it serves another version than `before`; gives the new one.
    pub async fn version_after(&self, before: &str) -> Outcome<String> {
        patience::until("the engine serves the new configuration", || async {
            self.version().await.ok().filter(|now| now != before)
        })
        .await
    }

    /// Waits until `/status` shows a refused candidate whose text contains `words`; gives that text.
    pub async fn refusal(&self, words: &str) -> Outcome<String> {
        patience::until(&format!("/status shows a refusal that says {words:?}"), || async {
            let status = self.page("/status").await.ok()?;
            let text = status.pointer("/config/refused").filter(|refused| !refused.is_null())?.to_string();
            text.contains(words).then_some(text)
        })
        .await
    }

    /// Waits until the decision log has this id; gives the line.
    pub async fn decision(&self, id: &str) -> Outcome<Value> {
        patience::until(&format!("decision {id} is in the log"), || async {
            self.decisions().into_iter().find(|line| line.get("id").and_then(Value::as_str) == Some(id))
        })
        .await
    }

    /// The decision log so far.
    pub fn decisions(&self) -> Vec<Value> {
        lines(&self.decisions)
    }

    /// The log records that report adapters made so far.
    pub fn records(&self) -> Vec<Value> {
        lines(&self.records)
    }
}

/// The JSON lines of a file; a last line that is not whole yet is left out.
pub fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Sum of the samples of `name` in a scrape whose labels contain every text of `labels`.
pub fn sample(scrape: &str, name: &str, labels: &[&str]) -> f64 {
    scrape
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
