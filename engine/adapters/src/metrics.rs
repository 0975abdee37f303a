//! Metric families: what a plugin declares when it is configured.

use crate::{BUCKETS_MAX, FAMILIES_MAX, LABELS_MAX};

/// A family of series that a plugin declared.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricFamily {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`, unique in the plugin.
    pub name: String,
    /// One sentence.
    pub help: String,
    /// As OpenTelemetry writes it; may be empty.
    pub unit: String,
    /// `[a-zA-Z_][a-zA-Z0-9_]*`, each once, at most [`LABELS_MAX`].
    pub labels: Vec<String>,
    /// Counter or histogram.
    pub kind: FamilyKind,
}

/// What kind of metric a family is.
#[derive(Clone, Debug, PartialEq)]
pub enum FamilyKind {
    /// It only rises.
    Counter,
    /// Counts values below upper bounds.
    Histogram {
        /// Finite, rising, at most [`BUCKETS_MAX`].
        buckets: Vec<f64>,
    },
}

/// Appends a family and gives its number, or says why not.
pub(crate) fn declare(families: &mut Vec<MetricFamily>, family: MetricFamily) -> Result<u32, String> {
    let name = &family.name;
    if !is_name(name, b"_:") {
        return Err(format!("{name:?} is no metric name; use letters, digits, _ and :"));
    }
    if families.iter().any(|other| other.name == *name) {
        return Err(format!("{name} is declared already"));
    }
    if families.len() >= FAMILIES_MAX || family.labels.len() > LABELS_MAX {
        return Err(format!("{name}: more than {FAMILIES_MAX} families or {LABELS_MAX} labels"));
    }
    for (index, label) in family.labels.iter().enumerate() {
        let reserved = label.starts_with("__") || label == "le";
        let twice = family.labels.iter().take(index).any(|other| other == label);
        if !is_name(label, b"_") || reserved || twice {
            return Err(format!("{name}: the label {label:?} is malformed, reserved or there twice"));
        }
    }
    if let FamilyKind::Histogram { buckets } = &family.kind {
        let rising = buckets.iter().zip(buckets.iter().skip(1)).all(|(low, high)| low < high);
        if buckets.is_empty()
            || buckets.len() > BUCKETS_MAX
            || !rising
            || !buckets.iter().all(|bound| bound.is_finite())
        {
            return Err(format!("{name}: buckets must be 1 to {BUCKETS_MAX} finite numbers in rising order"));
        }
    }
    families.push(family);
    Ok((families.len() - 1) as u32)
}

fn is_name(name: &str, others: &[u8]) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
        && name.len() <= 255
}
