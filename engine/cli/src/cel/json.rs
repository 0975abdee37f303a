//! Values as JSON, for programs.

use serde_json::{Map as Object, Number, Value as Json};
use weir_cel::{Map, Value};

/// How many values one printed value may hold: one list may hold another many times, so that a small value is endless
/// when it is written out.
const VALUES_MAX: usize = 100_000;

/// The value as JSON: ints beyond 2^53 stay whole numbers, what JSON has no word for is the text of its CEL literal, and
/// so are keys of maps that are no texts. None when it would hold more than [`VALUES_MAX`] values.
pub(super) fn json(value: &Value<'_>) -> Option<Json> {
    convert(value, &mut VALUES_MAX.clone())
}

fn convert(value: &Value<'_>, room: &mut usize) -> Option<Json> {
    *room = room.checked_sub(1)?;
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Uint(value) => Json::from(*value),
        Value::Double(value) => Number::from_f64(*value).map_or_else(|| Json::from(value.to_string()), Json::Number),
        Value::String(text) => Json::from(&**text),
        Value::Timestamp(time) => Json::from(time.to_string()),
        Value::List(list) => {
            Json::Array(list.iter().map(|element| convert(element, room)).collect::<Option<Vec<_>>>()?)
        }
        Value::Map(Map::Entries(entries)) => {
            let mut object = Object::new();
            for (key, value) in entries.pairs() {
                let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                object.insert(key, convert(value, room)?);
            }
            Json::Object(object)
        }
        Value::Map(Map::Attribute(map)) => {
            let entry = |key: &str| (key.to_owned(), Json::from(map.get(key).unwrap_or_default()));
            Json::Object(map.keys().map(entry).collect())
        }
        Value::Map(Map::Lines(headers)) => {
            let entry = |name: &str| (name.to_owned(), headers.lines(name).map(Json::from).collect::<Json>());
            Json::Object(headers.names().map(entry).collect())
        }
        Value::Map(Map::Struct(map)) => {
            Json::Object(map.iter().map(|(key, value)| (key.to_owned(), told(value))).collect())
        }
        Value::Optional(None) => Json::Null,
        Value::Optional(Some(inner)) => convert(inner, room)?,
        Value::Ip(address) => Json::from(address.to_string()),
        Value::Cidr(range) => Json::from(range.to_string()),
        other => Json::from(other.to_string()),
    })
}

/// JSON of the request; how deep and large it is was bounded when it was read.
fn told(value: &weir_attributes::Json) -> Json {
    use weir_attributes::Json as Told;
    match value {
        Told::Null => Json::Null,
        Told::Bool(value) => Json::Bool(*value),
        Told::Int(value) => Json::from(*value),
        Told::Double(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Told::String(text) => Json::from(&**text),
        Told::List(list) => list.items().iter().map(told).collect(),
        Told::Map(map) => Json::Object(map.iter().map(|(key, value)| (key.to_owned(), told(value))).collect()),
    }
}
