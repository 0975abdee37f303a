//! Every limit of the sidecar, with its name.

use std::time::Duration;

/// A limit as `/limits` shows it.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Limit {
    /// Its name.
    pub name: &'static str,
    /// Its value, in the unit.
    pub value: u64,
    /// The unit.
    pub unit: &'static str,
    /// What happens beyond it.
    pub beyond: &'static str,
}

/// Connections from clients at one time; more are closed at once.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;
/// Bytes of one request head; a longer one is answered with 431.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Header lines of one request; more are answered with 431. It is hyper's own default, which it parses without allocating.
pub(crate) const HEADER_LINES_MAX: usize = 100;
/// HTTP/2 streams that one client connection may have open.
pub(crate) const STREAMS_MAX: u32 = 100;
/// Bytes that wait to be sent on one HTTP/2 stream.
pub(crate) const STREAM_SEND_BYTES_MAX: usize = 64 * 1024;
/// Checks that wait for the engine on one worker; more fail as if the engine were away.
pub(crate) const CHECKS_WAITING_MAX: usize = 4096;
/// Checks that may queue for the stream to the engine on one worker.
pub(crate) const CHECK_QUEUE_MAX: usize = 1024;
/// Timed-out checks in a row after which the engine is not asked for [`CIRCUIT_PROBE_EVERY`].
pub(crate) const CIRCUIT_TIMEOUTS: u32 = 5;
/// How long the open circuit waits before it lets one check through.
pub(crate) const CIRCUIT_PROBE_EVERY: Duration = Duration::from_secs(1);
/// The longest wait between two attempts to reach the engine.
pub(crate) const RECONNECT_MAX: Duration = Duration::from_millis(500);
/// The shortest wait between two attempts to reach the engine.
pub(crate) const RECONNECT_MIN: Duration = Duration::from_millis(20);
/// Referenced sets kept for one snapshot; a workload beyond them is not cached.
pub(crate) const REFERENCED_SETS_MAX: usize = 64;
/// Verdicts kept, over all shards.
pub(crate) const CACHE_ENTRIES_MAX: usize = 100_000;
/// Bytes of cache keys kept, over all shards.
pub(crate) const CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of one cache key; a request with a longer one is asked about every time.
pub(crate) const CACHE_KEY_BYTES_MAX: usize = 8 * 1024;
/// The longest that a verdict is kept, whatever the engine says.
pub(crate) const CACHE_TTL_MAX: Duration = Duration::from_secs(60);
/// Idle connections to the upstream that one worker keeps.
pub(crate) const UPSTREAM_IDLE_MAX: usize = 256;
/// How long an idle connection to the upstream is kept.
pub(crate) const UPSTREAM_IDLE_FOR: Duration = Duration::from_secs(60);
/// Reports that wait to be sent; beyond them the oldest is lost and counted.
pub(crate) const REPORTS_MAX: usize = 10_000;
/// Bytes of reports that wait to be sent; beyond them the oldest is lost and counted.
pub(crate) const REPORT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Reports in one batch.
pub(crate) const REPORT_BATCH: usize = 100;
/// How long a report waits for its batch to fill.
pub(crate) const REPORT_EVERY: Duration = Duration::from_millis(200);
/// How long one batch may take.
pub(crate) const REPORT_DEADLINE: Duration = Duration::from_secs(5);
/// Access-log lines that wait to be written; beyond them a line is lost and counted.
pub(crate) const LOG_LINES_MAX: usize = 16_384;
/// Bytes of access-log lines that wait to be written; beyond them a line is lost and counted.
pub(crate) const LOG_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How long reports and access log may take at shutdown even when the drain has used up its time.
pub(crate) const FLUSH_MIN: Duration = Duration::from_secs(1);
/// Bytes of a request id that is taken over from the client; a longer one is replaced.
pub(crate) const REQUEST_ID_BYTES_MAX: usize = 128;

/// All of them, as `/limits` shows them.
#[must_use]
pub fn limits() -> Vec<Limit> {
    let limit = |name, value: usize, unit, beyond| Limit { name, value: value as u64, unit, beyond };
    let time = |name, value: Duration, beyond| Limit { name, value: value.as_millis() as u64, unit: "ms", beyond };
    vec![
        limit("connections", CONNECTIONS_MAX, "connections", "closed at once"),
        limit("head", HEAD_BYTES_MAX, "bytes", "431"),
        limit("header_lines", HEADER_LINES_MAX, "lines", "431"),
        limit("streams", STREAMS_MAX as usize, "streams a connection", "refused by HTTP/2"),
        limit("stream_send_buffer", STREAM_SEND_BYTES_MAX, "bytes", "the upstream is not read"),
        limit("checks_waiting", CHECKS_WAITING_MAX, "checks a worker", "as if the engine were away"),
        limit("check_queue", CHECK_QUEUE_MAX, "checks a worker", "as if the engine were away"),
        limit(
            "circuit_timeouts",
            CIRCUIT_TIMEOUTS as usize,
            "timeouts in a row",
            "the engine is not asked for a while",
        ),
        time("circuit_probe", CIRCUIT_PROBE_EVERY, "one check is let through"),
        time("reconnect", RECONNECT_MAX, "the engine is tried again"),
        limit("referenced_sets", REFERENCED_SETS_MAX, "sets a snapshot", "not cached"),
        limit("cache_entries", CACHE_ENTRIES_MAX, "verdicts", "the older half is forgotten, shard by shard"),
        limit("cache_keys", CACHE_BYTES_MAX, "bytes", "the older half is forgotten, shard by shard"),
        limit("cache_key", CACHE_KEY_BYTES_MAX, "bytes", "not cached"),
        time("cache_ttl", CACHE_TTL_MAX, "asked again"),
        limit("upstream_idle", UPSTREAM_IDLE_MAX, "connections a worker", "closed"),
        time("upstream_idle_time", UPSTREAM_IDLE_FOR, "closed"),
        limit("reports", REPORTS_MAX, "reports", "the oldest is lost and counted"),
        limit("report_bytes", REPORT_BYTES_MAX, "bytes", "the oldest is lost and counted"),
        limit("report_batch", REPORT_BATCH, "reports", "sent"),
        time("report_wait", REPORT_EVERY, "sent"),
        time("report_deadline", REPORT_DEADLINE, "sent again later"),
        limit("access_log_lines", LOG_LINES_MAX, "lines", "lost and counted"),
        limit("access_log_bytes", LOG_BYTES_MAX, "bytes", "lost and counted"),
        time("flush", FLUSH_MIN, "the process ends"),
        limit("request_id", REQUEST_ID_BYTES_MAX, "bytes", "replaced by an id of our own"),
    ]
    .into_iter()
    .chain(crate::filters::limits())
    .collect()
}
