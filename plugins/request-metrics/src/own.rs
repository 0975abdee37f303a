//! A metric of the operator's own: a name, a value and labels, of which the last two are bindings.

use std::collections::BTreeMap;

use serde::Deserialize;
use weir::{BoundCells, Cell, Counter, Failure, Family, Histogram, Label, bindings};

use crate::BUCKETS;

#[derive(Deserialize)]
pub(crate) struct Metric {
    name: String,
    #[serde(default)]
    help: String,
    #[serde(default)]
    unit: String,
    #[serde(rename = "type")]
    ty: Type,
    value: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    buckets: Option<Vec<f64>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    Counter,
    Histogram,
}

/// A declared one; numbers are those of bindings.
pub(crate) struct Own {
    to: To,
    value: Option<usize>,
    labels: Vec<usize>,
}

enum To {
    Counter(Counter),
    Histogram(Histogram),
}

impl Own {
    pub(crate) fn new(metric: &Metric) -> Result<Own, Failure> {
        let names: Vec<&str> = metric.labels.keys().map(String::as_str).collect();
        let family = Family::new(&metric.name, &metric.help).unit(&metric.unit).labels(&names);
        let to = match metric.ty {
            Type::Counter => To::Counter(family.counter()?),
            Type::Histogram if metric.value.is_none() => {
                return Err(Failure::InvalidInput(format!("the histogram {} needs a value", metric.name)));
            }
            Type::Histogram => To::Histogram(family.histogram(metric.buckets.as_deref().unwrap_or(&BUCKETS))?),
        };
        Ok(Own {
            to,
            value: metric.value.as_deref().map(bound).transpose()?,
            labels: metric.labels.values().map(|name| bound(name)).collect::<Result<_, Failure>>()?,
        })
    }

    pub(crate) fn observe(&self, cells: BoundCells<'_>) -> Result<(), Failure> {
        let value = match self.value {
            None => Some(1.0),
            Some(number) => cells.at(number).and_then(number_of),
        };
        // A request without the value is not measured.
        let Some(value) = value else { return Ok(()) };
        let labels: Vec<Label> = self.labels.iter().map(|number| Label::or(cells.at(*number), "")).collect();
        match &self.to {
            // A counter does not fall.
            To::Counter(counter) if value >= 0.0 => counter.add(&labels, value as u64),
            To::Counter(_) => Ok(()),
            To::Histogram(histogram) => histogram.observe(&labels, value),
        }
    }
}

fn bound(name: &str) -> Result<usize, Failure> {
    bindings().iter().position(|binding| binding.name == name).ok_or_else(|| {
        Failure::InvalidInput(format!("{name} is no binding: write `bindings: {{{name}: CEL}}` in the Adapter"))
    })
}

/// A duration is in milliseconds.
fn number_of(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Int(number) => Some(number as f64),
        Cell::Double(number) => Some(number).filter(|number| number.is_finite()),
        Cell::Boolean(flag) => Some(f64::from(u8::from(flag))),
        Cell::Duration(time) => Some(time.as_secs_f64() * 1e3),
        _ => None,
    }
}
