//! What is counted of filters, and what they count themselves.

use std::sync::Arc;

use weir_proxy_wasm::{Filter, Metric, MetricKind, Stats};
use weir_telemetry::{Gathered, Kind};

use crate::metrics::counter;

/// Ours begin so; a filter's own metric must not pose as one.
const OURS: &str = "weir_";

/// Appends all families.
pub(crate) fn gather(filters: &[Arc<Filter>], into: &mut Vec<Gathered>) {
    let stats: Vec<(&str, Stats)> = filters.iter().map(|filter| (filter.name(), filter.stats())).collect();
    let mut family = |mut family: Gathered, value: fn(&Stats) -> u64| {
        for (name, stats) in &stats {
            family = family.with(&[("filter", name)], value(stats) as f64);
        }
        into.push(family);
    };
    let running = Gathered::new("weir_filter_machines", "Virtual machines that run, by filter.", Kind::Gauge);
    family(running, |stats| stats.machines);
    family(counter("weir_filter_failures_total", "Virtual machines that failed."), |stats| stats.failures);
    family(counter("weir_filter_timeouts_total", "Callbacks that ran too long."), |stats| stats.timeouts);
    family(counter("weir_filter_restarts_total", "Virtual machines started anew."), |stats| stats.restarts);
    family(counter("weir_filter_failed_requests_total", "Requests that met a failed filter."), |stats| {
        stats.failed_requests
    });
    family(counter("weir_filter_local_responses_total", "Requests that the filter answered itself."), |stats| {
        stats.local_responses
    });
    family(counter("weir_filter_calls_total", "HTTP calls that the filter made."), |stats| stats.calls);
    family(counter("weir_filter_calls_refused_total", "HTTP calls refused: unknown upstream, or too many."), |stats| {
        stats.calls_refused
    });
    family(counter("weir_filter_log_lines_dropped_total", "Lines of its log that were dropped."), |stats| {
        stats.log_lines_dropped
    });
    for filter in filters {
        for metric in filter.metrics() {
            own(filter.name(), &metric, into);
        }
    }
}

/// A metric that a filter defined, under the name that Envoy would show to Prometheus. Of a histogram the sum and the number
/// of values.
fn own(filter: &str, metric: &Metric, into: &mut Vec<Gathered>) {
    let name = exposed(&metric.name);
    let labels = [("filter", filter)];
    let help = "Defined by a filter.";
    match metric.kind {
        MetricKind::Counter => into.push(counter(&name, help).with(&labels, metric.value as f64)),
        MetricKind::Gauge => into.push(Gathered::new(&name, help, Kind::Gauge).with(&labels, metric.value as f64)),
        MetricKind::Histogram => {
            into.push(counter(&format!("{name}_sum"), help).with(&labels, metric.value as f64));
            into.push(counter(&format!("{name}_count"), help).with(&labels, metric.recorded as f64));
        }
    }
}

fn exposed(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == ':' { c } else { '_' };
    let name: String = name.chars().map(keep).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) || name.starts_with(OURS) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filters_metric_is_exposed_under_its_own_name_but_never_as_ours() {
        assert_eq!(exposed("requests.total-2"), "requests_total_2");
        assert_eq!(exposed("weir_sidecar_requests_total"), "_weir_sidecar_requests_total");
        assert_eq!(exposed("2xx"), "_2xx");
    }
}
