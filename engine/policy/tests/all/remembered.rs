//! A cache of verdicts as the sidecar has one: its key is what the ruleset can read of a request, absent values too. Plain
//! connections are kept apart.

use std::collections::HashMap;

use weir_attributes::{Bag, slot};
use weir_policy::Referenced;

use crate::oracle::Decided;

/// The verdicts on requests for one ruleset.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    known: HashMap<String, Decided>,
    /// How often a verdict was known.
    pub(super) hits: u64,
}

impl Remembered {
    /// Forgets the verdicts: another ruleset is asked.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// The verdict on a request that reads the same, if there was one; this one is known from now on.
    pub(super) fn exchange(&mut self, bag: &Bag, referenced: &Referenced, decided: &Decided) -> Option<Decided> {
        let known = self.known.insert(key(bag, referenced), decided.clone());
        self.hits += u64::from(known.is_some());
        known
    }
}

fn key(bag: &Bag, referenced: &Referenced) -> String {
    let slots: Vec<_> = referenced.slots().iter().map(|slot| bag.get(*slot)).collect();
    let lines = |name: &str| bag.headers().lines(name).map(str::to_owned).collect::<Vec<_>>();
    let headers: Vec<_> = referenced.headers().iter().map(|name| lines(name)).collect();
    assert!(!referenced.all_headers(), "no AuthorizationPolicy reads all headers");
    let http = bag.str(slot::REQUEST_METHOD).is_some();
    format!("{http} {slots:?} {headers:?}")
}
