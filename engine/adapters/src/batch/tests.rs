#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use weir_attributes::{Bag, Slot, slot};

use super::*;
use crate::symbols::Symbols;

fn input(slot: Slot, optional: bool) -> Input {
    Input { optional, ..crate::manifest::attribute(slot.attribute().name).unwrap() }
}

#[test]
fn equal_texts_are_one_symbol_and_absent_ones_are_marked() {
    let inputs =
        [input(slot::REQUEST_METHOD, true), input(slot::RESPONSE_CODE, true), input(slot::REQUEST_HEADERS, true)];
    let bags = [
        Bag::builder().text(slot::REQUEST_METHOD, "GET").int(slot::RESPONSE_CODE, 200).header("x-a", "GET").build(),
        Bag::builder().int(slot::RESPONSE_CODE, 404).build(),
        Bag::builder().text(slot::REQUEST_METHOD, "GET").int(slot::RESPONSE_CODE, 500).build(),
    ];
    let rows = Rows::gather(&inputs, bags.iter(), &Mask::new(&[1; 32]).unwrap());
    assert_eq!((rows.count, rows.skipped), (3, 0));
    let mut interner = Interner::default();
    let cells = rows.cells(&inputs, &mut interner);
    assert_eq!(interner.texts(), ["GET", "x-a"]);
    assert!(matches!(&cells[0].values, Values::Texts(texts) if texts == &[0, 0, 0]));
    assert_eq!(cells[0].present, [true, false, true]);
    assert!(matches!(&cells[1].values, Values::Ints(ints) if ints == &[200, 404, 500]));
    assert!(cells[1].present.is_empty(), "a column that is full needs no marks");
    assert!(matches!(&cells[2].values, Values::Pairs(rows) if rows[0] == [(1, 0)] && rows[1].is_empty()));
    let mut symbols = Symbols::of(interner.texts());
    assert_eq!(symbols.get(1).as_deref(), Some("x-a"));
    assert!(std::ptr::eq(symbols.get(0).unwrap().as_ptr(), symbols.get(0).unwrap().as_ptr()));
    assert_eq!(symbols.get(2), None);
}

#[test]
fn a_row_without_a_required_input_is_left_out_and_counted() {
    let inputs = [input(slot::RESPONSE_CODE, true), input(slot::REQUEST_METHOD, false)];
    let put = |code| Bag::builder().int(slot::RESPONSE_CODE, code).text(slot::REQUEST_METHOD, "PUT").build();
    let bags = [put(200), Bag::builder().int(slot::RESPONSE_CODE, 404).build(), put(500)];
    let rows = Rows::gather(&inputs, bags.iter(), &Mask::new(&[1; 32]).unwrap());
    assert_eq!((rows.count, rows.skipped), (2, 1));
    let mut interner = Interner::default();
    let cells = rows.cells(&inputs, &mut interner);
    assert!(matches!(&cells[0].values, Values::Ints(ints) if ints == &[200, 500]), "nothing of it is left");
    assert!(matches!(&cells[1].values, Values::Texts(texts) if texts == &[0, 0]));
}
