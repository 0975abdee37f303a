//! Metrics: counted without locks, read in one neutral form that each sink turns into its own.

mod families;
mod naming;
mod own;
mod series;
mod shard;

pub use families::{Declaration, Families, SERIES_MAX};
pub use own::{
    AdapterMetrics, AdapterOutcome, CHECK_SECONDS, CheckOutcome, OWN_SERIES_MAX, SelfMetrics, SelfMetricsOptions,
};
pub use series::{Cell, LABEL_BYTES_MAX, OVERFLOW, Series};
pub use shard::{Count, Distribution, Gauge, Grid, Histogram, SHARDS};

/// What a family's numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution over buckets.
    Histogram,
}

/// What one series held when it was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Of a counter or gauge.
    Number(f64),
    /// Of a histogram.
    Distribution(Distribution),
}

/// One series as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Names and values.
    pub labels: Vec<(String, String)>,
    /// What it held.
    pub reading: Reading,
}

/// One family as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathered {
    /// As exposed.
    pub name: String,
    /// One sentence.
    pub help: String,
    /// As OpenTelemetry writes it, or empty.
    pub unit: String,
    /// What the numbers mean.
    pub kind: Kind,
    /// Its series.
    pub samples: Vec<Sample>,
}

impl Gathered {
    /// A family without series yet.
    #[must_use]
    pub fn new(name: &str, help: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), help: help.to_owned(), unit: String::new(), kind, samples: Vec::new() }
    }

    /// Appends one series that holds a number.
    #[must_use]
    pub fn with(mut self, labels: &[(&str, &str)], number: f64) -> Self {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.push(Sample { labels, reading: Reading::Number(number) });
        self
    }
}

/// Something that has metrics.
pub trait Source: Send + Sync {
    /// Appends its families as they stand. Off the request path; must not block.
    fn gather(&self, into: &mut Vec<Gathered>);
}

/// Joins families of the same name and orders families and series, so that two scrapes can be compared.
pub(crate) fn tidy(mut families: Vec<Gathered>) -> Vec<Gathered> {
    families.sort_by(|a, b| a.name.cmp(&b.name));
    families.dedup_by(|later, kept| {
        let same = later.name == kept.name;
        if same {
            kept.samples.append(&mut later.samples);
        }
        same
    });
    families.retain(|family| !family.samples.is_empty());
    for family in &mut families {
        family.samples.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    families
}
