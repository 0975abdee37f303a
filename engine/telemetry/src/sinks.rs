//! Where records end: Prometheus, an OTLP endpoint, a log.

use std::{borrow::Cow, sync::Arc};

use crate::{
    ledger::{Ledger, Loss},
    metrics::Families,
    record::{Emissions, Fields, SpanStatus, Value},
    redact::Redactor,
};

pub mod log;
pub mod otlp;
pub mod prometheus;

use self::{log::LogSink, otlp::Otlp};

/// All sinks of a process. Giving them records never blocks.
#[derive(Debug)]
pub struct Sinks {
    families: Arc<Families>,
    updates: Arc<Ledger>,
    redactor: Arc<Redactor>,
    log: Option<LogSink>,
    otlp: Option<Otlp>,
}

impl Sinks {
    /// Metrics go to those families; log records and spans to whichever sinks are given.
    #[must_use]
    pub fn new(families: Arc<Families>, redactor: Arc<Redactor>, log: Option<LogSink>, otlp: Option<Otlp>) -> Self {
        let updates = Ledger::of_sink("metrics", &[Loss::FamilyGone, Loss::Invalid]);
        Self { families, updates, redactor, log, otlp }
    }

    /// Gives every sink what concerns it. What a sink cannot take is counted as lost by it. Fields and labels that are
    /// sensitive by their name, and queries in texts, are hashed here, whatever the adapter was given.
    pub fn accept(&self, emissions: Emissions) {
        let Emissions { mut logs, mut spans, updates } = emissions;
        for update in &updates {
            self.updates.accept(1);
            match self.families.update_shown(update, |name, label| self.redactor.field(name, label)) {
                Ok(()) => self.updates.deliver(1),
                Err(loss) => self.updates.lose(1, loss),
            }
        }
        for record in &mut logs {
            self.hide(&mut record.fields);
            if let Cow::Owned(hidden) = self.redactor.prose(&record.body) {
                record.body = hidden;
            }
        }
        for span in &mut spans {
            self.hide(&mut span.fields);
            span.name = self.redactor.prose(&span.name).into_owned();
            if let SpanStatus::Error(why) = &mut span.status {
                *why = self.redactor.prose(why).into_owned();
            }
        }
        if let Some(otlp) = &self.otlp {
            otlp.logs(&logs);
            otlp.spans(spans);
        }
        if let Some(log) = &self.log {
            log.write(logs);
        }
    }

    fn hide(&self, fields: &mut Fields) {
        for (name, value) in fields {
            if let Value::Text(text) = value
                && let Cow::Owned(hidden) = self.redactor.field(name, text)
            {
                *text = hidden;
            }
        }
    }

    /// The families that adapters declare.
    #[must_use]
    pub fn families(&self) -> &Arc<Families> {
        &self.families
    }

    /// The log sink.
    #[must_use]
    pub fn log(&self) -> Option<&LogSink> {
        self.log.as_ref()
    }

    /// The OTLP sink.
    #[must_use]
    pub fn otlp(&self) -> Option<&Otlp> {
        self.otlp.as_ref()
    }

    /// The accounts of all sinks, as sources of metrics.
    #[must_use]
    pub fn ledgers(&self) -> Vec<Arc<Ledger>> {
        let log = self.log.iter().map(|log| Arc::clone(log.ledger()));
        let otlp = self.otlp.iter().flat_map(Otlp::ledgers);
        [Arc::clone(&self.updates)].into_iter().chain(log).chain(otlp).collect()
    }
}
