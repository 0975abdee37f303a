//! Changes to the request's headers that later phases see.

use weir_attributes::{Bag, slot};

use crate::verdict::{HeaderOperation, Side};

/// Changes the request as its upstream will get it; what changes the response is left alone. Gives the changes as a proxy
/// must do them: a line that is appended where there is none is set.
pub(super) fn apply(mut operations: Vec<HeaderOperation>, bag: &mut Bag) -> Vec<HeaderOperation> {
    let mut changed = false;
    for operation in &mut operations {
        if let HeaderOperation::Append(Side::Request, name, value) = operation
            && !bag.headers().contains(&name.as_str().to_ascii_lowercase())
        {
            *operation = HeaderOperation::Set(Side::Request, name.clone(), value.clone());
        }
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
    operations
}
