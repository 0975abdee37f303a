//! What a scrape tells of each plugin, read when it is asked for: as many series as there are adapters, a few each.

use std::sync::Weak;

use weir_adapters::{AdapterStatus, Cause, Stats};
use weir_telemetry::{Gathered, Kind, Source};

use crate::Runtime;

/// The plugins of whatever configuration serves.
pub(crate) struct Exposed(pub(crate) Weak<Runtime>);

/// A family with one series for each adapter: its name, its help, and the number.
type Family = (&'static str, &'static str, fn(&Stats, &AdapterStatus) -> f64);

const GAUGES: [Family; 5] = [
    ("weir_plugin_ready", "1 while a generation serves and is not quarantined.", |_, status| {
        f64::from(u8::from(status.ready && status.quarantined_ms.is_none()))
    }),
    ("weir_plugin_quarantined", "1 while it is left alone after failures.", |_, status| {
        f64::from(u8::from(status.quarantined_ms.is_some()))
    }),
    ("weir_plugin_generation", "The number of the generation that serves; 0 for none yet.", |_, status| {
        status.generation as f64
    }),
    ("weir_plugin_instances", "Instances that are ready or busy.", |stats, _| stats.instances as f64),
    ("weir_plugin_memory_bytes", "Linear memory of all its instances.", |stats, _| stats.memory_bytes as f64),
];

const COUNTERS: [Family; 4] = [
    ("weir_plugin_restarts_total", "Instances that had to be replaced.", |stats, _| stats.restarts as f64),
    ("weir_plugin_quarantines_total", "Times that it was quarantined.", |stats, _| stats.quarantines as f64),
    ("weir_plugin_rows_skipped_total", "Rows of reports without an input that it requires.", |stats, _| {
        stats.rows_skipped as f64
    }),
    ("weir_plugin_log_lines_dropped_total", "Lines of its log that were over its rate.", |stats, _| {
        stats.log_lines_dropped as f64
    }),
];

impl Source for Exposed {
    fn gather(&self, into: &mut Vec<Gathered>) {
        let Some(snapshot) = self.0.upgrade().and_then(|runtime| runtime.snapshot.load_full()) else { return };
        let plugins: Vec<_> = snapshot
            .plugins
            .iter()
            .map(|(name, plugin)| (&**name, plugin, plugin.stats(), plugin.adapter.status()))
            .collect();
        for (families, kind) in [(&GAUGES[..], Kind::Gauge), (&COUNTERS[..], Kind::Counter)] {
            for (name, help, number) in families {
                let family = Gathered::new(name, help, kind);
                into.push(plugins.iter().fold(family, |family, (adapter, _, stats, status)| {
                    family.with(&[("adapter", adapter)], number(stats, status))
                }));
            }
        }
        let [mut failures, mut messages] = [
            Gathered::new("weir_plugin_failures_total", "Calls without a usable answer, by cause.", Kind::Counter),
            Gathered::new(
                "weir_plugin_sink_messages_total",
                "Messages for its sinks, by what became of them.",
                Kind::Counter,
            ),
        ];
        let mut info =
            Gathered::new("weir_plugin_info", "The plugin of an adapter that serves; always 1.", Kind::Gauge);
        for (adapter, plugin, stats, _) in &plugins {
            for (cause, count) in Cause::KINDS.iter().zip(stats.failures) {
                failures = failures.with(&[("adapter", adapter), ("cause", cause)], count as f64);
            }
            for (sink, account) in &stats.sinks {
                for (outcome, count) in [("delivered", account.delivered), ("lost", account.lost)] {
                    let labels = [("adapter", *adapter), ("sink", sink), ("outcome", outcome)];
                    messages = messages.with(&labels, count as f64);
                }
            }
            if let Some(manifest) = plugin.adapter.manifest() {
                let labels = [
                    ("adapter", *adapter),
                    ("phase", plugin.phase()),
                    ("plugin", &*manifest.name),
                    ("version", &*manifest.version),
                ];
                info = info.with(&labels, 1.0);
            }
        }
        into.extend([failures, messages, info]);
    }
}
