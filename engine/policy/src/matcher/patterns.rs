//! Exact `abc`, prefix `abc*`, suffix `*abc`, presence `*`. A leading star wins: `*a*` is the suffix `a*`; a star in the
//! middle is a star.

use weir_cel::Atom;

/// What the pattern `*` asks of a value that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// An empty value counts (headers, hosts, methods).
    Any,
    /// It must not be empty (paths, identities, SNI).
    NonEmpty,
}

/// One pattern.
#[derive(Clone, Debug)]
pub(crate) enum Pattern<'p> {
    Exact(&'p str),
    Prefix(&'p str),
    /// UTF-8.
    Suffix(Vec<u8>),
    Present(Presence),
}

/// A set of patterns, asked in time that grows with its logarithm.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    /// Sorted.
    exact: Box<[Box<str>]>,
    /// Sorted; none is a prefix of another, so only the greatest one below a text can be its prefix.
    prefixes: Box<[Box<str>]>,
    /// As `prefixes`, each reversed byte by byte.
    suffixes: Box<[Box<[u8]>]>,
    present: Option<Presence>,
}

impl Patterns {
    pub(crate) fn new<'v>(values: impl IntoIterator<Item = &'v str>, presence: Presence) -> Self {
        let (mut exact, mut prefixes, mut suffixes) = (Vec::new(), Vec::new(), Vec::new());
        let mut present = None;
        for value in values {
            if value == "*" {
                present = Some(presence);
            } else if let Some(suffix) = value.strip_prefix('*') {
                suffixes.push(suffix.bytes().rev().collect::<Box<[u8]>>());
            } else if let Some(prefix) = value.strip_suffix('*') {
                prefixes.push(Box::from(prefix));
            } else {
                exact.push(Box::from(value));
            }
        }
        exact.sort_unstable();
        exact.dedup();
        prefixes.sort_unstable();
        prefixes.dedup_by(|longer, shorter: &mut Box<str>| longer.starts_with(&**shorter));
        suffixes.sort_unstable();
        suffixes.dedup_by(|longer, shorter: &mut Box<[u8]>| longer.starts_with(shorter));
        Self { exact: exact.into(), prefixes: prefixes.into(), suffixes: suffixes.into(), present }
    }

    /// Every pattern.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Pattern<'_>> {
        let exact = self.exact.iter().map(|text| Pattern::Exact(text));
        let prefixes = self.prefixes.iter().map(|text| Pattern::Prefix(text));
        let suffixes = self.suffixes.iter().map(|backwards| Pattern::Suffix(backwards.iter().rev().copied().collect()));
        exact.chain(prefixes).chain(suffixes).chain(self.present.map(Pattern::Present))
    }

    /// That text alone; a star in it is a star.
    pub(crate) fn exact(value: &str) -> Self {
        Self { exact: [Box::from(value)].into(), ..Self::default() }
    }

    /// Whether any pattern matches that value.
    pub(crate) fn matches(&self, value: &str) -> bool {
        match self.present {
            Some(Presence::Any) => return true,
            Some(Presence::NonEmpty) if !value.is_empty() => return true,
            _ => {}
        }
        self.has_exact(value) || self.has_prefix(value) || self.has_suffix(value)
    }

    /// What a value that matches is, starts or ends with; none when `*` is among the patterns.
    pub(crate) fn atoms(&self) -> Option<Box<[Atom]>> {
        let atom = |pattern| match pattern {
            Pattern::Exact(text) => Some(Atom::Exact(text.into())),
            Pattern::Prefix(text) => Some(Atom::Prefix(text.into())),
            Pattern::Suffix(text) => Some(Atom::Suffix(String::from_utf8(text).ok()?.into())),
            Pattern::Present(_) => None,
        };
        self.iter().map(atom).collect()
    }

    /// Whether `*` is among the patterns.
    pub(crate) fn wants_presence(&self) -> bool {
        self.present.is_some()
    }

    fn has_exact(&self, value: &str) -> bool {
        match &*self.exact {
            [] => false,
            [only] => **only == *value,
            many => many.binary_search_by(|exact| (**exact).cmp(value)).is_ok(),
        }
    }

    fn has_prefix(&self, value: &str) -> bool {
        let above = self.prefixes.partition_point(|prefix| **prefix <= *value);
        above.checked_sub(1).and_then(|at| self.prefixes.get(at)).is_some_and(|prefix| value.starts_with(&**prefix))
    }

    fn has_suffix(&self, value: &str) -> bool {
        if self.suffixes.is_empty() {
            return false;
        }
        let backwards = || value.bytes().rev();
        let above = self.suffixes.partition_point(|suffix| suffix.iter().copied().le(backwards()));
        let below = above.checked_sub(1).and_then(|at| self.suffixes.get(at));
        below.is_some_and(|suffix| {
            suffix.len() <= value.len() && suffix.iter().copied().eq(backwards().take(suffix.len()))
        })
    }
}
