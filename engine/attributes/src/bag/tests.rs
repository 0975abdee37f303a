#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::Splits;

fn lines(headers: Headers<'_>, name: &str) -> Vec<String> {
    headers.lines(name).map(str::to_owned).collect()
}

#[test]
fn absent_is_none_and_replacing_keeps_the_last() {
    let mut bag = Bag::default();
    assert!(bag.get(slot::SOURCE_PRINCIPAL).is_none());
    bag.set_text(slot::SOURCE_PRINCIPAL, "a");
    bag.set_text(slot::SOURCE_PRINCIPAL, "bc");
    assert_eq!(bag.str(slot::SOURCE_PRINCIPAL), Some("bc"));
    bag.clear(slot::SOURCE_PRINCIPAL);
    assert!(bag.str(slot::SOURCE_PRINCIPAL).is_none());
}

#[test]
fn a_part_points_into_the_whole_and_never_outside() {
    let mut bag = Bag::builder().text(slot::REQUEST_PATH, "/é?q=1").build();
    bag.set_part(slot::REQUEST_QUERY, slot::REQUEST_PATH, 4..7);
    assert_eq!(bag.str(slot::REQUEST_QUERY), Some("q=1"));
    for bad in [0..99, 2..3, 7..99] {
        bag.clear(slot::REQUEST_QUERY);
        bag.set_part(slot::REQUEST_QUERY, slot::REQUEST_PATH, bad);
        assert!(bag.str(slot::REQUEST_QUERY).is_none());
    }
}

#[test]
fn header_lines_keep_order_and_duplicates_and_join_by_comma() {
    let bag = Bag::builder()
        .header("X-Role", " user\t")
        .header("accept", "*/*")
        .header("x-ROLE", "admin")
        .header("empty", "")
        .build();
    let headers = bag.headers();
    assert_eq!(lines(headers, "x-role"), ["user", "admin"]);
    assert_eq!(headers.joined("x-role").unwrap(), "user,admin");
    assert!(matches!(headers.joined("accept"), Some(std::borrow::Cow::Borrowed("*/*"))));
    assert!(headers.contains("empty"));
    assert!(!headers.contains("x-none"));
    assert_eq!(headers.names().collect::<Vec<_>>(), ["x-role", "accept", "empty"]);
    assert!(!headers.is_doubtful("x-role"));
}

#[test]
fn a_joined_line_is_read_in_every_way_its_commas_allow() {
    let bag = Bag::builder().header("x-role", "a, b,c").joined_by_proxy().build();
    assert!(bag.headers().is_doubtful("x-role"));
    assert_eq!(lines(bag.headers(), "x-role"), ["a, b,c"]);
    for (mask, expected) in
        [(0b00, vec!["a, b,c"]), (0b01, vec!["a", "b,c"]), (0b10, vec!["a, b", "c"]), (0b11, vec!["a", "b", "c"])]
    {
        let mut splits = Splits::new();
        splits.decide("x-role", mask);
        let headers = bag.as_told().with_splits(&splits).headers();
        assert_eq!(lines(headers, "x-role"), expected);
        assert!(!headers.is_doubtful("x-role"));
    }
}

#[test]
fn the_path_has_as_many_readings_as_were_added() {
    let bag = Bag::builder()
        .text(slot::REQUEST_PATH, "/a/../b?q")
        .text(slot::REQUEST_URL_PATH, "/a/../b")
        .path("/b?q", "/b")
        .build();
    assert_eq!(bag.paths(), 2);
    let told = bag.as_told();
    assert_eq!((told.str(slot::REQUEST_PATH), told.str(slot::REQUEST_URL_PATH)), (Some("/a/../b?q"), Some("/a/../b")));
    let other = told.with_path(1);
    assert_eq!((other.str(slot::REQUEST_PATH), other.str(slot::REQUEST_URL_PATH)), (Some("/b?q"), Some("/b")));
    assert!(other.with_path(9).str(slot::REQUEST_PATH).is_none());
}

#[test]
fn numbers_take_the_type_of_their_attribute() {
    let bag =
        Bag::builder().int(slot::REQUEST_TIME, 7).int(slot::REQUEST_DURATION, 8).int(slot::RESPONSE_CODE, 9).build();
    assert!(matches!(bag.get(slot::REQUEST_TIME), Some(Value::Timestamp(7))));
    assert!(matches!(bag.get(slot::REQUEST_DURATION), Some(Value::Duration(8))));
    assert!(matches!(bag.get(slot::RESPONSE_CODE), Some(Value::Int(9))));
}
