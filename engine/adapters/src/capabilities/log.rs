//! The plugin's own log.

use tracing::Level;

use crate::contract::v1::weir::plugin::log::{self, Level as Wire};
use crate::contract::v1::weir::plugin::types::Refusal;
use crate::guest::Guest;
use crate::services::allowed;

impl log::Host for Guest {
    fn write(&mut self, at: Wire, message: String) -> Result<(), Refusal> {
        allowed(self.services.log, "log = true")?;
        self.voice.say(level(at), &message);
        Ok(())
    }

    fn enabled(&mut self, at: Wire) -> bool {
        self.services.log && self.voice.hears(level(at))
    }
}

fn level(wire: Wire) -> Level {
    match wire {
        Wire::Trace => Level::TRACE,
        Wire::Debug => Level::DEBUG,
        Wire::Info => Level::INFO,
        Wire::Warn => Level::WARN,
        Wire::Error => Level::ERROR,
    }
}
