//! The last denials, for whoever asks the admin port.

use std::{collections::VecDeque, sync::Arc};

/// Most denials that are kept.
pub const RECENT_MAX: usize = 1_000;
/// Most bytes of them.
const RECENT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A ring of rendered lines. Only the writer's thread and the admin port hold its lock.
#[derive(Debug, Default)]
pub(super) struct Recent {
    lines: VecDeque<Arc<[u8]>>,
    bytes: usize,
}

impl Recent {
    /// Keeps one more and lets the oldest go.
    pub(super) fn push(&mut self, line: &[u8]) {
        self.bytes += line.len();
        self.lines.push_back(line.into());
        while self.lines.len() > RECENT_MAX || (self.bytes > RECENT_BYTES_MAX && self.lines.len() > 1) {
            self.bytes -= self.lines.pop_front().map_or(0, |line| line.len());
        }
    }

    /// All of them.
    pub(super) fn newest_first(&self) -> Vec<Arc<[u8]>> {
        self.lines.iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_is_limited_in_lines_and_bytes() {
        let mut recent = Recent::default();
        for n in 0..RECENT_MAX + 10 {
            recent.push(n.to_string().as_bytes());
        }
        let lines = recent.newest_first();
        assert_eq!(lines.len(), RECENT_MAX);
        assert_eq!(&*lines[0], (RECENT_MAX + 9).to_string().as_bytes());
        recent.push(&vec![b' '; RECENT_BYTES_MAX]);
        assert_eq!(recent.newest_first().len(), 1);
        assert_eq!(recent.bytes, RECENT_BYTES_MAX);
    }
}
