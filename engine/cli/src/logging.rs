//! The process's own log: text on standard error, its level changeable at run time.

use std::sync::Arc;

use tracing_subscriber::{EnvFilter, layer::SubscriberExt, reload, util::SubscriberInitExt};

use crate::{failure::Failure, terminal};

/// Changes the level while the process runs; the error says what a level looks like.
pub(crate) type SetLevel = Arc<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Starts logging at that level (`error`, `warn`, `info`, `debug`, `trace`, or `info,weir_runtime=debug`).
pub(crate) fn start(level: &str) -> Result<SetLevel, Failure> {
    let (filter, handle) = reload::Layer::new(parse(level).map_err(Failure::Usage)?);
    let colours = terminal::colours(&std::io::stderr());
    let format = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(true).with_ansi(colours);
    tracing_subscriber::registry().with(filter).with(format).init();
    Ok(Arc::new(move |level| handle.reload(parse(level)?).map_err(|error| error.to_string())))
}

fn parse(level: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(level).map_err(|error| {
        format!("log level {level:?}: {error}; write error, warn, info, debug or trace, or info,weir_runtime=debug")
    })
}
