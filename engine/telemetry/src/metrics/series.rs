//! The series of one metric family: a cell for each set of label values, never more than a limit.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

use super::{Count, Gauge, Histogram, Kind, Reading, Sample};

/// Most bytes of a label value; what is longer is cut at a character.
pub const LABEL_BYTES_MAX: usize = 256;

/// The value of every label of the one series that takes what is over the limit.
pub const OVERFLOW: &str = "other";

/// What a series holds: a number or a distribution.
pub trait Cell: Send + Sync + 'static {
    /// The kind of a family of such cells.
    const KIND: Kind;
    /// What it holds now.
    fn read(&self) -> Reading;
}

impl Cell for Count {
    const KIND: Kind = Kind::Counter;
    fn read(&self) -> Reading {
        Reading::Number(self.get() as f64)
    }
}

impl Cell for Gauge {
    const KIND: Kind = Kind::Gauge;
    fn read(&self) -> Reading {
        Reading::Number(self.get())
    }
}

impl Cell for Histogram {
    const KIND: Kind = Kind::Histogram;
    fn read(&self) -> Reading {
        Reading::Distribution(self.get())
    }
}

struct Entry<C> {
    values: Box<[Box<str>]>,
    cell: Arc<C>,
}

type Entries<C> = HashMap<u64, Vec<Arc<Entry<C>>>>;

/// Cells by label values. Finding one takes no lock; a new one copies the table, which happens once a series.
pub struct Series<C> {
    names: Box<[Box<str>]>,
    limit: usize,
    entries: ArcSwap<Entries<C>>,
    insert: Mutex<usize>,
    hasher: RandomState,
    make: Box<dyn Fn() -> C + Send + Sync>,
    overflow: Arc<C>,
    overflowed: Count,
}

impl<C> fmt::Debug for Series<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series").field("names", &self.names).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl<C: Cell> Series<C> {
    /// With those label names, at most `limit` series, and cells made by `make`.
    #[must_use]
    pub fn new(names: &[&str], limit: usize, make: impl Fn() -> C + Send + Sync + 'static) -> Self {
        Self {
            names: names.iter().map(|name| Box::from(*name)).collect(),
            limit,
            entries: ArcSwap::default(),
            insert: Mutex::new(0),
            hasher: RandomState::new(),
            overflow: Arc::new(make()),
            make: Box::new(make),
            overflowed: Count::default(),
        }
    }

    /// The cell of those label values, one for each name in their order (missing ones are empty). Over the limit it is
    /// the one cell whose every label is [`OVERFLOW`]. Keep the cell when the values are known in advance.
    #[must_use]
    pub fn cell(&self, values: &[&str]) -> Arc<C> {
        let hash = self.hasher.hash_one(values);
        if let Some(cell) = find(&self.entries.load(), hash, values) {
            return cell;
        }
        // Whoever inserts holds a lock that no scrape and no reader takes.
        let mut count = self.insert.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = self.entries.load();
        if let Some(cell) = find(&entries, hash, values) {
            return cell;
        }
        if *count >= self.limit {
            self.overflowed.add(1);
            return Arc::clone(&self.overflow);
        }
        *count += 1;
        let cell = Arc::new((self.make)());
        let entry = Entry { values: values.iter().map(|value| Box::from(*value)).collect(), cell: Arc::clone(&cell) };
        let mut next = Entries::clone(&entries);
        next.entry(hash).or_default().push(Arc::new(entry));
        self.entries.store(Arc::new(next));
        cell
    }

    /// How often a cell was asked for that the limit did not allow.
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.overflowed.get()
    }

    /// Every series as it stands, without order.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        let entries = self.entries.load();
        let mut samples: Vec<Sample> = entries
            .values()
            .flatten()
            .map(|entry| self.sample(|index| entry.values.get(index).map_or("", |value| value), &entry.cell))
            .collect();
        if self.overflowed() > 0 {
            samples.push(self.sample(|_| OVERFLOW, &self.overflow));
        }
        samples
    }

    fn sample<'v>(&self, value: impl Fn(usize) -> &'v str, cell: &C) -> Sample {
        let labels = self
            .names
            .iter()
            .enumerate()
            .map(|(index, name)| (name.to_string(), cut(value(index)).to_owned()))
            .collect();
        Sample { labels, reading: cell.read() }
    }
}

fn find<C>(entries: &Entries<C>, hash: u64, values: &[&str]) -> Option<Arc<C>> {
    let same = |entry: &&Arc<Entry<C>>| entry.values.iter().map(|value| &**value).eq(values.iter().copied());
    entries.get(&hash)?.iter().find(same).map(|entry| Arc::clone(&entry.cell))
}

/// The start of `value` that is at most [`LABEL_BYTES_MAX`] long.
pub(crate) fn cut(value: &str) -> &str {
    let mut end = value.len().min(LABEL_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(series: &Series<Count>) -> Vec<(Vec<String>, f64)> {
        let mut all: Vec<_> = series
            .samples()
            .into_iter()
            .map(|sample| {
                let Reading::Number(number) = sample.reading else { panic!("a count is a number") };
                (sample.labels.into_iter().map(|(_, value)| value).collect(), number)
            })
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).expect("ordered"));
        all
    }

    #[test]
    fn over_the_limit_everything_is_kept_in_one_series() {
        let series = Series::new(&["policy"], 2, Count::default);
        for value in ["a", "b", "c", "d", "a"] {
            series.cell(&[value]).add(1);
        }
        assert_eq!(series.overflowed(), 2);
        let expected: Vec<(Vec<String>, f64)> =
            [("a", 2.0), ("b", 1.0), ("other", 2.0)].map(|(value, n)| (vec![value.to_owned()], n)).into();
        assert_eq!(numbers(&series), expected);
    }

    #[test]
    fn threads_that_race_for_a_new_series_get_the_same_one() {
        let series = Series::new(&["n"], 64, Count::default);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..64).for_each(|n| series.cell(&[&n.to_string()]).add(1)));
            }
        });
        let all = numbers(&series);
        assert_eq!(all.len(), 64);
        assert!(all.iter().all(|(_, n)| *n == 4.0), "{all:?}");
    }

    #[test]
    fn a_long_label_value_is_cut_at_a_character() {
        let long = "é".repeat(LABEL_BYTES_MAX);
        assert_eq!(cut(&long).len(), LABEL_BYTES_MAX);
        assert_eq!(cut(&format!("x{long}")).len(), LABEL_BYTES_MAX - 1);
        assert_eq!(cut("short"), "short");
    }
}
