//! What a plugin may ask of the host beyond its inputs.

use crate::bindings::life::weir::plugin::{lookup as tables, sinks};
use crate::{Bag, Pairs, Refusal, Value};

/// The row of that key in a table that the host keeps. Needs `lookup = ["NAME"]` under `[capabilities]`.
///
/// # Errors
/// The table is not granted.
pub fn lookup(table: &str, key: &str) -> Result<Option<Fields>, Refusal> {
    Ok(tables::get(table, key)?.map(Fields))
}

/// Queues one message for a sink. Needs `sinks = ["NAME"]` under `[capabilities]`. It counts only if the call succeeds.
///
/// # Errors
/// The sink is not granted, or the call has emitted too much.
pub fn emit(sink: &str, payload: &[u8]) -> Result<(), Refusal> {
    sinks::emit(sink, payload)
}

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(pub Vec<(String, Value)>);

impl Fields {
    /// The field of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }
}

impl Bag {
    /// A text attribute; none when it is absent or of another type.
    ///
    /// # Errors
    /// `[capabilities] attributes` does not list it.
    pub fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        Ok(match self.get(name)? {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        })
    }

    /// A map attribute; none when it is absent or of another type.
    ///
    /// # Errors
    /// `[capabilities] attributes` does not list it.
    pub fn pairs(&self, name: &str) -> Result<Option<Pairs>, Refusal> {
        Ok(match self.get(name)? {
            Some(Value::Pairs(pairs)) => Some(Pairs(pairs)),
            _ => None,
        })
    }
}
