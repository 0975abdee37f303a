//! The document `input`, as OPA's Envoy plugin gives it: Envoy's attributes of the check, the path's parts, the query.

use serde_json::{Map, Value as Json, json};
use weir::{Failure, Value};

use crate::Inputs;

pub(crate) fn of(inputs: &Inputs) -> Result<regorus::Value, Failure> {
    let input = document(inputs).to_string();
    regorus::Value::from_json_str(&input).map_err(|error| Failure::Internal(error.to_string()))
}

fn document(inputs: &Inputs) -> Json {
    let path = inputs.request_path.as_deref().unwrap_or_default();
    let (before, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<String> = before.trim_start_matches('/').split('/').map(|part| decoded(part, false)).collect();
    json!({
        "attributes": {
            "source": peer(&inputs.source_ip, inputs.source_port, &inputs.source_principal),
            "destination": peer(&inputs.destination_ip, inputs.destination_port, &inputs.destination_principal),
            "request": {
                "http": {
                    "id": inputs.request_id,
                    "method": inputs.request_method,
                    "path": inputs.request_path,
                    "host": inputs.request_host,
                    "scheme": inputs.request_scheme,
                    "protocol": inputs.request_protocol,
                    "headers": headers(inputs),
                },
            },
        },
        "parsed_path": parts,
        "parsed_query": parsed(query),
        "bound": bound(inputs),
    })
}

fn peer(ip: &Option<String>, port: Option<i64>, principal: &Option<String>) -> Json {
    json!({
        "address": {"socketAddress": {"address": ip, "portValue": port}},
        "principal": principal,
    })
}

/// Lines of one name, joined by commas as Envoy joins them.
fn headers(inputs: &Inputs) -> Map<String, Json> {
    let mut headers = Map::new();
    for (name, value) in inputs.request_headers.iter().flat_map(|headers| &headers.0) {
        match headers.get_mut(name) {
            Some(Json::String(there)) => {
                there.push(',');
                there.push_str(value);
            }
            _ => {
                headers.insert(name.clone(), value.as_str().into());
            }
        }
    }
    headers
}

/// Each parameter's values, in their order.
fn parsed(query: &str) -> Map<String, Json> {
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let values = parameters.entry(decoded(name, true)).or_insert_with(|| json!([]));
        if let Json::Array(values) = values {
            values.push(decoded(value, true).into());
        }
    }
    parameters
}

/// Without percent-encoding, and with `+` as a space in a query; what is no UTF-8 is replaced.
fn decoded(text: &str, query: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.first_chunk::<2>().filter(|_| *first == b'%');
        let hex = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.filter(|hex| !hex.starts_with('+')).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
        bytes.push(byte.unwrap_or(if query && *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn bound(inputs: &Inputs) -> Map<String, Json> {
    let json = |value: &Value| match value {
        Value::Text(text) => json!(text),
        Value::Int(number) | Value::Timestamp(number) | Value::Duration(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Boolean(flag) => json!(flag),
        Value::Bytes(bytes) => json!(bytes),
        Value::Pairs(pairs) => {
            pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>().into()
        }
        Value::Texts(texts) => json!(texts),
    };
    inputs.bound.iter().map(|(name, value)| (name.to_owned(), value.map_or(Json::Null, json))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use weir::Pairs;

    use super::{decoded, document};
    use crate::Inputs;

    #[test]
    fn the_input_is_that_of_opas_envoy_plugin() {
        let inputs = Inputs {
            request_method: Some("GET".into()),
            request_path: Some("/a%20b/c?x=1&x=2&y=a+b".into()),
            request_headers: Some(Pairs(vec![("x-a".into(), "1".into()), ("x-a".into(), "2".into())])),
            source_principal: Some("spiffe://td/ns/a/sa/b".into()),
            ..Inputs::default()
        };
        let input = document(&inputs);
        assert_eq!(input["parsed_path"], serde_json::json!(["a b", "c"]));
        assert_eq!(input["parsed_query"], serde_json::json!({"x": ["1", "2"], "y": ["a b"]}));
        assert_eq!(input["attributes"]["request"]["http"]["headers"]["x-a"], "1,2");
        assert_eq!(input["attributes"]["source"]["principal"], "spiffe://td/ns/a/sa/b");
    }

    #[test]
    fn what_is_no_escape_stays() {
        for (text, expected) in [("%41", "A"), ("%4", "%4"), ("%+1", "%+1"), ("%zz", "%zz"), ("%ff", "\u{fffd}")] {
            assert_eq!(decoded(text, false), expected, "{text}");
        }
    }
}
