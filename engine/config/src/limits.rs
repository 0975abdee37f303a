//! Every bound of this crate, by name.

use std::time::Duration;

/// Bytes of one YAML or JSON file.
pub const MAX_FILE_BYTES: u64 = 10 * 1024 * 1024;

/// Bytes of all files of one configuration together.
pub const MAX_TOTAL_BYTES: u64 = 64 * 1024 * 1024;

/// Files of one configuration.
pub const MAX_FILES: usize = 10_000;

/// Entries (files, folders, anything) looked at while reading the folder.
pub const MAX_ENTRIES: usize = 100_000;

/// Folders inside folders.
pub const MAX_FOLDER_DEPTH: usize = 16;

/// YAML documents of one configuration.
pub const MAX_DOCUMENTS: usize = 20_000;

/// Mappings and sequences inside each other in one document.
pub const MAX_NESTING: usize = 64;

/// Parser events of one document, those that aliases repeat included.
pub const MAX_EVENTS: usize = 250_000;

/// Parser events that the aliases of one document may repeat: what an alias bomb explodes into.
pub const MAX_REPEATED_EVENTS: usize = 50_000;

/// Aliases in one document.
pub const MAX_ALIASES: usize = 1_000;

/// Diagnostics kept. Reading a folder stops at as many errors; problems of policies beyond it are only counted.
pub const MAX_DIAGNOSTICS: usize = 200;

/// Diagnostics printed; the rest is "and N more".
pub const MAX_PRINTED: usize = 20;

/// Characters of a source line that an excerpt shows.
pub const MAX_EXCERPT: usize = 140;

/// Characters of a message or help text.
pub const MAX_TEXT: usize = 2_000;

/// Characters of a resource's name (a DNS-1123 subdomain).
pub const MAX_NAME: usize = 253;

/// Characters of a namespace (a DNS-1123 label).
pub const MAX_NAMESPACE: usize = 63;

/// MiB of memory that an adapter may ask for.
pub const MAX_ADAPTER_MEMORY_MIB: u32 = 512;

/// Milliseconds that one call of an adapter may ask for.
pub const MAX_ADAPTER_TIMEOUT_MS: u32 = 60_000;

/// KiB of output that one call of an adapter may ask for.
pub const MAX_ADAPTER_OUTPUT_KIB: u32 = 16 * 1024;

/// Calls at the same time that an adapter may ask for.
pub const MAX_ADAPTER_INSTANCES: u32 = 256;

/// Names in one list of an adapter's capabilities.
pub const MAX_ADAPTER_NAMES: usize = 64;

/// Keys of one store of an adapter.
pub const MAX_STORE_ENTRIES: u32 = 1_000_000;

/// KiB of one store of an adapter.
pub const MAX_STORE_KIB: u32 = 64 * 1024;

/// Bytes of the last good configuration on disk: JSON escapes may double the text.
pub const MAX_LAST_GOOD_BYTES: u64 = 2 * MAX_TOTAL_BYTES + 1024 * 1024;

/// How often the folder is read when no notification comes.
pub const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// How long content must stay the same to count as settled.
pub const SETTLE_STEP: Duration = Duration::from_millis(100);

/// How long content that does not parse (or a folder that is gone) must stay so before it is reported: a slow writer finishes first.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// How long content may keep changing before it is reported as it stands.
pub const SETTLE_LIMIT: Duration = Duration::from_secs(5);
