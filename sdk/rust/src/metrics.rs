//! Counters and histograms: declared in `configure`, fed in every other call.

use crate::bindings::life::weir::plugin::metrics as host;
use crate::{Failure, Label};

/// A family of series that is about to be declared.
#[derive(Clone, Debug)]
pub struct Family(host::Family);

/// A declared counter.
#[derive(Clone, Copy, Debug)]
pub struct Counter(u32);

/// A declared histogram.
#[derive(Clone, Copy, Debug)]
pub struct Histogram(u32);

impl Family {
    /// `name` is the whole name as Prometheus shows it, `help` one sentence.
    pub fn new(name: &str, help: &str) -> Family {
        let (name, help) = (name.to_owned(), help.to_owned());
        Family(host::Family { name, help, unit: String::new(), labels: Vec::new() })
    }

    /// As OpenTelemetry writes it: `ms`, `By`. Nothing is appended to the name.
    pub fn unit(mut self, unit: &str) -> Family {
        self.0.unit = unit.to_owned();
        self
    }

    /// The names of the labels, in the order in which values will come.
    pub fn labels(mut self, labels: &[&str]) -> Family {
        self.0.labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self
    }

    /// Declares a counter.
    ///
    /// # Errors
    /// The host refuses bad names, a name declared twice, and anything outside of `configure`.
    pub fn counter(self) -> Result<Counter, Failure> {
        Ok(Counter(host::declare_counter(&self.0)?))
    }

    /// Declares a histogram with these upper bounds, in rising order and without infinity.
    ///
    /// # Errors
    /// As [`counter`](Self::counter), and bounds that do not rise.
    pub fn histogram(self, buckets: &[f64]) -> Result<Histogram, Failure> {
        Ok(Histogram(host::declare_histogram(&self.0, buckets)?))
    }
}

impl Counter {
    /// Adds `by` to the series with these labels.
    ///
    /// # Errors
    /// The host refuses the wrong number of labels and more than it wants from one call.
    pub fn add(&self, labels: &[Label], by: u64) -> Result<(), Failure> {
        Ok(host::add(self.0, labels, by)?)
    }
}

impl Histogram {
    /// Records one value in the series with these labels.
    ///
    /// # Errors
    /// As [`Counter::add`].
    pub fn observe(&self, labels: &[Label], value: f64) -> Result<(), Failure> {
        self.observe_all(labels, &[value])
    }

    /// Records several values at the price of one call.
    ///
    /// # Errors
    /// As [`Counter::add`].
    pub fn observe_all(&self, labels: &[Label], values: &[f64]) -> Result<(), Failure> {
        Ok(host::observe(self.0, labels, values)?)
    }
}
