//! The vocabulary: every attribute by name, slot and wire number.

use std::{collections::HashMap, sync::LazyLock};

/// Index of an attribute in the vocabulary and in every [`crate::Bag`]; the constants are in [`slot`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub(crate) u16);

impl Slot {
    /// The position in [`vocabulary`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// What the vocabulary says of this attribute.
    #[must_use]
    pub fn attribute(self) -> &'static Attribute {
        // INVARIANT: slots are made only from the table.
        #[allow(clippy::indexing_slicing)]
        &TABLE[self.index()]
    }
}

/// The type of an attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// UTF-8 text.
    String,
    /// 64-bit signed integer.
    Int,
    /// True or false.
    Bool,
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// Nanoseconds.
    Duration,
    /// String to string.
    Map,
    /// String to list of strings.
    ListMap,
    /// String to any value of JSON.
    Struct,
}

/// When an attribute is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Known when a check is made.
    Request,
    /// Known only when the request is reported.
    Response,
}

/// One attribute of the vocabulary.
#[derive(Debug)]
pub struct Attribute {
    /// Its name in expressions and manifests.
    pub name: &'static str,
    /// The type of its value.
    pub ty: Type,
    /// Where it stands in a bag.
    pub slot: Slot,
    /// Its number in `weir.v1`.
    pub wire: u32,
    /// When it is known.
    pub phase: Phase,
    /// Differs from request to request by nature: a verdict that reads it is never cached.
    pub volatile: bool,
    /// Leaves the process only as a keyed hash.
    pub sensitive: bool,
    /// Every HTTP request that reaches the policy has it.
    pub always: bool,
    /// Which door supplies it, and from what.
    pub from: &'static str,
    /// When it is absent.
    pub absent: &'static str,
}

impl Attribute {
    /// Whether the runtime finds it out from other attributes, whatever the proxy says.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        self.from.starts_with("derived")
    }
}

/// The slot of each attribute.
pub mod slot {
    use super::Slot;
    include!(concat!(env!("OUT_DIR"), "/slots.rs"));
}

include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// Every attribute, in slot order.
#[must_use]
pub fn vocabulary() -> &'static [Attribute] {
    TABLE
}

/// The attribute of that exact name.
#[must_use]
pub fn lookup(name: &str) -> Option<&'static Attribute> {
    static NAMES: LazyLock<HashMap<&'static str, &'static Attribute>> =
        LazyLock::new(|| TABLE.iter().map(|attribute| (attribute.name, attribute)).collect());
    NAMES.get(name).copied()
}

/// The attribute of that number in `weir.v1`; none for a number of a newer version.
#[must_use]
pub fn by_wire(wire: u32) -> Option<&'static Attribute> {
    static WIRES: LazyLock<Vec<Option<&'static Attribute>>> = LazyLock::new(|| {
        let highest = TABLE.iter().map(|attribute| attribute.wire as usize).max().unwrap_or(0);
        let mut wires = vec![None; highest + 1];
        for attribute in TABLE {
            if let Some(place) = wires.get_mut(attribute.wire as usize) {
                *place = Some(attribute);
            }
        }
        wires
    });
    WIRES.get(wire as usize).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attribute_is_found_by_name_wire_and_slot() {
        for attribute in vocabulary() {
            assert!(std::ptr::eq(lookup(attribute.name).expect("by name"), attribute));
            assert!(std::ptr::eq(by_wire(attribute.wire).expect("by wire"), attribute));
            assert!(std::ptr::eq(attribute.slot.attribute(), attribute));
        }
        assert_eq!(vocabulary().len(), slot::COUNT);
        assert!(lookup("request.methods").is_none());
        assert!(by_wire(0).is_none());
        assert!(by_wire(u32::MAX).is_none());
    }
}
