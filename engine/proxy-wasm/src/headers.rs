//! Header lines in order, as Envoy keeps them: names in lower case, pseudo-headers once each and first.

use crate::{HEADER_BYTES_MAX, HEADER_LINES_MAX};

/// Header lines of a request, response or call, pseudo-headers (`:path`) among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    lines: Vec<(String, Vec<u8>)>,
    /// A filter has written to it.
    changed: bool,
}

impl Headers {
    /// No lines, with room for so many.
    #[must_use]
    pub fn with_capacity(lines: usize) -> Self {
        Self { lines: Vec::with_capacity(lines), changed: false }
    }

    /// Appends a line.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        self.lines.push((name.to_ascii_lowercase(), value.to_vec()));
    }

    /// Every line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        self.lines.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// As Envoy: in a request `host` is another name of `:authority`.
    fn known<'a>(&self, name: &'a str) -> &'a str {
        let request = || self.lines.iter().any(|(have, _)| [":authority", ":method", ":path"].contains(&have.as_str()));
        if name.eq_ignore_ascii_case("host") && request() { ":authority" } else { name }
    }

    /// The value of the first line of that name, which is in lower case.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        let name = self.known(name);
        self.lines.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_slice())
    }

    /// The values of all lines of that name, joined by commas; none without a line.
    #[must_use]
    pub fn joined(&self, name: &str) -> Option<Vec<u8>> {
        let name = self.known(name);
        let mut values = self.lines.iter().filter(|(have, _)| have == name).map(|(_, value)| value);
        let mut all = values.next()?.clone();
        for value in values {
            all.push(b',');
            all.extend_from_slice(value);
        }
        Some(all)
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Bytes of names and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lines.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// Whether a filter wrote to it since the last call of this.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// A filter adds a line; to a pseudo-header, of which there is only one, the value is appended.
    pub(crate) fn add(&mut self, name: &str, value: &[u8]) -> bool {
        if !self.has_room(name, value) {
            return false;
        }
        self.changed = true;
        let name = self.known(name).to_ascii_lowercase();
        match self.lines.iter_mut().find(|(have, _)| name.starts_with(':') && *have == name) {
            Some((_, have)) => {
                have.push(b',');
                have.extend_from_slice(value);
            }
            None => self.lines.push((name, value.to_vec())),
        }
        true
    }

    /// A filter leaves one line of that name; it moves to the end, unless it is a pseudo-header.
    pub(crate) fn replace(&mut self, name: &str, value: &[u8]) -> bool {
        if !self.has_room(name, value) {
            return false;
        }
        self.changed = true;
        let name = self.known(name).to_ascii_lowercase();
        match self.lines.iter_mut().find(|(have, _)| name.starts_with(':') && *have == name) {
            Some((_, have)) => value.clone_into(have),
            None => {
                self.lines.retain(|(have, _)| *have != name);
                self.lines.push((name, value.to_vec()));
            }
        }
        true
    }

    /// A filter removes the lines of that name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.changed = true;
        let name = self.known(name).to_ascii_lowercase();
        self.lines.retain(|(have, _)| *have != name);
    }

    /// A filter puts these lines in the place of all.
    pub(crate) fn replace_all(&mut self, with: Headers) -> bool {
        if !with.fits() {
            return false;
        }
        // Each line by itself: pseudo-headers are one each, whatever the filter says.
        *self = Headers { lines: Vec::with_capacity(with.len()), changed: true };
        for (name, value) in &with.lines {
            self.add(name, value);
        }
        true
    }

    /// Whether there are no more lines and bytes than a message may have.
    pub(crate) fn fits(&self) -> bool {
        self.len() <= HEADER_LINES_MAX && self.bytes() <= HEADER_BYTES_MAX
    }

    fn has_room(&self, name: &str, value: &[u8]) -> bool {
        self.len() < HEADER_LINES_MAX && self.bytes() + name.len() + value.len() <= HEADER_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn lines(headers: &Headers) -> Vec<String> {
        headers.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value))).collect()
    }

    #[test]
    fn names_are_one_in_any_case_and_a_pseudo_header_stays_in_its_place() {
        let mut headers = Headers::default();
        headers.push(":path", b"/");
        headers.push("X-A", b"1");
        headers.push("x-b", b"2");
        assert!(headers.add("x-A", b"3"));
        assert_eq!(lines(&headers), [":path=/", "x-a=1", "x-b=2", "x-a=3"]);
        assert_eq!(headers.joined("x-a").unwrap(), b"1,3");
        assert!(headers.replace("X-a", b"4") && headers.replace(":path", b"/b"));
        assert_eq!(lines(&headers), [":path=/b", "x-b=2", "x-a=4"]);
        headers.remove("X-B");
        assert!(headers.add(":path", b"c"));
        assert!(headers.add(":authority", b"a") && headers.replace("Host", b"b"));
        assert_eq!((headers.first("host"), headers.first(":authority")), (Some(&b"b"[..]), Some(&b"b"[..])));
        headers.remove("host");
        assert_eq!(lines(&headers), [":path=/b,c", "x-a=4"]);
    }

    #[test]
    fn a_filter_cannot_write_without_end() {
        let mut headers = Headers::default();
        assert!(!headers.add("x", &vec![b'a'; HEADER_BYTES_MAX]));
        while headers.add("x", b"") {}
        assert_eq!(headers.len(), HEADER_LINES_MAX);
        let mut many = Headers::default();
        (0..=HEADER_LINES_MAX).for_each(|_| many.push("x", b""));
        assert!(!headers.replace_all(many));
    }
}
