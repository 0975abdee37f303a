//! Ids that nobody else has: for requests and spans, not for secrets.

use std::{
    cell::Cell,
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

thread_local! {
    /// Keys from the operating system and how many ids this thread has made.
    static SOURCE: (RandomState, Cell<u64>) = (RandomState::new(), const { Cell::new(0) });
}

/// 64 bits that differ from call to call and from process to process: a keyed hash of a counter, without a system call.
pub(crate) fn bits() -> u64 {
    SOURCE.with(|(keys, counter)| {
        let count = counter.get();
        counter.set(count.wrapping_add(1));
        keys.hash_one(count)
    })
}

/// That long or up to a half longer, so that many sidecars do not come back at the same moment.
pub(crate) fn jittered(wait: Duration) -> Duration {
    wait + wait.mul_f64((bits() % 512) as f64 / 1024.0)
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Writes as many hex digits of `bits` as fit into `into`, the highest first.
pub(crate) fn hex(bits: u64, into: &mut [u8]) {
    let mut rest = bits;
    for place in into.iter_mut().rev() {
        *place = *DIGITS.get((rest & 15) as usize).unwrap_or(&b'0');
        rest >>= 4;
    }
}

/// A request id in the form of a random UUID (RFC 9562 §5.4): 36 characters.
pub(crate) fn uuid() -> [u8; 36] {
    let (high, low) = (bits(), bits());
    let (high, low) = ((high & !0xf000) | 0x4000, (low & (u64::MAX >> 2)) | (1 << 63));
    let mut digits = [0; 32];
    let (first, second) = digits.split_at_mut(16);
    hex(high, first);
    hex(low, second);
    let mut text = [b'-'; 36];
    let places = (0..36).filter(|place| ![8, 13, 18, 23].contains(place));
    for (place, digit) in places.zip(digits) {
        if let Some(byte) = text.get_mut(place) {
            *byte = digit;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_differ_and_look_like_uuids() {
        let ids: HashSet<_> = (0..10_000).map(|_| uuid()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in ids.iter().take(100) {
            let text = std::str::from_utf8(id).unwrap();
            assert_eq!(text.as_bytes().get(14), Some(&b'4'), "{text}");
            assert!(["8", "9", "a", "b"].contains(&text.get(19..20).unwrap()), "{text}");
            assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        }
    }
}
