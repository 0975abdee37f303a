//! The header lines of a message, in order, duplicates kept.

use std::borrow::Cow;

use crate::{Bag, bag::Line, world::Splits};

/// The header lines of a bag's request or response. Names are in lower case; values are trimmed of optional white space.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    pub(crate) bag: &'a Bag,
    pub(crate) lines: &'a [Line],
    /// The proxy joined the lines of one name by commas before it told us.
    pub(crate) joined: bool,
    pub(crate) splits: Option<&'a Splits>,
}

impl<'a> Headers<'a> {
    /// The values of that name, one a line, as this world has them.
    #[must_use]
    pub fn lines(self, name: &str) -> Lines<'a, '_> {
        let mask = self.splits.map_or(0, |splits| splits.mask(name));
        Lines { headers: self, name, next: 0, rest: None, mask }
    }

    /// All lines of that name joined by a comma, as Envoy's `request.headers` has them; borrowed when there is one line.
    #[must_use]
    pub fn joined(self, name: &str) -> Option<Cow<'a, str>> {
        let mut matching =
            self.lines.iter().filter(|line| self.bag.text(line.name) == name).map(|line| self.bag.text(line.value));
        let first = matching.next()?;
        let Some(second) = matching.next() else { return Some(Cow::Borrowed(first)) };
        let mut all = String::with_capacity(first.len() + second.len() + 1);
        all.push_str(first);
        for value in std::iter::once(second).chain(matching) {
            all.push(',');
            all.push_str(value);
        }
        Some(Cow::Owned(all))
    }

    /// Whether there is a line of that name, an empty one included.
    #[must_use]
    pub fn contains(self, name: &str) -> bool {
        self.lines.iter().any(|line| self.bag.text(line.name) == name)
    }

    /// Every line as name and value, in order, as the proxy told it.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.lines.iter().map(move |line| (self.bag.text(line.name), self.bag.text(line.value)))
    }

    /// The different names, in order of their first line.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        self.lines.iter().enumerate().filter_map(move |(index, line)| {
            let name = self.bag.text(line.name);
            let seen = self.lines.iter().take(index).any(|earlier| self.bag.text(earlier.name) == name);
            (!seen).then_some(name)
        })
    }

    /// Whether the proxy joined the lines of one name by commas before it told us, so that `a,b` may be one line or two.
    #[must_use]
    pub fn joined_by_proxy(self) -> bool {
        self.joined
    }

    /// Whether the lines of that name are in doubt: the proxy joined them, there is a comma, and this world has not decided.
    #[must_use]
    pub fn is_doubtful(self, name: &str) -> bool {
        self.joined
            && !self.splits.is_some_and(|splits| splits.decides(name))
            && self.lines.iter().any(|line| self.bag.text(line.name) == name && self.bag.text(line.value).contains(','))
    }
}

/// Iterator over the values of one header name.
#[derive(Debug)]
pub struct Lines<'a, 'n> {
    headers: Headers<'a>,
    name: &'n str,
    next: usize,
    rest: Option<&'a str>,
    /// Bit n set: the n-th comma of the joined value separates two lines.
    mask: u32,
}

impl<'a> Iterator for Lines<'a, '_> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let value = match self.rest.take() {
            Some(rest) => rest,
            None => loop {
                let line = self.headers.lines.get(self.next)?;
                self.next += 1;
                if self.headers.bag.text(line.name) == self.name {
                    break self.headers.bag.text(line.value);
                }
            },
        };
        for (comma, _) in value.match_indices(',') {
            let split = self.mask & 1 == 1;
            self.mask >>= 1;
            if split {
                let (head, tail) = value.split_at(comma);
                self.rest = tail.get(1..).map(trim);
                return Some(trim(head));
            }
        }
        Some(value)
    }
}

/// Optional white space of RFC 9110 §5.6.3: spaces and tabs.
pub(crate) fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}
