//! Every limit of this crate, by name.

use std::time::Duration;

/// A component larger than this, in bytes, is not loaded.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;
/// Components that are compiled at the same time; others wait.
pub const COMPILES_MAX: usize = 2;
/// Bytes of all compiled modules in the cache folder; the oldest go first.
pub const CACHE_BYTES_MAX: u64 = 512 << 20;
/// Inputs that a manifest may declare.
pub const INPUTS_MAX: usize = 64;
/// Bytes of the manifest inside a component.
pub const MANIFEST_BYTES_MAX: usize = 256 << 10;
/// Rows of one batch; a longer report is several calls.
pub const ROWS_MAX: usize = 1024;
/// Causes of an error that its text names.
pub const CAUSES_MAX: usize = 8;
/// Header operations in one verdict.
pub const HEADER_OPS_MAX: usize = 64;
/// Readings of one doubtful request that a check plugin is asked about.
pub const READINGS_MAX: usize = 8;
/// Metric families that a plugin may declare.
pub const FAMILIES_MAX: usize = 64;
/// Labels of one metric family.
pub const LABELS_MAX: usize = 32;
/// Buckets of one histogram.
pub const BUCKETS_MAX: usize = 64;
/// Attributes of one log record or span.
pub const FIELDS_MAX: usize = 128;
/// Elements of all tables of one instance.
pub const TABLE_ELEMENTS_MAX: usize = 65_536;
/// Core instances, memories and tables inside one component instance.
pub const CORE_INSTANCES_MAX: usize = 256;
/// Native stack of one call, in bytes: deeper recursion traps.
pub const STACK_BYTES_MAX: usize = 512 << 10;
/// Share of `memory_bytes`, in percent, above which an instance is replaced after its call: it leaks.
pub const WORN_PERCENT: usize = 75;
/// Keys of a store that the operator gave no size.
pub const STORE_ENTRIES: usize = 10_000;
/// Bytes of a store that the operator gave no size, keys included.
pub const STORE_BYTES: usize = 4 << 20;
/// Bytes of a key in a store.
pub const KEY_BYTES_MAX: usize = 1 << 10;
/// Bytes of a value in a store.
pub const VALUE_BYTES_MAX: usize = 256 << 10;
/// Fields of a verdict's metadata.
pub const METADATA_MAX: usize = 32;
/// Attributes that a manifest may list for its bag, and outputs that it may promise.
pub const ATTRIBUTES_MAX: usize = 64;
/// Failures after which a plugin is quarantined.
pub const QUARANTINE_FAILURES: usize = 3;
/// Time within which they must fall.
pub const QUARANTINE_WINDOW: Duration = Duration::from_secs(10);
/// Length of the first quarantine; each that follows at once is twice as long.
pub const QUARANTINE: Duration = Duration::from_secs(1);
/// Length of the longest.
pub const QUARANTINE_MAX: Duration = Duration::from_secs(60);
/// How long one component may take to compile.
pub const COMPILE_TIME_MAX: Duration = Duration::from_secs(180);
/// How long the instances of an old generation get to end their calls and drain.
pub const DRAIN_TIME: Duration = Duration::from_secs(5);
/// Bytes of a body that a plugin sends to an upstream, and of the answer.
pub const HTTP_BODY_MAX: usize = 256 << 10;
/// Headers of a request to an upstream, and of the answer; further ones of an answer are left out.
pub const HTTP_HEADERS_MAX: usize = 64;
/// Connections to one upstream that are kept while nobody uses them.
pub const IDLE_CONNECTIONS_MAX: usize = 8;
/// How long they are kept.
pub const IDLE_TIME: Duration = Duration::from_secs(30);
/// How long connecting may take, to an upstream, a sink or a registry.
pub const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Messages that wait for a sink; others are lost.
pub const SINK_MESSAGES_MAX: usize = 4096;
/// Bytes that wait for a sink; others are lost.
pub const SINK_BYTES_MAX: usize = 8 << 20;
/// Bytes of one message for a sink.
pub const SINK_MESSAGE_MAX: usize = 256 << 10;
/// Messages that a sink takes at once.
pub const SINK_BATCH: usize = 256;
/// How long a receiver may take for one batch or answer.
pub const SINK_TIME: Duration = Duration::from_secs(5);
/// How long a receiver is left alone after it failed.
pub const SINK_PAUSE: Duration = Duration::from_secs(1);
/// How long fetching a component may take.
pub const FETCH_TIME: Duration = Duration::from_secs(60);
/// Redirects that are followed on the way to a component.
pub const REDIRECTS_MAX: usize = 3;
/// Bytes of a component's signature, with what is around it in its file.
pub const SIGNATURE_BYTES_MAX: usize = 4 << 10;
/// Bytes of a registry's answer with a token.
pub const TOKEN_BYTES_MAX: usize = 64 << 10;
/// Pause before the next try when an instance could not be replaced.
pub const RESPAWN_PAUSE: Duration = Duration::from_secs(1);

/// What one adapter may use. The operator's, never the plugin's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory of one instance.
    pub memory_bytes: usize,
    /// From the call of [`crate::Adapter::check`] to its end, waiting for an instance included.
    pub check_time: Duration,
    /// The same for each batch of [`crate::Adapter::report`].
    pub report_time: Duration,
    /// For instantiating and configuring one instance, off the request path.
    pub configure_time: Duration,
    /// Warm instances, and so calls at the same time; others wait.
    pub instances: usize,
    /// Bytes that a plugin may hand to the host in one call, all its emissions included.
    pub output_bytes: usize,
    /// Emissions of one report call.
    pub emissions: usize,
    /// Lines of the plugin's own log in a second; others are dropped and counted.
    pub log_lines_per_second: u32,
    /// Whether a plugin that keeps failing is quarantined.
    pub breaker: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes: 16 << 20,
            check_time: Duration::from_millis(5),
            report_time: Duration::from_millis(50),
            configure_time: Duration::from_secs(1),
            instances: 8,
            output_bytes: 1 << 20,
            emissions: 16 * ROWS_MAX,
            log_lines_per_second: 50,
            breaker: true,
        }
    }
}

impl Limits {
    /// The defaults with far more time for each call, for debug builds and overloaded machines.
    #[must_use]
    pub fn generous() -> Self {
        let time = Duration::from_secs(10);
        Limits { check_time: time, report_time: time, configure_time: 3 * time, ..Limits::default() }
    }
}
