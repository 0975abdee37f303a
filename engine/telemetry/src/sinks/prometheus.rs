//! The text that Prometheus scrapes. The only file that knows the `prometheus` crate.

use prometheus::{
    TextEncoder,
    proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType},
};

use crate::metrics::{Distribution, Gathered, Kind, Reading, Sample};

/// The content type of [`render`]'s text.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Those families and the process's own (`process_…`, on Linux) as text. Off the request path; takes no lock that a
/// request takes.
#[must_use]
pub fn render(families: &[Gathered]) -> String {
    let mut all: Vec<MetricFamily> = families.iter().map(family).collect();
    all.extend(process());
    all.retain(|family| !family.get_metric().is_empty());
    // It fails only on a family without series or name; there is none.
    TextEncoder::new().encode_to_string(&all).unwrap_or_default()
}

#[cfg(target_os = "linux")]
fn process() -> Vec<MetricFamily> {
    use prometheus::{core::Collector, process_collector::ProcessCollector};
    static PROCESS: std::sync::LazyLock<ProcessCollector> = std::sync::LazyLock::new(ProcessCollector::for_self);
    PROCESS.collect()
}

#[cfg(not(target_os = "linux"))]
fn process() -> Vec<MetricFamily> {
    Vec::new()
}

fn family(gathered: &Gathered) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(gathered.name.clone());
    family.set_help(gathered.help.clone());
    family.set_field_type(match gathered.kind {
        Kind::Counter => MetricType::COUNTER,
        Kind::Gauge => MetricType::GAUGE,
        Kind::Histogram => MetricType::HISTOGRAM,
    });
    family.set_metric(gathered.samples.iter().map(|sample| metric(gathered.kind, sample)).collect());
    family
}

fn metric(kind: Kind, sample: &Sample) -> Metric {
    let mut metric = Metric::default();
    let label = |(name, value): &(String, String)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.clone());
        pair.set_value(value.clone());
        pair
    };
    metric.set_label(sample.labels.iter().map(label).collect());
    match (&sample.reading, kind) {
        (Reading::Number(number), Kind::Gauge) => {
            let mut gauge = Gauge::default();
            gauge.set_value(*number);
            metric.set_gauge(gauge);
        }
        (Reading::Number(number), _) => {
            let mut counter = Counter::default();
            counter.set_value(*number);
            metric.set_counter(counter);
        }
        (Reading::Distribution(distribution), _) => metric.set_histogram(histogram(distribution)),
    }
    metric
}

fn histogram(distribution: &Distribution) -> Histogram {
    let mut histogram = Histogram::default();
    let mut below = 0;
    let bucket = |(bound, count): (&f64, &u64)| {
        below += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(below);
        bucket
    };
    histogram.set_bucket(distribution.bounds.iter().zip(&distribution.counts).map(bucket).collect());
    histogram.set_sample_count(distribution.count());
    histogram.set_sample_sum(distribution.sum);
    histogram
}
