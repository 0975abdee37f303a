//! Metrics that a filter defines: one set for all its virtual machines, as Envoy's are.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::abi::Status;
use crate::{METRIC_NAME_BYTES_MAX, METRICS_MAX};

/// What a metric's number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only rises.
    Counter,
    /// It rises and falls.
    Gauge,
    /// Values recorded.
    Histogram,
}

/// A metric as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// As the filter named it: any bytes that are text.
    pub name: String,
    /// What its number means.
    pub kind: MetricKind,
    /// Its number; of a histogram the sum of what was recorded.
    pub value: u64,
    /// Of a histogram, how many values were recorded.
    pub recorded: u64,
}

#[derive(Debug)]
struct Cell {
    name: String,
    kind: MetricKind,
    value: AtomicU64,
    recorded: AtomicU64,
}

/// The metrics of one filter. A number, once given, stays.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<Vec<Arc<Cell>>>);

impl Metrics {
    fn cells(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Cell>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of that metric; the same for the same name and kind.
    pub(crate) fn define(&self, kind: u32, name: &[u8]) -> Result<u32, Status> {
        let kind = match kind {
            0 => MetricKind::Counter,
            1 => MetricKind::Gauge,
            2 => MetricKind::Histogram,
            _ => return Err(Status::BadArgument),
        };
        let name = std::str::from_utf8(name).map_err(|_| Status::BadArgument)?;
        if name.is_empty() || name.len() > METRIC_NAME_BYTES_MAX {
            return Err(Status::BadArgument);
        }
        let mut cells = self.cells();
        if let Some(place) = cells.iter().position(|cell| cell.kind == kind && cell.name == name) {
            return Ok(place as u32 + 1);
        }
        if cells.len() >= METRICS_MAX {
            return Err(Status::InternalFailure);
        }
        let (value, recorded) = (AtomicU64::new(0), AtomicU64::new(0));
        cells.push(Arc::new(Cell { name: name.to_owned(), kind, value, recorded }));
        Ok(cells.len() as u32)
    }

    fn cell(&self, id: u32) -> Result<Arc<Cell>, Status> {
        let place = id.checked_sub(1).ok_or(Status::NotFound)?;
        self.cells().get(place as usize).cloned().ok_or(Status::NotFound)
    }

    /// A counter takes only what is above 0; a gauge does not fall below 0.
    pub(crate) fn increment(&self, id: u32, by: i64) -> Result<(), Status> {
        let cell = self.cell(id)?;
        match cell.kind {
            MetricKind::Counter if by > 0 => drop(cell.value.fetch_add(by.unsigned_abs(), Relaxed)),
            MetricKind::Gauge => drop(cell.value.fetch_update(Relaxed, Relaxed, |now| {
                Some(if by < 0 { now.saturating_sub(by.unsigned_abs()) } else { now.saturating_add(by.unsigned_abs()) })
            })),
            _ => return Err(Status::BadArgument),
        }
        Ok(())
    }

    pub(crate) fn record(&self, id: u32, value: u64) -> Result<(), Status> {
        let cell = self.cell(id)?;
        match cell.kind {
            MetricKind::Counter => drop(cell.value.fetch_add(value, Relaxed)),
            MetricKind::Gauge => cell.value.store(value, Relaxed),
            MetricKind::Histogram => {
                cell.value.fetch_add(value, Relaxed);
                cell.recorded.fetch_add(1, Relaxed);
            }
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: u32) -> Result<u64, Status> {
        let cell = self.cell(id)?;
        if cell.kind == MetricKind::Histogram {
            return Err(Status::BadArgument);
        }
        Ok(cell.value.load(Relaxed))
    }

    /// All of them as they stand.
    pub(crate) fn read(&self) -> Vec<Metric> {
        let metric = |cell: &Arc<Cell>| Metric {
            name: cell.name.clone(),
            kind: cell.kind,
            value: cell.value.load(Relaxed),
            recorded: cell.recorded.load(Relaxed),
        };
        // The lock is for the list alone: no request waits while a scrape copies names.
        let cells = self.cells().clone();
        cells.iter().map(metric).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn counters_rise_gauges_stop_at_zero_histograms_are_not_read() {
        let metrics = Metrics::default();
        let [counter, gauge, histogram] = [0, 1, 2].map(|kind| metrics.define(kind, b"m").unwrap());
        assert_eq!(metrics.define(0, b"m"), Ok(counter));
        assert_eq!(metrics.increment(counter, 2), Ok(()));
        assert_eq!(metrics.increment(counter, -1), Err(Status::BadArgument));
        assert_eq!(metrics.increment(counter, 0), Err(Status::BadArgument));
        assert_eq!(metrics.record(counter, 3), Ok(()));
        assert_eq!(metrics.get(counter), Ok(5));
        assert_eq!(
            (metrics.record(gauge, 4), metrics.increment(gauge, -9), metrics.get(gauge)),
            (Ok(()), Ok(()), Ok(0))
        );
        assert_eq!((metrics.record(histogram, 7), metrics.get(histogram)), (Ok(()), Err(Status::BadArgument)));
        assert_eq!(metrics.increment(histogram, 7), Err(Status::BadArgument));
        assert_eq!((metrics.get(0), metrics.get(99)), (Err(Status::NotFound), Err(Status::NotFound)));
        assert_eq!(metrics.define(3, b"m"), Err(Status::BadArgument));
    }

    #[test]
    fn there_is_an_end_to_series() {
        let metrics = Metrics::default();
        for number in 0..METRICS_MAX {
            metrics.define(0, format!("m{number}").as_bytes()).unwrap();
        }
        assert_eq!(metrics.define(0, b"one more"), Err(Status::InternalFailure));
        assert_eq!(metrics.define(0, &[b'a'; METRIC_NAME_BYTES_MAX + 1]), Err(Status::BadArgument));
    }
}
