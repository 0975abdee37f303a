//! What a ruleset can read of a request.

use std::sync::Arc;

use weir_attributes::{Slot, slot};

/// Every attribute and header that the pure phases of a ruleset can read: a verdict is the same for two HTTP requests that
/// agree in all of these, absent ones too, and for two connections without HTTP; one is no other's. The key of a verdict cache and the decision log are made from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Referenced {
    slots: Vec<Slot>,
    headers: Vec<Arc<str>>,
    all_headers: bool,
}

impl Referenced {
    /// The attributes, in slot order; header maps are not among them.
    #[must_use]
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The names of the request headers whose lines can be read, in lower case, sorted.
    #[must_use]
    pub fn headers(&self) -> &[Arc<str>] {
        &self.headers
    }

    /// Whether any header can be read: a name is computed, or the whole map is.
    #[must_use]
    pub fn all_headers(&self) -> bool {
        self.all_headers
    }

    /// Whether an attribute is read that differs from request to request by nature: such a verdict is never cached.
    #[must_use]
    pub fn volatile(&self) -> bool {
        self.slots.iter().any(|slot| slot.attribute().volatile)
    }

    /// With attributes, and entries of them, that somebody else reads: an adapter that is asked about the same request.
    #[must_use]
    pub fn with<'r>(&self, reads: impl Iterator<Item = (Slot, Option<&'r str>)>) -> Referenced {
        let mut all = self.clone();
        for (slot, key) in reads {
            match key {
                Some(name) if is_header_map(slot) => all.header(name),
                None if is_header_map(slot) => all.every_header(),
                _ => all.slot(slot),
            }
        }
        all
    }

    /// Adds everything that the other has.
    pub(crate) fn add(&mut self, other: &Referenced) {
        other.slots.iter().for_each(|slot| self.slot(*slot));
        for name in &other.headers {
            if let Err(place) = self.headers.binary_search(name) {
                self.headers.insert(place, name.clone());
            }
        }
        self.all_headers |= other.all_headers;
    }

    pub(crate) fn slot(&mut self, slot: Slot) {
        if let Err(place) = self.slots.binary_search(&slot) {
            self.slots.insert(place, slot);
        }
    }

    pub(crate) fn header(&mut self, name: &str) {
        if let Err(place) = self.headers.binary_search_by(|known| (**known).cmp(name)) {
            self.headers.insert(place, name.into());
        }
    }

    pub(crate) fn every_header(&mut self) {
        self.all_headers = true;
    }
}

pub(crate) fn is_header_map(slot: Slot) -> bool {
    slot == slot::REQUEST_HEADERS || slot == slot::REQUEST_HEADERS_ALL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_reads_is_added_header_by_header() {
        let mut own = Referenced::default();
        own.header("x-b");
        own.slot(slot::REQUEST_METHOD);
        let reads = [(slot::SOURCE_IP, None), (slot::REQUEST_HEADERS, Some("x-a")), (slot::METADATA, Some("team"))];
        let all = own.with(reads.into_iter());
        assert_eq!(all.headers(), ["x-a".into(), "x-b".into()]);
        assert!([slot::REQUEST_METHOD, slot::SOURCE_IP, slot::METADATA].iter().all(|slot| all.slots().contains(slot)));
        assert!(!all.all_headers());
        assert!(own.with([(slot::REQUEST_HEADERS_ALL, None)].into_iter()).all_headers());
    }
}
