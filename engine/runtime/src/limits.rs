//! Every limit in one place: what is bounded, by how much, and what happens beyond.

use serde::Serialize;

use crate::{keys, plugins};

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
    [
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
    ]
    .into_iter()
    .chain(of_adapters())
    .collect()
}

/// Those of adapters and their host.
fn of_adapters() -> Vec<Limit> {
    use weir_adapters as host;
    let refused = "the configuration is refused";
    let lost = "counted as lost, with the reason";
    let said_no = "refused to the plugin";
    let seconds = |time: std::time::Duration| time.as_secs() as usize;
    vec![
        limit("adapters.component", host::COMPONENT_BYTES_MAX, "bytes", refused),
        limit("adapters.manifest", host::MANIFEST_BYTES_MAX, "bytes", refused),
        limit("adapters.signature", host::SIGNATURE_BYTES_MAX, "bytes", "no signature"),
        limit("adapters.registry-token", host::TOKEN_BYTES_MAX, "bytes", "the fetch fails"),
        limit("adapters.compiles", host::COMPILES_MAX, "at once", "wait"),
        limit("adapters.compile-time", seconds(host::COMPILE_TIME_MAX), "seconds", "the plugin is refused"),
        limit("adapters.cache", host::CACHE_BYTES_MAX as usize, "bytes", "the oldest are removed"),
        limit("adapters.inputs", host::INPUTS_MAX, "inputs", refused),
        limit("adapters.attributes", host::ATTRIBUTES_MAX, "attributes and outputs", refused),
        limit("adapters.readings", host::READINGS_MAX, "readings of a request in doubt", "the call fails"),
        limit("adapters.rows", host::ROWS_MAX, "entries a call", "the next call"),
        limit("adapters.families", host::FAMILIES_MAX, "metric families", refused),
        limit("adapters.labels", host::LABELS_MAX, "labels a family", refused),
        limit("adapters.buckets", host::BUCKETS_MAX, "buckets a histogram", refused),
        limit("adapters.fields", host::FIELDS_MAX, "attributes a record or span", said_no),
        limit("adapters.header-ops", host::HEADER_OPS_MAX, "operations a verdict", "the call fails"),
        limit("adapters.metadata", host::METADATA_MAX, "fields a verdict", "the call fails"),
        limit("adapters.table-elements", host::TABLE_ELEMENTS_MAX, "elements an instance", "the instance traps"),
        limit("adapters.core-instances", host::CORE_INSTANCES_MAX, "an instance", "the instance does not start"),
        limit("adapters.stack", host::STACK_BYTES_MAX, "bytes a call", "the instance traps"),
        limit("adapters.worn", host::WORN_PERCENT, "percent of the memory", "the instance is replaced after its call"),
        limit("adapters.respawn-pause", seconds(host::RESPAWN_PAUSE), "seconds", "started again later"),
        limit("adapters.store-entries", host::STORE_ENTRIES, "keys, unless granted more", "what expires soonest goes"),
        limit("adapters.store-bytes", host::STORE_BYTES, "bytes, unless granted more", "what expires soonest goes"),
        limit("adapters.store-key", host::KEY_BYTES_MAX, "bytes", said_no),
        limit("adapters.store-value", host::VALUE_BYTES_MAX, "bytes", said_no),
        limit("adapters.quarantine", host::QUARANTINE_FAILURES, "failures in 10 s", "not called for a while"),
        limit("adapters.quarantine-time", seconds(host::QUARANTINE_MAX), "seconds", "called again"),
        limit("adapters.drain", seconds(host::DRAIN_TIME), "seconds", "ended without draining"),
        limit("adapters.connect-time", seconds(host::CONNECT_TIME), "seconds", "no connection"),
        limit("adapters.http-body", host::HTTP_BODY_MAX, "bytes", said_no),
        limit("adapters.http-headers", host::HTTP_HEADERS_MAX, "headers", said_no),
        limit("adapters.idle-connections", host::IDLE_CONNECTIONS_MAX, "an upstream", "closed"),
        limit("adapters.idle-time", seconds(host::IDLE_TIME), "seconds", "closed"),
        limit("adapters.sink-queue", host::SINK_MESSAGES_MAX, "messages", lost),
        limit("adapters.sink-bytes", host::SINK_BYTES_MAX, "bytes", lost),
        limit("adapters.sink-message", host::SINK_MESSAGE_MAX, "bytes", said_no),
        limit("adapters.sink-batch", host::SINK_BATCH, "messages", "the next batch"),
        limit("adapters.sink-time", seconds(host::SINK_TIME), "seconds a batch", lost),
        limit("adapters.sink-pause", seconds(host::SINK_PAUSE), "seconds after a failure", "waits in the queue"),
        limit("adapters.fetch-time", seconds(host::FETCH_TIME), "seconds", "fetched again later"),
        limit("adapters.redirects", host::REDIRECTS_MAX, "redirects", "the fetch fails"),
        limit("adapters.log-line", host::LOG_LINE_BYTES_MAX, "bytes", "cut"),
        limit("adapters.causes", host::CAUSES_MAX, "causes of an error", "not named"),
        limit("plugins.wait", plugins::WAIT.as_millis() as usize, "milliseconds", "pending, or the old generation"),
        limit("plugins.first-wait", seconds(plugins::FIRST_WAIT), "seconds", "pending"),
        limit("plugins.look", seconds(plugins::LOOK), "seconds", "a changed file is seen later"),
        limit("plugins.retry", seconds(plugins::RETRY_MAX), "seconds between fetches", "fetched again"),
    ]
}
