#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn what_is_read_is_written_as_it_was() {
    for text in [
        "{}",
        r#"{"a":null,"b":true,"c":[1,-2,0,1.5,1e300],"d":{"e":"x"}}"#,
        r#"{"a":"\"\\\n\u0001é😀"}"#,
        r#"{"max":9223372036854775807,"min":-9223372036854775808}"#,
    ] {
        assert_eq!(Struct::parse(text.as_bytes()).unwrap().to_string(), text);
    }
}

#[test]
fn numbers_are_whole_where_they_are() {
    let map = Struct::parse(br#"{"a":1,"b":1.0,"c":1e2,"d":9223372036854775808}"#).unwrap();
    assert_eq!(map.get("a"), Some(&Json::Int(1)));
    assert_eq!(map.get("b"), Some(&Json::Double(1.0)));
    assert_eq!(map.get("c").unwrap().as_number(), Some(100));
    assert_eq!(map.get("d").unwrap().as_number(), Some(i64::MAX));
    assert_eq!(map.get("e"), None);
}

#[test]
fn escapes_are_read_and_half_ones_refused() {
    let map = Struct::parse(br#" { "a" : "\u00e9\ud83d\ude00\/\b\f" } "#).unwrap();
    assert_eq!(map.str("a"), Some("é😀/\u{8}\u{c}"));
    for bad in [r#"{"a":"\ud83d"}"#, r#"{"a":"\ud83dx"}"#, r#"{"a":"\ude00"}"#, r#"{"a":"\x"}"#, r#"{"a":"\u12"}"#] {
        assert!(matches!(Struct::parse(bad.as_bytes()), Err(JsonError::Syntax(_))), "{bad}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for bad in [
        "",
        "[]",
        "1",
        "{",
        "{}x",
        "{a:1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":1e999}",
        "{\"a\":NaN}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"",
        "{\"a\":[1,]}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\":tru}",
        "{'a':1}",
        "\u{feff}{}",
    ] {
        assert!(matches!(Struct::parse(bad.as_bytes()), Err(JsonError::Syntax(_))), "{bad}");
    }
    assert!(matches!(Struct::parse(b"{\"a\":\"\xff\"}"), Err(JsonError::Syntax(_))));
    assert_eq!(Struct::parse(br#"{"a":1,"a":2}"#), Err(JsonError::Duplicate));
    assert_eq!(Struct::parse(br#"{"a":1,"\u0061":2}"#), Err(JsonError::Duplicate));
}

#[test]
fn depth_and_size_end_at_their_limits() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(Struct::parse(nested(JSON_DEPTH_MAX - 1).as_bytes()).is_ok());
    assert_eq!(Struct::parse(nested(JSON_DEPTH_MAX).as_bytes()), Err(JsonError::TooDeep));
    assert_eq!(Struct::parse(nested(500_000).as_bytes()), Err(JsonError::TooDeep));
    assert_eq!(Struct::parse(&vec![b' '; JSON_BYTES_MAX + 1]), Err(JsonError::TooLarge));
    let many = format!("{{\"a\":[{}0]}}", "0,".repeat(JSON_BYTES_MAX / size_of::<Json>()));
    assert_eq!(Struct::parse(many.as_bytes()), Err(JsonError::TooLarge));
    let long = Json::string(&"x".repeat(JSON_BYTES_MAX));
    assert_eq!(List::new(vec![long]), Err(JsonError::TooLarge));
    let mut value = Json::Null;
    for _ in 0..JSON_DEPTH_MAX {
        value = Json::List(List::new(vec![value]).unwrap());
    }
    assert_eq!(List::new(vec![value.clone()]), Err(JsonError::TooDeep));
    assert_eq!(Struct::new(vec![("a".into(), value)]), Err(JsonError::TooDeep));
}
