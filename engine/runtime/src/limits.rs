//! Every limit in one place: what is bounded, by how much, and what happens beyond.

use serde::Serialize;

use crate::keys;

/// One limit.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Limit {
    /// What is bounded.
    pub name: &'static str,
    /// By how much.
    pub value: u64,
    /// In what.
    pub unit: &'static str,
    /// What happens beyond.
    pub beyond: &'static str,
}

const fn limit(name: &'static str, value: usize, unit: &'static str, beyond: &'static str) -> Limit {
    Limit { name, value: value as u64, unit, beyond }
}

/// Every limit of the engine's inside; the doors add their own.
#[must_use]
pub fn limits() -> Vec<Limit> {
    let refused = "the configuration is refused";
    let lost = "counted as lost, with the reason";
    vec![
        limit("config.file", weir_config::limits::MAX_FILE_BYTES as usize, "bytes", refused),
        limit("config.documents", weir_config::limits::MAX_DOCUMENTS, "resources", refused),
        limit("policy.rulesets", weir_policy::RULESETS_MAX, "rulesets", "made at each check instead of kept"),
        limit(
            "policy.described-workloads",
            weir_policy::DESCRIBED_MAX,
            "workloads",
            "made at each check instead of kept",
        ),
        limit("policy.labels", weir_policy::LABELS_MAX, "labels", "denied as an unknown workload"),
        limit("policy.header-pieces", weir_policy::PIECES_MAX, "pieces of a joined header", "the worst case holds"),
        limit("policy.header-splits", weir_attributes::SPLITS_MAX as usize, "commas", "an error in the rule"),
        limit("policy.audit-marks", weir_policy::AUDIT_MARKS_MAX, "marks a verdict", "not marked"),
        limit("policy.token", weir_policy::TOKEN_BYTES_MAX, "bytes", "answered with 401"),
        limit("policy.token-json", weir_attributes::JSON_BYTES_MAX, "bytes in memory", "answered with 401"),
        limit("policy.token-depth", weir_attributes::JSON_DEPTH_MAX, "lists and maps", "answered with 401"),
        limit("jwks.keys", weir_policy::KEYS_MAX, "keys a set", "left out"),
        limit("jwks.bytes", keys::KEYS_BYTES_MAX, "bytes an answer", "the fetch fails, old keys stay"),
        limit("jwks.places", keys::PLACES_MAX, "places", "not fetched: their tokens are answered with 401"),
        limit("jwks.fetches", keys::FETCHES_MAX, "fetches at once", "fetched later"),
        limit("jwks.refresh", keys::REFRESH.as_secs() as usize, "seconds", "fetched again"),
        limit("jwks.pause", keys::PAUSE.as_secs() as usize, "seconds a place", "fetched later"),
        limit("decision-log.queue", weir_telemetry::DECISIONS_MAX, "decisions", lost),
        limit("decision-log.queue-bytes", weir_telemetry::DECISIONS_BYTES_MAX, "bytes", lost),
        limit("decision-log.recent", weir_telemetry::RECENT_MAX, "denials", "the oldest is forgotten"),
        limit("decision-log.text", weir_telemetry::TEXT_BYTES_MAX, "bytes a value", "cut"),
        limit("decision-log.header-lines", weir_telemetry::HEADER_LINES_MAX, "lines", "cut"),
        limit("reports.queue", weir_telemetry::REPORTS_MAX, "entries", lost),
        limit("reports.queue-bytes", weir_telemetry::REPORTS_BYTES_MAX, "bytes", lost),
        limit("reports.batch", weir_telemetry::BATCH_MAX, "entries", "the next batch"),
        limit("metrics.series", weir_telemetry::SERIES_MAX, "series a family", "one overflow series"),
        limit("metrics.own-series", weir_telemetry::OWN_SERIES_MAX, "series a family", "one overflow series"),
        limit("metrics.label", weir_telemetry::LABEL_BYTES_MAX, "bytes", "cut"),
        limit("providers.concurrent", weir_providers::limits::CONCURRENT_MAX, "questions a provider", "wait"),
        limit("providers.waiting", weir_providers::limits::WAITING_MAX, "questions a provider", "no answer"),
        limit("providers.answer", weir_providers::limits::ANSWER_MAX, "bytes", "no answer"),
        limit("providers.denial-body", weir_providers::limits::DENIAL_BODY_MAX, "bytes", "cut"),
        limit("providers.headers", weir_providers::limits::HEADERS_MAX, "changes an answer", "no answer"),
        limit("check.time", crate::CHECK_TIME_MAX.as_secs() as usize, "seconds", "no answer of its authorizers"),
        limit("adapters.component", weir_adapters::COMPONENT_BYTES_MAX, "bytes", refused),
        limit("adapters.inputs", weir_adapters::INPUTS_MAX, "inputs", refused),
        limit("adapters.rows", weir_adapters::ROWS_MAX, "entries a call", "the next call"),
        limit("adapters.families", weir_adapters::FAMILIES_MAX, "metric families", refused),
        limit("adapters.header-ops", weir_adapters::HEADER_OPS_MAX, "operations a verdict", "the call fails"),
        limit(
            "adapters.compile-time",
            weir_adapters::COMPILE_TIME_MAX.as_secs() as usize,
            "seconds",
            "the plugin is refused",
        ),
        limit("adapters.fetch-time", weir_adapters::FETCH_TIME.as_secs() as usize, "seconds", "fetched again later"),
        limit("adapters.redirects", weir_adapters::REDIRECTS_MAX, "redirects", "the fetch fails"),
        limit("adapters.quarantine", weir_adapters::QUARANTINE_FAILURES, "failures in 10 s", "not called for a while"),
        limit("adapters.attributes", weir_adapters::ATTRIBUTES_MAX, "attributes and outputs", refused),
        limit("adapters.metadata", weir_adapters::METADATA_MAX, "fields a verdict", "the call fails"),
        limit("adapters.store-key", weir_adapters::KEY_BYTES_MAX, "bytes", "refused to the plugin"),
        limit("adapters.store-value", weir_adapters::VALUE_BYTES_MAX, "bytes", "refused to the plugin"),
        limit("adapters.http-body", weir_adapters::HTTP_BODY_MAX, "bytes", "refused to the plugin"),
        limit("adapters.http-headers", weir_adapters::HTTP_HEADERS_MAX, "headers", "refused to the plugin"),
        limit("adapters.sink-queue", weir_adapters::SINK_MESSAGES_MAX, "messages", lost),
        limit("adapters.sink-bytes", weir_adapters::SINK_BYTES_MAX, "bytes", lost),
        limit("adapters.sink-message", weir_adapters::SINK_MESSAGE_MAX, "bytes", "refused to the plugin"),
        limit("adapters.drain", weir_adapters::DRAIN_TIME.as_secs() as usize, "seconds", "ended without draining"),
        limit(
            "plugins.wait",
            crate::plugins::WAIT.as_millis() as usize,
            "milliseconds",
            "pending, or the old generation",
        ),
        limit("adapters.log-line", weir_adapters::LOG_LINE_BYTES_MAX, "bytes", "cut"),
    ]
}
