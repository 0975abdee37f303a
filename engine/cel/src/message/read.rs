//! Messages from the wire.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use super::{
    Kind, Message, bytes_of, held, text_of,
    wire::{Fields, Malformed, Payload},
};
use crate::{
    error::EvalErrorKind,
    limits::{MESSAGE_MEMORY_MAX, MESSAGE_NESTING_MAX},
    run::Budget,
    value::{Bytes, Entries, Map, Value},
};

/// Why a message is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It, or what an `Any` holds, is none of the messages that are values.
    #[error("not a message that is a value: those of google.protobuf that are wrappers, JSON, times and Any are")]
    Unknown,
    /// The bytes are not the message.
    #[error("not the bytes of that message")]
    Malformed,
    /// A timestamp or duration outside of its range.
    #[error("a timestamp or duration out of range")]
    OutOfRange,
    /// Messages within messages, more than [`MESSAGE_NESTING_MAX`].
    #[error("messages are nested more than {MESSAGE_NESTING_MAX} deep")]
    TooDeep,
    /// The value would take more memory than it may.
    #[error("the value of the message needs more memory than it may take")]
    TooLarge,
}

impl From<Malformed> for MessageError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl MessageError {
    /// What it is to an evaluation.
    pub(super) fn kind(self) -> EvalErrorKind {
        match self {
            Self::OutOfRange => EvalErrorKind::Overflow,
            Self::TooLarge => EvalErrorKind::Budget,
            Self::Unknown | Self::Malformed | Self::TooDeep => EvalErrorKind::Conversion,
        }
    }
}

impl Value<'static> {
    /// The value of a protobuf message, by its full name: the wrappers (`google.protobuf.Int32Value` is an int), `Struct`,
    /// `ListValue` and `Value` (JSON), `Timestamp`, `Duration`, and an `Any` that holds one of these. Unknown fields are
    /// passed over, as everywhere in protobuf.
    ///
    /// ```
    /// use weir_cel::Value;
    ///
    /// let seven = Value::from_message("google.protobuf.Int32Value", &[0x08, 0x07])?;
    /// assert_eq!(seven.as_int(), Some(7));
    /// # Ok::<(), weir_cel::MessageError>(())
    /// ```
    ///
    /// # Errors
    /// Any other message, bytes that are not that message, times out of range, and a value of more than
    /// [`MESSAGE_MEMORY_MAX`] bytes.
    pub fn from_message(name: &str, wire: &[u8]) -> Result<Self, MessageError> {
        let message = Message::find(name).ok_or(MessageError::Unknown)?;
        read(message, wire, 0, &mut Budget::new(u64::MAX, MESSAGE_MEMORY_MAX))
    }
}

type Read<T> = Result<T, MessageError>;

fn grow(budget: &mut Budget, bytes: usize) -> Read<()> {
    budget.grow(bytes).map_err(|_| MessageError::TooLarge)
}

/// The value of a message; `depth` messages are around it.
pub(super) fn read(message: Message, wire: &[u8], depth: usize, budget: &mut Budget) -> Read<Value<'static>> {
    if depth >= MESSAGE_NESTING_MAX {
        return Err(MessageError::TooDeep);
    }
    match message {
        Message::Struct => read_struct(wire, depth, budget),
        Message::List => read_list(wire, depth, budget),
        Message::Value => read_value(wire, depth, budget),
        _ => {
            let mut set = Vec::new();
            for field in Fields(wire) {
                let (number, payload) = field?;
                let found = message.fields().iter().enumerate().find(|(_, field)| field.number == number);
                if let Some((place, field)) = found
                    && let Some(value) = scalar(field.kind, payload, budget)?
                {
                    // The last one counts; none is kept that does not.
                    set.retain(|(other, _)| *other != place);
                    set.push((place, value));
                }
            }
            match message {
                Message::Any => {
                    let inner = Message::find(held(text_of(&set, 0))).ok_or(MessageError::Unknown)?;
                    read(inner, bytes_of(&set, 1), depth + 1, budget)
                }
                _ => message.value(set).map_err(|_| MessageError::OutOfRange),
            }
        }
    }
}

