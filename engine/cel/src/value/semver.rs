//! Semantic versions.

use std::{cmp::Ordering, fmt};

/// A semantic version. Its build metadata is kept, but two versions that differ in nothing else are equal.
#[derive(Clone, Debug)]
pub struct Semver(semver::Version);

impl Semver {
    /// Reads `major.minor.patch-prerelease+build`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        semver::Version::parse(text).ok().map(Self)
    }

    /// The same of what people write: a `v` before it, zeros before numbers, and no minor or patch number where the
    /// others are all there is.
    pub(crate) fn parse_loose(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_zeros).collect();
        if parts.len() < 3 && parts.last()?.contains(['-', '+']) {
            return None;
        }
        parts.resize(3, "0".to_owned());
        Self::parse(&parts.join("."))
    }

    pub(crate) fn major(&self) -> u64 {
        self.0.major
    }

    pub(crate) fn minor(&self) -> u64 {
        self.0.minor
    }

    pub(crate) fn patch(&self) -> u64 {
        self.0.patch
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.0.pre.len() + self.0.build.len()
    }

    /// By precedence: build metadata does not count.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

/// A part without the zeros before its number.
fn without_zeros(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    let digit = rest.starts_with(|first: char| first.is_ascii_digit());
    if digit { rest.to_owned() } else { format!("0{rest}") }
}

impl PartialEq for Semver {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Equal
    }
}

impl Eq for Semver {}

impl fmt::Display for Semver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
