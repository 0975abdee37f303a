//! What is printed, and whether in colours.

use std::io::Write as _;

/// Prints data; whoever reads may have seen enough before the end (`weir status | head`).
pub(crate) fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Prints talk, which is no data: on standard error.
pub(crate) fn tell(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Whether to write colours: only to a terminal, and not when `NO_COLOR` says that they are not wanted.
pub(crate) fn colours(stream: &impl std::io::IsTerminal) -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !plain
}
