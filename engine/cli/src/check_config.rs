//! `weir check-config`: the engine's validator, offline.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use weir_runtime::{Setup, validate};

use crate::failure::Failure;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Text,
    Json,
}

/// Validates a configuration directory exactly as the engine does, without running it.
#[derive(Debug, Args)]
pub(crate) struct CheckConfig {
    /// The folder of YAML.
    dir: PathBuf,
    /// Where `source.file` of an Adapter is looked for when it is not beside its YAML.
    #[arg(long, value_name = "DIR", env = "WEIR_PLUGIN_DIR")]
    plugin_dir: Option<PathBuf>,
    /// Accepts a configuration without any policy.
    #[arg(long)]
    allow_empty: bool,
    /// How to print what is found.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl CheckConfig {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let setup = Setup { plugin_dir: self.plugin_dir, allow_empty: self.allow_empty, ..Setup::offline(self.dir) };
        let (text, json, good) = match validate(&setup) {
            Ok(summary) => (summary.to_string(), summary.to_json(), true),
            Err(diagnostics) => {
                (diagnostics.to_string(), serde_json::json!({"accepted": false, "diagnostics": diagnostics}), false)
            }
        };
        match self.output {
            Output::Text => println!("{text}"),
            Output::Json => println!("{json}"),
        }
        if good { Ok(()) } else { Err(Failure::Finding) }
    }
}
