#![allow(clippy::unwrap_used, clippy::panic)]

use envoy_types::pb::{
    envoy::{
        config::core::v3::Metadata as Told,
        service::auth::v3::{AttributeContext, CheckRequest},
    },
    google::protobuf::{ListValue, NullValue, Struct as Map, Value, value::Kind},
};
use prost::Message as _;
use weir_attributes::{JSON_BYTES_MAX, JSON_DEPTH_MAX, JsonError, slot};

use super::super::decode;

fn value(kind: Kind) -> Value {
    Value { kind: Some(kind) }
}

fn text(text: &str) -> Value {
    value(Kind::StringValue(text.into()))
}

fn list(values: Vec<Value>) -> Value {
    value(Kind::ListValue(ListValue { values }))
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Map {
    Map { fields: fields.map(|(key, value)| (key.to_owned(), value)).into_iter().collect() }
}

fn frame<const N: usize>(filters: [(&str, Map); N]) -> Vec<u8> {
    let filter_metadata = filters.map(|(name, map)| (name.to_owned(), map)).into_iter().collect();
    let told = Told { filter_metadata, ..Default::default() };
    let attributes = AttributeContext { metadata_context: Some(told), ..Default::default() };
    CheckRequest { attributes: Some(attributes) }.encode_to_vec()
}

#[test]
fn what_other_filters_said_is_a_map_of_json() {
    let inner = map([
        ("text", text("x")),
        ("number", value(Kind::NumberValue(1.5))),
        ("truth", value(Kind::BoolValue(true))),
        ("null", value(Kind::NullValue(NullValue::NullValue as i32))),
        ("list", list(vec![text("a"), list(vec![])])),
        ("map", value(Kind::StructValue(map([("deep", text("b"))])))),
        ("unset", Value { kind: None }),
    ]);
    let frame = frame([("envoy.filters.a", inner), ("envoy.filters.b", Map::default())]);
    let facts = decode(&frame).unwrap();
    let (bag, _) = facts.fill(frame.len());
    let expected = r#"{"envoy.filters.a":{"list":["a",[]],"map":{"deep":"b"},"null":null,"number":1.5,"text":"x","truth":true,"unset":null},"envoy.filters.b":{}}"#;
    assert_eq!(bag.struct_of(slot::METADATA).unwrap().to_string(), expected);
}

#[test]
fn of_two_entries_with_one_key_the_later_counts() {
    let mut twice = frame([("f", map([("k", text("first"))]))]);
    twice.extend(frame([("f", map([("k", text("second"))])), ("g", Map::default())]));
    let metadata = decode(&twice).unwrap().metadata.unwrap().finish().unwrap();
    assert_eq!(metadata.to_string(), r#"{"f":{"k":"second"},"g":{}}"#);
}

#[test]
fn metadata_beyond_the_limits_is_refused_not_cut() {
    let deep = (0..JSON_DEPTH_MAX).fold(text("x"), |inner, _| list(vec![inner]));
    let long = text(&"x".repeat(JSON_BYTES_MAX));
    let many = list(vec![value(Kind::BoolValue(true)); JSON_BYTES_MAX / 16]);
    for (inner, expected) in [(deep, JsonError::TooDeep), (long, JsonError::TooLarge), (many, JsonError::TooLarge)] {
        let frame = frame([("f", map([("k", inner)]))]);
        let facts = decode(&frame).unwrap();
        assert_eq!(facts.metadata.as_ref().unwrap().finish(), Err(expected));
        let (bag, refusal) = facts.fill(frame.len());
        assert!(bag.struct_of(slot::METADATA).is_none());
        assert!(refusal.is_some());
    }
}

#[test]
fn a_frame_cut_anywhere_in_it_is_refused() {
    let whole = frame([("f", map([("n", value(Kind::NumberValue(1.0))), ("l", list(vec![text("a")]))]))]);
    for end in 1..whole.len() {
        // Lengths are no longer true after the cut, so every proper part is a fault.
        assert!(decode(whole.get(..end).unwrap()).is_err(), "{end}");
    }
}
