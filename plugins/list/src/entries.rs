//! Entries of a list, ready to be asked.

use std::collections::HashSet;
use std::net::IpAddr;

use ipnet::IpNet;
use regex_lite::Regex;
use serde::Deserialize;

/// How an entry is compared.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum EntryType {
    #[default]
    Strings,
    CaseInsensitiveStrings,
    /// IP addresses and CIDR blocks.
    Addresses,
    /// Patterns, of which one must match somewhere in the value.
    Regex,
}

#[derive(Debug)]
pub(crate) enum Entries {
    Strings(HashSet<String>),
    CaseInsensitive(HashSet<String>),
    Blocks(Vec<IpNet>),
    Patterns(Vec<Regex>),
}

impl Entries {
    /// Fails at the first entry that is none.
    pub(crate) fn new<'e>(entry_type: EntryType, entries: impl Iterator<Item = &'e str>) -> Result<Entries, String> {
        Ok(match entry_type {
            EntryType::Strings => Entries::Strings(entries.map(str::to_owned).collect()),
            EntryType::CaseInsensitiveStrings => Entries::CaseInsensitive(entries.map(str::to_lowercase).collect()),
            EntryType::Addresses => Entries::Blocks(entries.map(block).collect::<Result<_, _>>()?),
            EntryType::Regex => {
                let pattern = |entry: &str| Regex::new(entry).map_err(|error| format!("{entry:?}: {error}"));
                Entries::Patterns(entries.map(pattern).collect::<Result<_, _>>()?)
            }
        })
    }

    pub(crate) fn contains(&self, value: &str) -> bool {
        match self {
            Entries::Strings(entries) => entries.contains(value),
            Entries::CaseInsensitive(entries) => entries.contains(&value.to_lowercase()),
            Entries::Blocks(blocks) => {
                let address: Result<IpAddr, _> = value.parse();
                address.is_ok_and(|address| blocks.iter().any(|block| block.contains(&address.to_canonical())))
            }
            Entries::Patterns(patterns) => patterns.iter().any(|pattern| pattern.is_match(value)),
        }
    }
}

fn block(entry: &str) -> Result<IpNet, String> {
    let alone = || entry.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    entry.parse::<IpNet>().or_else(|_| alone()).map_err(|_| format!("{entry:?} is no IP address and no CIDR block"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Entries, EntryType};

    #[test]
    fn an_entry_is_compared_as_its_type_says() {
        for (entry_type, entry, inside, outside) in [
            (EntryType::Strings, "Alice", "Alice", "alice"),
            (EntryType::CaseInsensitiveStrings, "Ärger", "äRGER", "arger"),
            (EntryType::Addresses, "10.0.0.0/8", "10.1.2.3", "11.0.0.1"),
            (EntryType::Addresses, "10.0.0.7", "::ffff:10.0.0.7", "10.0.0.70"),
            (EntryType::Addresses, "fd00::/8", "fd12::1", "fe80::1"),
            (EntryType::Regex, "^v[0-9]+$", "v12", "v12x"),
        ] {
            let entries = Entries::new(entry_type, [entry].into_iter()).unwrap();
            assert!(entries.contains(inside), "{entry}: {inside}");
            assert!(!entries.contains(outside), "{entry}: {outside}");
        }
    }

    #[test]
    fn what_is_no_entry_is_named() {
        for (entry_type, entry) in [(EntryType::Addresses, "10.0.0.0/33"), (EntryType::Regex, "(")] {
            assert!(Entries::new(entry_type, [entry].into_iter()).unwrap_err().contains(entry));
        }
    }
}
