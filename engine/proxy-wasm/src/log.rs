//! What a filter says about itself, at a limited rate.

use std::sync::Arc;

use tracing::Level;
use weir_wasm::{Rate, printable};

use crate::stats::{Counters, count};
use crate::{LOG_LINE_BYTES_MAX, LOG_LINES_PER_SECOND};

/// One filter's way into the log.
#[derive(Debug)]
pub(crate) struct Log {
    filter: String,
    counters: Arc<Counters>,
    rate: Rate,
}

impl Log {
    pub(crate) fn new(filter: &str, counters: Arc<Counters>) -> Self {
        Self { filter: filter.to_owned(), counters, rate: Rate::new(LOG_LINES_PER_SECOND) }
    }

    /// Logs a line of that level (0 is trace, 5 critical), unless this second's lines are used up.
    pub(crate) fn say(&self, level: u32, line: &[u8]) {
        if !self.rate.take() {
            return count(&self.counters.log_lines_dropped);
        }
        let kept = line.get(..LOG_LINE_BYTES_MAX).unwrap_or(line);
        let (filter, line) = (&*self.filter, printable(&String::from_utf8_lossy(kept)));
        match level {
            0 => tracing::trace!(target: "weir::filter", filter, "{line}"),
            1 => tracing::debug!(target: "weir::filter", filter, "{line}"),
            2 => tracing::info!(target: "weir::filter", filter, "{line}"),
            3 => tracing::warn!(target: "weir::filter", filter, "{line}"),
            _ => tracing::error!(target: "weir::filter", filter, "{line}"),
        }
    }

    /// The lowest level that is logged at all.
    pub(crate) fn level() -> u32 {
        let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
        let highest = tracing::level_filters::LevelFilter::current();
        levels.iter().position(|level| *level <= highest).unwrap_or(5) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let counters = Arc::new(Counters::default());
        let log = Log::new("flood", counters.clone());
        for _ in 0..1000 {
            log.say(0, b"line");
        }
        assert!(counters.read().log_lines_dropped >= 1000 - 3 * u64::from(LOG_LINES_PER_SECOND));
    }
}
