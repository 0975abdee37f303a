//! Numbers that many threads count up without sharing a cache line.
//!
//! Each thread writes to its own shard; a scrape adds the shards up. Nothing here locks.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Shards of a number: threads beyond it share one. A power of two.
pub const SHARDS: usize = 8;

/// One number on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Padded(AtomicU64);

/// The calling thread's shard, below [`SHARDS`].
pub(crate) fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: usize = NEXT.fetch_add(1, Relaxed) % SHARDS;
    }
    MINE.with(|mine| *mine)
}

/// A count that only grows, except that [`Count::sub`] takes back what [`Count::add`] gave.
#[derive(Debug, Default)]
pub struct Count([Padded; SHARDS]);

impl Count {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        if let Some(cell) = self.0.get(shard()) {
            cell.0.fetch_add(n, Relaxed);
        }
    }

    /// Takes `n` back; a shard may wrap below zero, the sum does not.
    pub fn sub(&self, n: u64) {
        if let Some(cell) = self.0.get(shard()) {
            cell.0.fetch_sub(n, Relaxed);
        }
    }

    /// The sum of all shards; exact once the writers have stopped.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.iter().fold(0, |sum, cell| sum.wrapping_add(cell.0.load(Relaxed)))
    }
}

/// A number that is set.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    /// Adds `change`, which may be negative.
    pub fn add(&self, change: f64) {
        add_float(&self.0, change);
    }

    /// What it was set to.
    #[must_use]
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

fn add_float(cell: &AtomicU64, change: f64) {
    // The closure always gives a value, so the update cannot fail.
    let _ = cell.fetch_update(Relaxed, Relaxed, |bits| Some((f64::from_bits(bits) + change).to_bits()));
}

/// How many observations fell below each bound, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: Box<[f64]>,
    shards: Box<[HistogramShard]>,
}

#[derive(Debug)]
struct HistogramShard {
    /// One more than there are bounds: the last is everything above.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a histogram held when it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// Upper bounds, rising, without infinity.
    pub bounds: Box<[f64]>,
    /// Observations in each bucket, not cumulative; one more than there are bounds.
    pub counts: Vec<u64>,
    /// Sum of all observations.
    pub sum: f64,
}

impl Distribution {
    /// Number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl Histogram {
    /// With those upper bounds (rising, without infinity), for one or few writers.
    #[must_use]
    pub fn new(bounds: &[f64]) -> Self {
        Self::with_shards(bounds, 1)
    }

    /// With those upper bounds, for the request path: every thread writes to its own shard.
    #[must_use]
    pub fn sharded(bounds: &[f64]) -> Self {
        Self::with_shards(bounds, SHARDS)
    }

    fn with_shards(bounds: &[f64], shards: usize) -> Self {
        let shard = || HistogramShard {
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0f64.to_bits()),
        };
        Self { bounds: bounds.into(), shards: (0..shards).map(|_| shard()).collect() }
    }

    /// Counts one observation; one that is not finite is ignored and gives false.
    pub fn observe(&self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        let Some(shard) = self.shards.get(shard() % self.shards.len().max(1)) else { return false };
        if let Some(count) = shard.counts.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        add_float(&shard.sum, value);
        true
    }

    /// What it holds now.
    #[must_use]
    pub fn get(&self) -> Distribution {
        let mut counts = vec![0u64; self.bounds.len() + 1];
        let mut sum = 0.0;
        for shard in &self.shards {
            for (total, count) in counts.iter_mut().zip(&shard.counts) {
                *total += count.load(Relaxed);
            }
            sum += f64::from_bits(shard.sum.load(Relaxed));
        }
        Distribution { bounds: self.bounds.clone(), counts, sum }
    }
}

/// Counts by three small fixed sets of labels, dense, for the request path: no lookup, no lock, no shared cache line.
#[derive(Debug)]
pub struct Grid {
    axes: [Box<[&'static str]>; 3],
    shards: Box<[Box<[AtomicU64]>]>,
}

/// The label of an index that an axis does not have.
const OTHER: &str = "other";

impl Grid {
    /// With those label values on each axis; a value `other` is appended to each.
    #[must_use]
    pub fn new(axes: [&[&'static str]; 3]) -> Self {
        let axes = axes.map(|axis| axis.iter().copied().chain([OTHER]).collect::<Box<[_]>>());
        let cells = axes.iter().map(|axis| axis.len()).product();
        let shards = (0..SHARDS).map(|_| (0..cells).map(|_| AtomicU64::new(0)).collect()).collect();
        Self { axes, shards }
    }

    /// Adds one at that place; an index that an axis does not have counts as `other`.
    pub fn add(&self, place: [usize; 3]) {
        let mut cell = 0;
        for (axis, index) in self.axes.iter().zip(place) {
            cell = cell * axis.len() + index.min(axis.len() - 1);
        }
        if let Some(count) = self.shards.get(shard()).and_then(|shard| shard.get(cell)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// Every place that is not zero, with its label values.
    pub fn iter(&self) -> impl Iterator<Item = ([&'static str; 3], u64)> {
        let [first, second, third] = &self.axes;
        let places =
            first.iter().flat_map(move |a| second.iter().flat_map(move |b| third.iter().map(move |c| [*a, *b, *c])));
        places.enumerate().filter_map(|(cell, labels)| {
            let sum = self.shards.iter().filter_map(|shard| shard.get(cell)).map(|count| count.load(Relaxed)).sum();
            (sum > 0).then_some((labels, sum))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_many_threads_add_up() {
        let (count, histogram, grid) =
            (Count::default(), Histogram::sharded(&[1.0, 10.0]), Grid::new([&["a", "b"], &["x"], &["p", "q"]]));
        std::thread::scope(|scope| {
            for thread in 0..2 * SHARDS {
                let (count, histogram, grid) = (&count, &histogram, &grid);
                scope.spawn(move || {
                    for _ in 0..1000 {
                        count.add(3);
                        count.sub(1);
                        histogram.observe(thread as f64);
                        grid.add([thread % 2, 0, 1]);
                    }
                });
            }
        });
        let threads = 2 * SHARDS as u64;
        assert_eq!(count.get(), threads * 2000);
        let read = histogram.get();
        assert_eq!(read.counts, [2000, 9000, 5000]);
        assert_eq!(read.sum, (0..threads).sum::<u64>() as f64 * 1000.0);
        let cells: Vec<_> = grid.iter().collect();
        assert_eq!(cells, [(["a", "x", "q"], 8000), (["b", "x", "q"], 8000)]);
    }

    #[test]
    fn a_value_on_a_bound_is_below_it_and_no_value_that_is_not_finite_counts() {
        let histogram = Histogram::new(&[1.0]);
        assert!(histogram.observe(1.0));
        assert!(!histogram.observe(f64::NAN));
        assert!(!histogram.observe(f64::INFINITY));
        assert_eq!(histogram.get(), Distribution { bounds: [1.0].into(), counts: vec![1, 0], sum: 1.0 });
    }

    #[test]
    fn an_unknown_place_is_counted_as_other() {
        let grid = Grid::new([&["a"], &["x"], &["p"]]);
        grid.add([7, 0, usize::MAX]);
        assert_eq!(grid.iter().collect::<Vec<_>>(), [(["other", "x", "other"], 1)]);
    }
}
