//! Values as rows write them: `{"int64": 20}`, `{"string_map": {"a": "b"}}`, `{"duration": "20ms"}`.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use weir_cel::{Bytes, Entries, Env, Map, Scratch, Value};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    String(String),
    Int64(i64),
    Double(f64),
    Bool(bool),
    Timestamp(String),
    Ip(String),
    Duration(String),
    BytesB64(String),
    StringMap(Option<BTreeMap<String, String>>),
}

pub(super) fn value(json: &Json) -> Result<Value<'static>, String> {
    let written: Written = serde_json::from_value(json.clone()).map_err(|error| format!("{json}: {error}"))?;
    Ok(match written {
        Written::String(text) => Value::from(text),
        Written::Int64(value) => Value::Int(value),
        Written::Double(value) => Value::Double(value),
        Written::Bool(value) => Value::Bool(value),
        Written::Timestamp(text) => converted("timestamp", &text)?,
        Written::Ip(text) => converted("ip", &text)?,
        Written::Duration(text) => converted("duration", &text)?,
        Written::BytesB64(text) => {
            let bytes = BASE64_STANDARD.decode(&text).map_err(|error| format!("`{text}` is not base64: {error}"))?;
            Value::Bytes(Bytes::Shared(bytes.into()))
        }
        Written::StringMap(pairs) => {
            let mut entries = Entries::default();
            for (key, value) in pairs.unwrap_or_default() {
                entries.push(Value::from(key), Value::from(value)).map_err(|kind| format!("no map: {kind:?}"))?;
            }
            Value::Map(Map::new(entries))
        }
    })
}

/// A text as another type, by CEL's conversion.
fn converted(function: &str, text: &str) -> Result<Value<'static>, String> {
    let env = Env::builder().variable("text", weir_cel::Type::String).build();
    let program = env.compile(&format!("{function}(text)")).map_err(|errors| errors.to_string())?;
    let value = program.evaluate(&[Value::from(text)], &mut Scratch::new()).map(Value::into_static);
    value.map_err(|error| format!("`{text}`: {error}"))
}
