//! Runs cases: an adapter for each, in the engine's own host, with what the case mocks behind it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};
use weir_adapters::{
    Adapter, AdapterSpec, Binding, Call, Capabilities, Cause, Emission, Emitted, Error, Grants, Host, HostOptions,
    Limits, Needs, SinkTarget, StoreSize, Table, Upstream, Value, World, inspect,
};
use weir_attributes::Bag;

use super::case::{Case, Then};
use super::heard::Heard;
use super::mock::Mock;
use super::{Report, compare, outcome};
use crate::failure::Failure;
use crate::plugin::build::finding;
use crate::plugin::origin::host;
use crate::plugin::toolchain::cache;

/// How long a sink's messages may take to the mock, which is on this machine.
const DELIVERY: Duration = Duration::from_secs(5);

/// A component and where it is run.
pub(in crate::plugin) struct Rehearsal {
    pub(super) host: Host,
    wasm: Bytes,
    pub(super) heard: Heard,
    /// What plugins emit that no caller waits for, by adapter.
    outlet: Arc<Mutex<Vec<Emitted>>>,
    pub(super) asked: Capabilities,
    pub(super) world: World,
    pub(super) needs: Needs,
}

/// What is worse than in a case: nothing, unless chaos says so.
#[derive(Clone, Debug, Default)]
pub(super) struct Worse {
    pub(super) stores_forget: bool,
    pub(super) tables_are_gone: bool,
    pub(super) sinks_are_gone: bool,
}

/// What became of the calls of a case.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) actual: Json,
    /// Why the last call had no answer.
    pub(super) cause: Option<Cause>,
}

impl Rehearsal {
    pub(in crate::plugin) fn new(wasm: Vec<u8>, heard: &Heard) -> Result<Rehearsal, Failure> {
        let manifest = inspect(&wasm, "the component").map_err(finding)?.manifest;
        let outlet: Arc<Mutex<Vec<Emitted>>> = Arc::default();
        let kept = outlet.clone();
        let keep = move |emitted| kept.lock().unwrap_or_else(PoisonError::into_inner).push(emitted);
        let options = HostOptions {
            cache_dir: Some(cache().join("compiled")),
            outlet: Some(Arc::new(keep)),
            fuel: true,
            ..HostOptions::default()
        };
        let (asked, world, needs) = (manifest.capabilities, manifest.world, manifest.needs);
        Ok(Rehearsal { host: host(options)?, wasm: wasm.into(), heard: heard.clone(), outlet, asked, world, needs })
    }

