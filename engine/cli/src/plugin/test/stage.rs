//! A plugin that serves one request after another, for `weir plugin dev`.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use weir_adapters::{Adapter, Manifest, inspect};
use weir_attributes::Bag;

use super::Report;
use super::case::Case;
use super::heard::Heard;
use super::mock::Mock;
use super::run::{Rehearsal, Worse, limits, rows};
use crate::failure::Failure;
use crate::plugin::build::finding;

/// A plugin that is started for one request after another.
pub(in crate::plugin) struct Stage {
    rehearsal: Rehearsal,
    adapter: Adapter,
    mock: Mock,
    pub(in crate::plugin) manifest: Arc<Manifest>,
}

impl Stage {
    /// With that configuration, and with what the first case mocks behind it.
    pub(in crate::plugin) async fn new(
        wasm: Vec<u8>,
        heard: &Heard,
        cases: &[Case],
        config: Json,
    ) -> Result<Stage, Failure> {
        let manifest = inspect(&wasm, "the component").map_err(finding)?.manifest;
        let rehearsal = Rehearsal::new(wasm, heard)?;
        let mut case = cases.first().cloned().unwrap_or_default();
        case.told.config = config;
        let mock = Mock::start(case.told.mocks.http.clone()).await.map_err(Failure::unreachable)?;
        for table in &rehearsal.asked.lookup {
            rehearsal.host.set_table(table, rows(&case, table));
        }
        let limits = limits(&rehearsal.needs);
        let started = rehearsal.started("dev", &case, &Worse::default(), limits, &mock).await;
        let adapter = started.map_err(|e| finding(format_args!("adapter.yaml: {e}")))?;
        Ok(Stage { rehearsal, adapter, mock, manifest: Arc::new(manifest) })
    }

    /// How many cases pass, and what is wrong with the others.
    pub(in crate::plugin) async fn tested(&self, cases: &[Case]) -> Result<(usize, Vec<String>), Failure> {
        let reports = self.rehearsal.cases(cases).await?;
        let passed = reports.iter().filter(|report| report.problems.is_empty()).count();
        let told =
            |report: &Report| report.problems.iter().map(|p| format!("{}: {p}", report.place)).collect::<Vec<_>>();
        Ok((passed, reports.iter().flat_map(told).collect()))
    }

    /// Asks about one request, or tells of it.
    pub(in crate::plugin) async fn ask(&self, bag: &Bag) -> Map<String, Json> {
        let case = Case { bags: vec![bag.clone()], ..Case::default() };
        let mut actual = Map::new();
        let before = self.mock.requests().len();
        if let Err(failure) = self.rehearsal.call(&self.adapter, &case, &mut actual).await {
            actual.insert("failure".into(), format!("{} {}", failure.call, failure.cause).into());
        }
        actual.insert("log".into(), self.rehearsal.heard.take("dev").into());
        actual.insert("http".into(), self.mock.requests().split_off(before).into());
        actual
    }
}
