//! Every limit of this crate, by name.

use std::time::Duration;

/// Bytes of a module; a larger one is not loaded.
pub const MODULE_BYTES_MAX: usize = 64 << 20;
/// Bytes of a configuration, the plugin's or the virtual machine's.
pub const CONFIG_BYTES_MAX: usize = 1 << 20;
/// Native stack of one call, in bytes: deeper recursion traps.
pub const STACK_BYTES_MAX: usize = 512 << 10;
/// Elements of all tables of one virtual machine.
pub const TABLE_ELEMENTS_MAX: usize = 262_144;
/// Requests that live in one virtual machine at a time; more fail as if the filter had.
pub const CONTEXTS_MAX: usize = 20_000;
/// Lines of one header map that a filter writes.
pub const HEADER_LINES_MAX: usize = 256;
/// Bytes of one header map that a filter writes, names and values.
pub const HEADER_BYTES_MAX: usize = 256 << 10;
/// Bytes of a body that one filter holds back, as Envoy's default buffer limit: a longer request is answered with 413, a
/// longer response with 500.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Keys of shared data, over all filters.
pub const SHARED_ENTRIES_MAX: usize = 10_000;
/// Bytes of shared data, keys and values, over all filters.
pub const SHARED_BYTES_MAX: usize = 16 << 20;
/// Shared queues, over all filters.
pub const QUEUES_MAX: usize = 64;
/// Items of one shared queue.
pub const QUEUE_ITEMS_MAX: usize = 1024;
/// Bytes of one shared queue.
pub const QUEUE_BYTES_MAX: usize = 4 << 20;
/// Metrics that one filter may define.
pub const METRICS_MAX: usize = 1000;
/// Bytes of a metric's name.
pub const METRIC_NAME_BYTES_MAX: usize = 512;
/// HTTP calls of one virtual machine that have no answer yet.
pub const CALLS_MAX: usize = 256;
/// Bytes of the body of a call's request or response; a longer response is no answer.
pub const CALL_BODY_BYTES_MAX: usize = 1 << 20;
/// The longest that a call may take, whatever the filter says.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(60);
/// The shortest period of ticks; a shorter one is stretched.
pub const TICK_MIN: Duration = Duration::from_millis(10);
/// Bytes of what filters set as properties of one request, names and values.
pub const PROPERTY_BYTES_MAX: usize = 64 << 10;
/// Lines of one filter's log in a second, over all workers; others are dropped and counted.
pub const LOG_LINES_PER_SECOND: u32 = 100;
/// Bytes of randomness that a filter gets at once.
pub const RANDOM_BYTES_MAX: u32 = 64 << 10;
/// Pieces that a filter may write to its standard output at once.
pub const WRITE_PIECES_MAX: u32 = 1024;
/// A virtual machine that fails again within this time is replaced after a pause.
pub const RESTART_WINDOW: Duration = Duration::from_secs(10);
/// The first pause; each further one is twice as long.
pub const RESTART_PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause.
pub const RESTART_PAUSE_MAX: Duration = Duration::from_secs(30);

/// What one virtual machine of a filter may use. The operator's, never the filter's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory. Default 64 MiB.
    pub memory_bytes: usize,
    /// How long one callback may run. Default 50 ms.
    pub call_time: Duration,
    /// How long starting and configuring may take, together. Default 5 s.
    pub start_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes: 64 << 20, call_time: Duration::from_millis(50), start_time: Duration::from_secs(5) }
    }
}
