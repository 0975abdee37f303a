//! What a runtime is started with.

use std::path::PathBuf;

/// Facts of this deployment: everything that is not policy.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The configuration folder.
    pub config: PathBuf,
    /// Where the last good configuration, compiled plugins and keys are kept; created with mode 0700.
    pub state: PathBuf,
    /// Where `source.file` of an Adapter is looked for when it is not beside its YAML.
    pub plugin_dir: Option<PathBuf>,
    /// Accepts a configuration without any policy, and one that loses every policy at once.
    pub allow_empty: bool,
    /// The Workload of a check that names none.
    pub default_workload: Option<String>,
    /// Where decisions are logged: a file, `-` for standard output; none: only the ring of recent denials.
    pub decision_log: Option<PathBuf>,
    /// The share of allowed requests that is logged, 0 to 1.
    pub decision_log_sample: f64,
    /// Where log records of adapters go: a file, `-` for standard output; none: nowhere but OTLP.
    pub log_records: Option<PathBuf>,
    /// An OTLP gRPC endpoint.
    pub otlp_endpoint: Option<String>,
    /// How many times longer a plugin may take than its limits say.
    pub plugin_patience: u32,
}

impl Setup {
    /// For validating a folder without running anything.
    #[must_use]
    pub fn offline(config: PathBuf) -> Self {
        Self {
            config,
            state: PathBuf::new(),
            plugin_dir: None,
            allow_empty: false,
            default_workload: None,
            decision_log: None,
            decision_log_sample: 1.0,
            log_records: None,
            otlp_endpoint: None,
            plugin_patience: 4,
        }
    }
}
