//! A line that a guest wants in the log.

/// Bytes of one line of a guest's own log; the rest is cut.
pub const LOG_LINE_BYTES_MAX: usize = 2048;

/// At most [`LOG_LINE_BYTES_MAX`] bytes, without control characters that would forge another line.
#[must_use]
pub fn printable(line: &str) -> String {
    let kept = line.get(..line.floor_char_boundary(LOG_LINE_BYTES_MAX)).unwrap_or_default();
    kept.chars().map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_between_characters_and_cannot_forge_another() {
        assert_eq!(printable("a\nb\x1b[0m\tc"), "a b [0m\tc");
        assert_eq!(printable(&"x".repeat(10_000)).len(), LOG_LINE_BYTES_MAX);
        assert_eq!(printable(&format!("x{}", "é".repeat(10_000))).len(), LOG_LINE_BYTES_MAX - 1);
    }
}
