//! What adapters and proxy-wasm filters share: the clock that interrupts them, and limits on what they say.
#![forbid(unsafe_code)]

mod line;
mod rate;
mod ticker;

pub use line::{LOG_LINE_BYTES_MAX, printable};
pub use rate::Rate;
pub use ticker::{Running, TICK, Ticker};
