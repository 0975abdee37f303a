//! Changes to the request's headers that later phases see.

use weir_attributes::{Bag, slot};

use crate::verdict::{HeaderOperation, Side};

/// Changes the request as its upstream will get it; what changes the response is left alone.
pub(super) fn apply(operations: &[HeaderOperation], bag: &mut Bag) {
    let mut changed = false;
    for operation in operations {
        match operation {
            HeaderOperation::Set(Side::Request, name, value) => bag.set_header(name.as_str(), value.as_str()),
            HeaderOperation::Append(Side::Request, name, value) => bag.add_header(name.as_str(), value.as_str()),
            HeaderOperation::Remove(Side::Request, name) => bag.remove_header(name.as_str()),
            _ => continue,
        }
        changed = true;
    }
    if changed {
        // Derived from headers by `prepare`, so derived again.
        for (slot, name) in [(slot::REQUEST_USERAGENT, "user-agent"), (slot::REQUEST_REFERER, "referer")] {
            bag.clear(slot);
            bag.set_from_header(slot, name);
        }
    }
}
