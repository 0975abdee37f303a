//! What the parts of an evaluation that several operations share take from the budget.

use super::{
    bounds::{Bounds, Spend},
    extent::{Extent, Whole},
};
use crate::{
    functions::OPTIONAL_BYTES,
    value::{ENTRY_BYTES, Value},
};

const VALUE: u64 = size_of::<Value<'_>>() as u64;
const ENTRY: u64 = ENTRY_BYTES as u64;
const OPTIONAL: u64 = OPTIONAL_BYTES as u64;

/// The bytes of a list of so many elements, without what they hold.
pub(crate) fn list_bytes(len: Bounds) -> Bounds {
    len.times(Bounds::exactly(VALUE))
}

fn steps(most: u64) -> Spend {
    Spend::steps(Bounds::at_most(most))
}

/// `value::equal`.
pub(crate) fn equality(a: &Extent, b: &Extent) -> Spend {
    let flat = |side: &Extent| side.may_be_flat() && !side.is_any();
    if flat(a) || flat(b) {
        return Spend::read(Bounds::at_most(a.len().max.min(b.len().max)));
    }
    if ![a, b].iter().any(|side| side.is_any() || side.may_be_map()) {
        // Two lists, two optionals, or one of each, which are not compared.
        let len = a.len().max.min(b.len().max);
        return steps(len) + equality(&a.element(), &b.element()).times(Bounds::at_most(len));
    }
    let (a, b) = (a.whole(), b.whole());
    let parts = a.parts.min(b.parts);
    // Lists of JSON are made anew.
    let anew = [a, b].iter().filter(|side| side.counting > 0).fold(0, |parts, side| side.parts.saturating_add(parts));
    let bytes = a.bytes.saturating_add(b.bytes);
    // The keys are listed and looked for in both, and values that have to be joined are.
    let listed = parts.saturating_add(anew).saturating_mul(VALUE);
    let grown = Bounds::at_most(listed.saturating_add(bytes.saturating_mul(2)));
    let counting = a.counting.saturating_add(b.counting).saturating_mul(3);
    let walked = parts.saturating_mul(2).saturating_add(bytes.saturating_mul(3) / 64);
    Spend::grow(grown) + steps(walked.saturating_add(counting).saturating_add(parts).saturating_add(anew))
}

/// `Map::get` and `Map::has`, on what may be a map.
pub(crate) fn search(map: &Extent, key: &Extent) -> Spend {
    let length = key.len().max;
    let counting = map.counting();
    if counting == 0 {
        return steps(length / 64);
    }
    // Of a map of the request the lines are known, of what may be one the square of them.
    let lines = if map.is_any() { counting } else { map.len().max / 16 };
    steps(lines.saturating_add(length / 64)) + Spend::grow(Bounds::at_most(length))
}

/// The value of a map of the request at some key: it may have to be joined, or listed.
pub(crate) fn found(map: &Extent) -> Spend {
    if map.counting() == 0 {
        return Spend::default();
    }
    let value = map.element();
    let bytes = if value.is_any() {
        // A list of JSON.
        let Whole { parts, bytes, .. } = value.whole();
        return steps(parts) + Spend::grow(Bounds::at_most(bytes.saturating_add(parts.saturating_mul(VALUE))));
    } else if value.may_be_list() {
        value.len().max.saturating_mul(VALUE)
    } else {
        value.len().max
    };
    Spend::grow(Bounds::at_most(bytes))
}

/// `Map::keys`, on what may be a map.
pub(crate) fn keys(map: &Extent) -> Spend {
    steps(map.counting()) + Spend::grow(list_bytes(map.count()))
}

/// Keeping the value of a variable.
pub(crate) fn keeping(value: &Extent) -> Spend {
    let len = value.len();
    let grow = |bytes: u64| Spend::grow(Bounds::at_most(bytes));
    if value.is_any() || value.is_lined() {
        let whole = value.whole();
        let beside = whole.parts.saturating_mul(ENTRY.max(VALUE).max(OPTIONAL));
        // The counting is done twice, and lists of JSON are gone through.
        let walked = whole.counting.saturating_mul(2).saturating_add(whole.parts);
        return grow(beside.saturating_add(whole.bytes)) + steps(walked);
    }
    if value.may_be_flat() {
        return Spend::grow(Bounds::at_most(len.max));
    }
    let each = Bounds::at_most(value.count().max);
    if value.may_be_map() {
        let one = grow(ENTRY) + keeping(&value.key()) + keeping(&value.element());
        return one.times(each);
    }
    if value.may_be_list() {
        let element = value.element();
        if element.may_be_flat() && !element.is_any() {
            return Spend::grow(list_bytes(each)) + grow(value.whole().bytes);
        }
        return Spend::grow(list_bytes(each)) + keeping(&element).times(each);
    }
    grow(OPTIONAL) + keeping(&value.element())
}

/// The bytes of one entry of a map that is being made.
pub(crate) fn entry(key: &Extent) -> Spend {
    Spend::grow(Bounds::exactly(ENTRY)) + steps(key.len().max / 64)
}

/// An optional around a value.
pub(crate) fn optional() -> Spend {
    Spend::grow(Bounds::exactly(OPTIONAL))
}
