//! What a map of JSON holds, as values: texts and maps are borrowed, a list is made anew.

use weir_attributes::Json;

use super::{Map, Value};
use crate::{error::EvalErrorKind, run::Budget};

/// A value of JSON. How deep it is was bounded when it was made.
pub(crate) fn json<'a>(value: &'a Json, budget: &mut Budget) -> Result<Value<'a>, EvalErrorKind> {
    Ok(match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Int(value) => Value::Int(*value),
        Json::Double(value) => Value::Double(*value),
        Json::String(text) => Value::text(text),
        Json::Map(map) => Value::Map(Map::Struct(map)),
        Json::List(list) => {
            budget.spend(list.items().len())?;
            budget.grow(list.items().len() * size_of::<Value<'_>>())?;
            let items: Result<Vec<_>, _> = list.items().iter().map(|item| json(item, budget)).collect();
            Value::shared_list(items?)
        }
    })
}
