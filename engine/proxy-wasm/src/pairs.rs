//! Lists of pairs as the ABI writes them: a count, two lengths for each pair, then the texts, each with a NUL behind it.

use crate::headers::Headers;

/// A list of pairs in the ABI's form.
pub(crate) fn write<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Vec<u8> {
    let length = |text: &[u8]| (text.len() as u32).to_le_bytes();
    let size: usize = pairs.clone().map(|(name, value)| name.len() + value.len() + 10).sum();
    let mut all = Vec::with_capacity(size + 4);
    all.extend((pairs.clone().count() as u32).to_le_bytes());
    for (name, value) in pairs.clone() {
        all.extend(length(name));
        all.extend(length(value));
    }
    for (name, value) in pairs {
        for text in [name, value] {
            all.extend_from_slice(text);
            all.push(0);
        }
    }
    all
}

/// Reads such a list; none when it is malformed. Nothing is allocated for what is not there.
pub(crate) fn read(bytes: &[u8]) -> Option<Headers> {
    if bytes.is_empty() {
        return Some(Headers::default());
    }
    let (count, rest) = number(bytes)?;
    let lengths = rest.get(..count.checked_mul(8)?)?;
    let mut texts = rest.get(count * 8..)?;
    let mut headers = Headers::default();
    let mut lengths = lengths.chunks_exact(4).filter_map(|four| number(four).map(|(length, _)| length));
    for _ in 0..count {
        let name = text(&mut texts, lengths.next()?)?;
        let value = text(&mut texts, lengths.next()?)?;
        headers.push(std::str::from_utf8(name).ok()?, value);
    }
    Some(headers)
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (four, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*four) as usize, rest))
}

fn text<'a>(texts: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let text = texts.get(..length)?;
    // Some SDKs leave out the last NUL.
    *texts = texts.get(length + 1..).or_else(|| (texts.len() == length).then_some(&[][..]))?;
    Some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn written(headers: &Headers) -> Vec<u8> {
        write(headers.iter().map(|(name, value)| (name.as_bytes(), value)))
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut headers = Headers::default();
        headers.push(":path", b"/a");
        headers.push("x-empty", b"");
        headers.push("X-Upper", b"\xff\x00");
        let read = read(&written(&headers)).unwrap();
        assert_eq!(read, headers);
        assert_eq!(read.iter().last().unwrap().0, "x-upper");
    }

    #[test]
    fn no_bytes_are_no_pairs_and_cut_bytes_are_none_at_all() {
        assert!(read(b"").unwrap().is_empty());
        let mut headers = Headers::default();
        headers.push("name", b"value");
        let whole = written(&headers);
        for cut in 1..whole.len() - 1 {
            assert!(read(&whole[..cut]).is_none(), "{cut}");
        }
        assert!(read(&whole[..whole.len() - 1]).is_some());
        assert!(read(&[0xff; 64]).is_none());
        assert!(read(&[0xff, 0xff, 0xff, 0x1f, 0, 0, 0, 0]).is_none());
    }
}
