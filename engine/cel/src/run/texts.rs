//! Comparing with texts of a policy, which are short: without a call where words do.

/// Whether two texts are the same.
#[inline]
pub(super) fn same(text: &[u8], constant: &[u8]) -> bool {
    if text.len() != constant.len() {
        return false;
    }
    match (text.last_chunk::<8>(), constant.last_chunk::<8>()) {
        // Names that are nearly the same differ at their ends.
        (Some(last), Some(wanted)) => {
            last == wanted
                && match text.len() {
                    ..=16 => text.first_chunk::<8>() == constant.first_chunk::<8>(),
                    _ => text == constant,
                }
        }
        _ => short(text, constant),
    }
}

/// Whether two texts of one length below eight are the same.
#[inline]
fn short(text: &[u8], constant: &[u8]) -> bool {
    match (text.first_chunk::<4>(), constant.first_chunk::<4>()) {
        (Some(first), Some(wanted)) => first == wanted && text.last_chunk::<4>() == constant.last_chunk::<4>(),
        _ => {
            let middle = text.len() / 2;
            text.first() == constant.first()
                && text.last() == constant.last()
                && text.get(middle) == constant.get(middle)
        }
    }
}

#[inline]
pub(super) fn starts(text: &[u8], constant: &[u8]) -> bool {
    text.get(..constant.len()).is_some_and(|head| same(head, constant))
}

#[inline]
pub(super) fn ends(text: &[u8], constant: &[u8]) -> bool {
    text.len().checked_sub(constant.len()).and_then(|at| text.get(at..)).is_some_and(|tail| same(tail, constant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_are_compared_to_the_last_byte() {
        for length in 0..40 {
            let text: Vec<u8> = (0..length).map(|at| b'a' + at as u8 % 26).collect();
            assert!(same(&text, &text) && starts(&text, &text) && ends(&text, &text));
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'!';
                assert!(!same(&text, &other), "{length}, {at}");
                assert!(!starts(&text, &other) && !ends(&text, &other));
                assert!(starts(&text, &text[..at]) && ends(&text, &text[at..]));
                assert!(!same(&text, &text[..at]) && !starts(&text[..at], &text) && !ends(&text[..at], &text));
            }
        }
    }
}
