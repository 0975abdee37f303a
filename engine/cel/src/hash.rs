//! One hash of texts. They come from a configuration, and only lookups come from requests: no request can make two of them
//! collide, so no key is needed.

/// The bytes of the longest of these texts: what is longer is none of them and need not be hashed, so that a lookup takes no
/// more than the texts are large.
pub(crate) fn longest<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> usize {
    texts.into_iter().map(|text| text.as_ref().len()).max().unwrap_or(0)
}

/// Sixteen bytes at a time, the last ones some of them again: two words, multiplied, both halves of the product kept.
#[inline(always)]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    const ODD: [u64; 2] = [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93];
    let mix = |state: u64, [a, b]: [u64; 2]| {
        let product = u128::from(a ^ ODD[0]) * u128::from(b ^ ODD[1] ^ state);
        product as u64 ^ (product >> 64) as u64
    };
    let pair = |bytes: &[u8; 16]| {
        let whole = u128::from_le_bytes(*bytes);
        [whole as u64, (whole >> 64) as u64]
    };
    let mut state = ODD[0].wrapping_mul(bytes.len() as u64);
    let Some(last) = bytes.last_chunk::<16>() else {
        let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        return mix(state, [first, last]);
    };
    let mut rest = bytes;
    while let (Some(chunk), true) = (rest.first_chunk::<16>(), rest.len() > 16) {
        state = mix(state, pair(chunk));
        rest = rest.get(16..).unwrap_or_default();
    }
    mix(state, pair(last))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::hash;

    #[test]
    fn texts_that_differ_in_one_place_hash_otherwise() {
        let mut seen = HashSet::new();
        let mut count = 0;
        for length in 0..70 {
            let text = "a".repeat(length);
            assert!(seen.insert(hash(text.as_bytes())), "{length}");
            for at in 0..length {
                for other in ["b", "A", "/"] {
                    let mut changed = text.clone();
                    changed.replace_range(at..=at, other);
                    count += 1;
                    assert!(seen.insert(hash(changed.as_bytes())), "{changed}");
                }
            }
        }
        // Their low bits, which choose the place, are spread too.
        let places: HashSet<u64> = seen.iter().map(|hash| hash & 0xfff).collect();
        assert!(count > 7_000 && places.len() > 3_000, "{} places", places.len());
    }
}