/// A field that is no message; none when the wire has another kind of field under that number.
fn scalar(kind: Kind, payload: Payload<'_>, budget: &mut Budget) -> Read<Option<Value<'static>>> {
    Ok(Some(match (kind, payload) {
        (Kind::Bool, Payload::Varint(value)) => Value::Bool(value != 0),
        // What is longer than 32 bits is cut, as everywhere in protobuf.
        (Kind::Int32, Payload::Varint(value)) => Value::Int(i64::from(value as i32)),
        (Kind::Int64, Payload::Varint(value)) => Value::Int(value.cast_signed()),
        (Kind::Uint32, Payload::Varint(value)) => Value::Uint(u64::from(value as u32)),
        (Kind::Uint64, Payload::Varint(value)) => Value::Uint(value),
        (Kind::Float, Payload::Fixed32(bits)) => Value::Double(f64::from(f32::from_bits(bits))),
        (Kind::Double, Payload::Fixed64(bits)) => Value::Double(f64::from_bits(bits)),
        (Kind::Text, Payload::Bytes(bytes)) => {
            let text = std::str::from_utf8(bytes).map_err(|_| MessageError::Malformed)?;
            grow(budget, text.len())?;
            Value::shared(text)
        }
        (Kind::Bytes, Payload::Bytes(bytes)) => {
            grow(budget, bytes.len())?;
            Value::Bytes(Bytes::Shared(bytes.into()))
        }
        (Kind::Null, Payload::Varint(_)) => Value::Null,
        _ => return Ok(None),
    }))
}

/// The one field of a `Value` that is set: the last one.
fn read_value(wire: &[u8], depth: usize, budget: &mut Budget) -> Read<Value<'static>> {
    /// A message is read once its last part is known: parts of one field are one message.
    enum Last<'w> {
        Scalar(Value<'static>),
        Message(Kind, Cow<'w, [u8]>),
    }
    let mut last = Last::Scalar(Value::Null);
    for field in Fields(wire) {
        let (number, payload) = field?;
        let Some(field) = Message::Value.fields().iter().find(|field| field.number == number) else { continue };
        match (field.kind, payload, &mut last) {
            (kind @ (Kind::Struct | Kind::List), Payload::Bytes(part), Last::Message(other, whole))
                if kind == *other =>
            {
                // The first part is copied when there is a second one.
                let copied = if matches!(whole, Cow::Borrowed(_)) { whole.len() } else { 0 };
                grow(budget, copied + part.len())?;
                whole.to_mut().extend_from_slice(part);
            }
            (kind @ (Kind::Struct | Kind::List), Payload::Bytes(part), _) => {
                last = Last::Message(kind, Cow::Borrowed(part));
            }
            (kind, payload, _) => {
                if let Some(value) = scalar(kind, payload, budget)? {
                    last = Last::Scalar(value);
                }
            }
        }
    }
    match last {
        Last::Scalar(value) => Ok(value),
        Last::Message(Kind::Struct, wire) => read(Message::Struct, &wire, depth + 1, budget),
        Last::Message(_, wire) => read(Message::List, &wire, depth + 1, budget),
    }
}

fn read_list(wire: &[u8], depth: usize, budget: &mut Budget) -> Read<Value<'static>> {
    let mut elements = Vec::new();
    for field in Fields(wire) {
        if let (1, Payload::Bytes(element)) = field? {
            grow(budget, size_of::<Value<'_>>())?;
            elements.push(read(Message::Value, element, depth + 1, budget)?);
        }
    }
    Ok(Value::shared_list(elements))
}

fn read_struct(wire: &[u8], depth: usize, budget: &mut Budget) -> Read<Value<'static>> {
    // The last entry of a key counts.
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    let mut pairs: Vec<(Arc<str>, Value<'static>)> = Vec::new();
    for field in Fields(wire) {
        let (1, Payload::Bytes(entry)) = field? else { continue };
        let (mut key, mut value): (&str, &[u8]) = ("", &[]);
        for field in Fields(entry) {
            match field? {
                (1, Payload::Bytes(text)) => key = std::str::from_utf8(text).map_err(|_| MessageError::Malformed)?,
                (2, Payload::Bytes(wire)) => value = wire,
                _ => {}
            }
        }
        grow(budget, 4 * size_of::<Value<'_>>() + key.len())?;
        let value = read(Message::Value, value, depth + 1, budget)?;
        match places.get(key).and_then(|place| pairs.get_mut(*place)) {
            Some((_, old)) => *old = value,
            None => {
                let key: Arc<str> = key.into();
                places.insert(key.clone(), pairs.len());
                pairs.push((key, value));
            }
        }
    }
    let mut entries = Entries::default();
    for (key, value) in pairs {
        // They differ and are texts.
        entries.push(Value::shared(key), value).map_err(|_| MessageError::Malformed)?;
    }
    Ok(Value::Map(Map::new(entries)))
}
