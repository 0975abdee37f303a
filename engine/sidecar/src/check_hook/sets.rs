//! The referenced sets that one stream has told: each in full the first time, by its number alone from then on.

use std::{collections::HashMap, sync::Arc};

use weir_proto::v1;

use crate::{cache::Referenced, limits};

/// Lives as long as its stream and reads every answer in order, also those that nobody waits for any more: otherwise a
/// number could not be told from an empty set.
#[derive(Debug, Default)]
pub(super) struct Sets(HashMap<u64, Option<Arc<Referenced>>>);

impl Sets {
    /// The set of an answer; none when the verdict cannot be cached.
    pub(super) fn read(&mut self, told: &v1::Referenced) -> Option<Arc<Referenced>> {
        let bare = told.attributes.is_empty() && told.headers.is_empty() && !told.all_headers;
        if bare && let Some(known) = self.0.get(&told.number) {
            return known.clone();
        }
        let room = self.0.len() < limits::REFERENCED_SETS_MAX;
        if bare && !room {
            // It may have been told when there was no room for it.
            return None;
        }
        let set = Referenced::read(told).map(Arc::new);
        if room || self.0.contains_key(&told.number) {
            self.0.insert(told.number, set.clone());
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: u64, attributes: &[u32]) -> v1::Referenced {
        v1::Referenced { number, attributes: attributes.to_vec(), ..v1::Referenced::default() }
    }

    #[test]
    fn a_number_alone_is_the_set_that_was_told_before() {
        let mut sets = Sets::default();
        let full = sets.read(&told(7, &[1, 2]));
        assert!(full.is_some());
        assert_eq!(sets.read(&told(7, &[])), full);
        assert_eq!(sets.read(&told(8, &[])), Some(Arc::new(Referenced::default())), "told in full: it is empty");
        assert_eq!(sets.read(&told(9, &[9_999])), None, "an attribute of a newer version");
        assert_eq!(sets.read(&told(9, &[])), None, "and it stays uncacheable");
    }

    #[test]
    fn a_number_that_may_have_been_forgotten_is_not_an_empty_set() {
        let mut sets = Sets::default();
        for number in 0..limits::REFERENCED_SETS_MAX as u64 + 1 {
            assert!(sets.read(&told(number, &[1])).is_some());
        }
        assert_eq!(sets.read(&told(limits::REFERENCED_SETS_MAX as u64, &[])), None);
        assert!(sets.read(&told(0, &[])).is_some());
    }
}
