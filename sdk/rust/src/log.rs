//! What a plugin has to say about itself, for the operator: a few lines a second, a few KiB each.
//!
//! Needs `log = true` under `[capabilities]`. Records about requests are [`LogRecord`](crate::LogRecord)s instead.

use crate::bindings::life::weir::plugin::log::{self as host, Level};

/// For the author while debugging.
pub fn debug(message: impl AsRef<str>) {
    write(Level::Debug, message.as_ref());
}

/// Worth knowing.
pub fn info(message: impl AsRef<str>) {
    write(Level::Info, message.as_ref());
}

/// Something is off, the plugin goes on.
pub fn warn(message: impl AsRef<str>) {
    write(Level::Warn, message.as_ref());
}

/// Somebody has to act.
pub fn error(message: impl AsRef<str>) {
    write(Level::Error, message.as_ref());
}

/// What the host does not take is lost on purpose: there is nobody to tell.
fn write(level: Level, message: &str) {
    let _ = host::write(level, message);
}
