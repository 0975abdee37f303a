//! The limits of filters, as `/limits` shows them. Memory and time of each are in its own configuration.

use std::time::Duration;

use weir_proxy_wasm as filters;

use super::config::FILTERS_MAX;
use crate::limits::Limit;

/// All of them.
pub(crate) fn limits() -> Vec<Limit> {
    let limit = |name, value: usize, unit, beyond| Limit { name, value: value as u64, unit, beyond };
    let time = |name, value: Duration, beyond| Limit { name, value: value.as_millis() as u64, unit: "ms", beyond };
    vec![
        limit("filters", FILTERS_MAX, "filters", "refused at the start"),
        limit("filter_module", filters::MODULE_BYTES_MAX, "bytes", "refused at the start"),
        limit("filter_config", filters::CONFIG_BYTES_MAX, "bytes", "refused at the start"),
        limit("filter_stack", filters::STACK_BYTES_MAX, "bytes", "a trap"),
        limit("filter_tables", filters::TABLE_ELEMENTS_MAX, "elements", "not grown"),
        limit("filter_requests", filters::CONTEXTS_MAX, "requests a machine", "as if the filter had failed"),
        limit("filter_header_lines", filters::HEADER_LINES_MAX, "lines a filter writes", "refused to the filter"),
        limit("filter_headers", filters::HEADER_BYTES_MAX, "bytes a filter writes", "refused to the filter"),
        limit("filter_body", filters::BODY_BYTES_MAX, "bytes a filter holds back", "413, of a response 500 or cut"),
        limit("filter_frames", super::pump::FRAMES, "frames behind the filters", "the sender waits"),
        limit("filter_shared_entries", filters::SHARED_ENTRIES_MAX, "keys", "refused to the filter"),
        limit("filter_shared", filters::SHARED_BYTES_MAX, "bytes", "refused to the filter"),
        limit("filter_queues", filters::QUEUES_MAX, "queues", "refused to the filter"),
        limit("filter_queue_items", filters::QUEUE_ITEMS_MAX, "items a queue", "refused to the filter"),
        limit("filter_queue", filters::QUEUE_BYTES_MAX, "bytes a queue", "refused to the filter"),
        limit("filter_metrics", filters::METRICS_MAX, "metrics a filter", "refused to the filter"),
        limit("filter_metric_name", filters::METRIC_NAME_BYTES_MAX, "bytes", "refused to the filter"),
        limit("filter_calls", filters::CALLS_MAX, "calls a machine", "refused to the filter"),
        limit("filter_call_body", filters::CALL_BODY_BYTES_MAX, "bytes", "refused, or no answer"),
        time("filter_call", filters::CALL_TIME_MAX, "504 to the filter"),
        time("filter_tick", filters::TICK_MIN, "a shorter period is stretched"),
        limit("filter_properties", filters::PROPERTY_BYTES_MAX, "bytes set a request", "refused to the filter"),
        limit("filter_log_line", filters::LOG_LINE_BYTES_MAX, "bytes", "cut"),
        limit("filter_log", filters::LOG_LINES_PER_SECOND as usize, "lines a second", "dropped and counted"),
        limit("filter_random", filters::RANDOM_BYTES_MAX as usize, "bytes at once", "refused to the filter"),
        limit("filter_write", filters::WRITE_PIECES_MAX as usize, "pieces at once", "refused to the filter"),
        time("filter_restart_window", filters::RESTART_WINDOW, "the next restart is at once again"),
        time("filter_restart_pause", filters::RESTART_PAUSE_MAX, "a machine is started anew"),
    ]
}
