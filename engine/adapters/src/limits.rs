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
/// Bytes of one line of a plugin's own log; the rest is cut.
pub const LOG_LINE_BYTES_MAX: usize = 2048;
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
