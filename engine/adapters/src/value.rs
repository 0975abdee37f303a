//! Values that go out of a plugin or into one, outside of its inputs.

use weir_manifest::Type;

use crate::contract::v1::weir::plugin::types::ValueResult as Wire;

/// One value, owned.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Value {
    Text(String),
    Int(i64),
    Double(f64),
    Bool(bool),
    Bytes(Vec<u8>),
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// Nanoseconds.
    Duration(i64),
    Pairs(Vec<(String, String)>),
    Texts(Vec<String>),
}

/// A value with its name: of a log record, a span, a verdict's metadata, a row of a table.
pub type Field = (String, Value);

impl Value {
    pub(crate) fn of(wire: Wire) -> Value {
        match wire {
            Wire::Text(text) => Value::Text(text),
            Wire::Int(number) => Value::Int(number),
            Wire::Double(number) => Value::Double(number),
            Wire::Boolean(flag) => Value::Bool(flag),
            Wire::Bytes(bytes) => Value::Bytes(bytes),
            Wire::Timestamp(nanos) => Value::Timestamp(nanos),
            Wire::Duration(nanos) => Value::Duration(nanos),
            Wire::Pairs(pairs) => Value::Pairs(pairs),
            Wire::Texts(texts) => Value::Texts(texts),
        }
    }

    pub(crate) fn wire(self) -> Wire {
        match self {
            Value::Text(text) => Wire::Text(text),
            Value::Int(number) => Wire::Int(number),
            Value::Double(number) => Wire::Double(number),
            Value::Bool(flag) => Wire::Boolean(flag),
            Value::Bytes(bytes) => Wire::Bytes(bytes),
            Value::Timestamp(nanos) => Wire::Timestamp(nanos),
            Value::Duration(nanos) => Wire::Duration(nanos),
            Value::Pairs(pairs) => Wire::Pairs(pairs),
            Value::Texts(texts) => Wire::Texts(texts),
        }
    }

    /// Whether it is of that type of a manifest.
    pub(crate) fn is_of(&self, ty: Type) -> bool {
        match self {
            Value::Text(_) => ty == Type::String,
            Value::Int(_) => ty == Type::Int,
            Value::Double(_) => ty == Type::Double,
            Value::Bool(_) => ty == Type::Bool,
            Value::Bytes(_) => ty == Type::Bytes,
            Value::Timestamp(_) => ty == Type::Timestamp,
            Value::Duration(_) => ty == Type::Duration,
            Value::Pairs(_) => matches!(ty, Type::Map | Type::ListMap | Type::Struct),
            Value::Texts(_) => ty == Type::List,
        }
    }

    /// Bytes that it holds on the heap.
    pub(crate) fn size(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::Pairs(pairs) => pairs.iter().map(|(name, value)| name.len() + value.len() + 48).sum(),
            Value::Texts(texts) => texts.iter().map(|text| text.len() + 24).sum(),
            _ => 0,
        }
    }
}