    pub(super) async fn cases(&self, cases: &[Case]) -> Result<Vec<Report>, Failure> {
        let mut reports = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            let name = format!("case-{number}");
            let outcome = self.run(&name, case, &Worse::default(), limits(&self.needs)).await?;
            let problems = compare::problems(&case.told.expect, &outcome.actual);
            reports.push(Report {
                name: case.name.clone(),
                place: case.place.clone(),
                problems,
                actual: outcome.actual,
            });
        }
        Ok(reports)
    }

    /// Runs a case under the name of an adapter, which is its own.
    pub(super) async fn run(&self, name: &str, case: &Case, worse: &Worse, limits: Limits) -> Result<Outcome, Failure> {
        let mock = Mock::start(case.told.mocks.http.clone()).await.map_err(Failure::unreachable)?;
        for table in &self.asked.lookup {
            self.host.set_table(table, if worse.tables_are_gone { Table::new() } else { rows(case, table) });
        }
        let began = Instant::now();
        let mut actual = Map::new();
        let mut cause = None;
        match self.started(name, case, worse, limits, &mock).await {
            Err(Error::Start(failure)) => {
                actual.insert("failure".into(), format!("{} {}", failure.call, failure.cause).into());
                cause = Some(failure.cause);
            }
            Err(other) => return Err(finding(format_args!("{}: {other}", case.place))),
            Ok(adapter) => {
                let began = Instant::now();
                let called = self.call(&adapter, case, &mut actual).await;
                actual.insert("milliseconds".into(), json!(began.elapsed().as_secs_f64() * 1e3));
                if let Err(failure) = called {
                    actual.insert("failure".into(), format!("{} {}", failure.call, failure.cause).into());
                    cause = Some(failure.cause);
                }
                self.after(&adapter, &mut actual).await;
            }
        }
        actual.entry("milliseconds").or_insert_with(|| json!(began.elapsed().as_secs_f64() * 1e3));
        actual.entry("failure").or_insert(Json::Null);
        actual.insert("log".into(), self.heard.take(name).into());
        actual.insert("http".into(), mock.requests().into());
        actual.insert("sinks".into(), mock.messages().into_iter().map(|(name, of)| (name, Json::from(of))).collect());
        Ok(Outcome { actual: actual.into(), cause })
    }

    pub(super) async fn started(
        &self,
        name: &str,
        case: &Case,
        worse: &Worse,
        limits: Limits,
        mock: &Mock,
    ) -> Result<Adapter, Error> {
        let bindings = case.told.bindings.iter();
        let spec = AdapterSpec {
            wasm: self.wasm.clone(),
            origin: "the component".into(),
            config: case.told.config.clone(),
            limits,
            grants: self.grants(mock, worse),
            bindings: bindings.map(|(name, of)| Binding { name: name.clone(), expression: of.clone() }).collect(),
            condition: case.told.condition.clone(),
        };
        let adapter = self.host.adapter(name);
        let generation = self.host.start(&adapter, self.host.look_at(name, spec)?).await?;
        adapter.install(generation);
        for (store, values) in &case.told.mocks.kv {
            for (key, value) in values {
                let bytes = match value {
                    Json::Number(number) => number.as_i64().unwrap_or_default().to_le_bytes().to_vec(),
                    Json::String(text) => text.clone().into_bytes(),
                    other => other.to_string().into_bytes(),
                };
                adapter.put(store, key, &bytes);
            }
        }
        Ok(adapter)
    }

    /// Everything that is asked for, with the mocks behind it.
    fn grants(&self, mock: &Mock, worse: &Worse) -> Grants {
        let size = if worse.stores_forget { StoreSize { entries: 0, bytes: 0 } } else { StoreSize::default() };
        let upstream =
            |name: &String| Upstream { url: mock.upstream(name), timeout: Duration::from_secs(1), per_second: 1 << 20 };
        // Port 9 of this machine discards, or nobody listens there.
        let sink = |name: &String| match worse.sinks_are_gone {
            true => SinkTarget::Tcp("127.0.0.1:9".into()),
            false => SinkTarget::Http { url: mock.sink(name), content_type: "application/octet-stream".into() },
        };
        Grants {
            kv: self.asked.kv.iter().map(|name| (name.clone(), size)).collect(),
            lookup: self.asked.lookup.iter().cloned().collect(),
            http_out: self.asked.http_out.iter().map(|name| (name.clone(), upstream(name))).collect(),
            sinks: self.asked.sinks.iter().map(|name| (name.clone(), sink(name))).collect(),
            ..Grants::telemetry()
        }
    }

    /// Asks about each request, then what is to be called after.
    pub(super) async fn call(
        &self,
        adapter: &Adapter,
        case: &Case,
        actual: &mut Map<String, Json>,
    ) -> Result<(), weir_adapters::Failure> {
        let mut emitted: Vec<Emission> = Vec::new();
        let mut failed = None;
        match self.world {
            World::Report => match adapter.report(&case.bags).await {
                Ok(report) => emitted.extend(report.emissions),
                Err(failure) => failed = Some(failure),
            },
            _ => {
                for bag in &case.bags {
                    failed = self.ask(adapter, bag, actual).await.err();
                }
            }
        }
        for then in &case.told.then {
            let call = match then {
                Then::SelfTest => Call::SelfTest,
                Then::Tick => Call::Tick,
                Then::Drain => Call::Drain,
            };
            match adapter.live(call).await {
                Ok(more) => emitted.extend(more),
                Err(failure) => failed = Some(failure),
            }
        }
        let name = adapter.name();
        let mut waiting = self.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        let outside = waiting.iter_mut().filter(|one| one.adapter == *name).flat_map(|one| one.emissions.drain(..));
        let mut all: Vec<Emission> = outside.collect();
        all.append(&mut emitted);
        outcome::emissions(&adapter.metric_families(), &all, actual);
        failed.map_or(Ok(()), Err)
    }

    async fn ask(
        &self,
        adapter: &Adapter,
        bag: &Bag,
        actual: &mut Map<String, Json>,
    ) -> Result<(), weir_adapters::Failure> {
        match self.world {
            World::Enrich => {
                let found = adapter.enrich(bag).await?;
                actual.insert("outputs".into(), outcome::fields(&found));
            }
            _ => outcome::verdict(&adapter.check(bag).await?, actual),
        }
        Ok(())
    }

    /// What the host counted and keeps; sinks are given the time to deliver.
    async fn after(&self, adapter: &Adapter, actual: &mut Map<String, Json>) {
        let until = Instant::now() + DELIVERY;
        let waits = |adapter: &Adapter| adapter.stats().sinks.iter().any(|(_, s)| s.observed > s.delivered + s.lost);
        while waits(adapter) && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let stats = adapter.stats();
        actual.insert("fuel".into(), stats.fuel.into());
        actual.insert("memory".into(), stats.memory_bytes.into());
        let store = |name: &String| {
            let entries = adapter.stored(name).into_iter().map(|(key, value)| (key, outcome::text(&value)));
            (name.clone(), Json::Object(entries.collect()))
        };
        actual.insert("kv".into(), self.asked.kv.iter().map(store).collect());
    }
}

/// One instance, so that what it keeps is seen by the next request, and time for an unoptimised host.
pub(super) fn limits(needs: &Needs) -> Limits {
    let memory_bytes = needs.memory_mib.map_or(0, |mib| (mib as usize) << 20);
    let limits = Limits { instances: 1, breaker: false, log_lines_per_second: 1 << 20, ..Limits::generous() };
    Limits { memory_bytes: limits.memory_bytes.max(memory_bytes), ..limits }
}

/// The rows that a case gives a table.
pub(super) fn rows(case: &Case, table: &str) -> Table {
    let rows = case.told.mocks.lookup.get(table).into_iter().flatten();
    let field = |(name, value): (&String, &Json)| {
        let value = match value {
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => {
                number.as_i64().map_or_else(|| Value::Double(number.as_f64().unwrap_or_default()), Value::Int)
            }
            Json::Array(items) => Value::Texts(items.iter().map(plain).collect()),
            Json::Object(pairs) => {
                Value::Pairs(pairs.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
            }
            other => Value::Text(plain(other)),
        };
        (name.clone(), value)
    };
    rows.map(|(key, fields)| (key.as_str().into(), fields.iter().map(field).collect())).collect()
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
