//! Counters and histograms.

use std::sync::Arc;

use crate::contract::v1::weir::plugin::metrics;
use crate::contract::v1::weir::plugin::types::Refusal;
use crate::guest::{Guest, Phase};
use crate::metrics::declare;
use crate::services::{allowed, invalid};
use crate::{Emission, FamilyKind, MetricFamily};

impl Guest {
    fn labels(&mut self, family: u32, labels: Vec<metrics::Label>) -> Result<Vec<Arc<str>>, Refusal> {
        let family =
            self.families.get(family as usize).ok_or_else(|| invalid("there is no metric family of that number"))?;
        if family.labels.len() != labels.len() {
            let (name, want, got) = (&family.name, family.labels.len(), labels.len());
            return Err(invalid(format!("{name} has {want} labels, {got} came")));
        }
        let mut texts = Vec::with_capacity(labels.len());
        for label in labels {
            texts.push(match label {
                metrics::Label::Text(text) => text.into(),
                metrics::Label::Symbol(number) => {
                    self.symbols.get(number).ok_or_else(|| invalid("a label is no symbol of this batch"))?
                }
            });
        }
        Ok(texts)
    }

    fn kind(&self, family: u32) -> Option<&FamilyKind> {
        self.families.get(family as usize).map(|family| &family.kind)
    }

    fn declare(&mut self, family: metrics::Family, kind: FamilyKind) -> Result<u32, Refusal> {
        allowed(self.services.metrics, "metrics = true")?;
        if self.phase != Phase::Configure {
            return Err(invalid("metric families are declared in configure, not later"));
        }
        let metrics::Family { name, help, unit, labels } = family;
        declare(&mut self.families, MetricFamily { name, help, unit, labels, kind }).map_err(invalid)
    }
}

impl metrics::Host for Guest {
    fn declare_counter(&mut self, family: metrics::Family) -> Result<u32, Refusal> {
        self.declare(family, FamilyKind::Counter)
    }

    fn declare_histogram(&mut self, family: metrics::Family, buckets: Vec<f64>) -> Result<u32, Refusal> {
        self.declare(family, FamilyKind::Histogram { buckets })
    }

    fn add(&mut self, counter: u32, labels: Vec<metrics::Label>, by: u64) -> Result<(), Refusal> {
        allowed(self.services.metrics, "metrics = true")?;
        let labels = self.labels(counter, labels)?;
        match self.kind(counter) {
            Some(FamilyKind::Counter) => {
                let family = counter as usize;
                self.keep(size_of_texts(&labels), Emission::Counter { family, labels, by })
            }
            _ => Err(invalid("add is for counters; use observe")),
        }
    }

    fn observe(&mut self, histogram: u32, labels: Vec<metrics::Label>, values: Vec<f64>) -> Result<(), Refusal> {
        allowed(self.services.metrics, "metrics = true")?;
        let labels = self.labels(histogram, labels)?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(invalid("a histogram takes finite numbers only"));
        }
        match self.kind(histogram) {
            Some(FamilyKind::Histogram { .. }) => {
                let bytes = size_of_texts(&labels) + 8 * values.len();
                self.keep(bytes, Emission::Histogram { family: histogram as usize, labels, values })
            }
            _ => Err(invalid("observe is for histograms; use add")),
        }
    }
}

fn size_of_texts(texts: &[Arc<str>]) -> usize {
    texts.iter().map(|text| text.len() + size_of::<Arc<str>>()).sum()
}
