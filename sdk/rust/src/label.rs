//! Labels of a metric: texts, or symbols of the batch that cost no copy.

use crate::{FieldValue, Label, Text};

impl Label {
    /// The value, or `otherwise` where it is absent.
    pub fn or<T: Into<Label>>(value: Option<T>, otherwise: &str) -> Label {
        value.map_or_else(|| Label::from(otherwise), Into::into)
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Label::Text(text.to_owned())
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Label::Text(text)
    }
}

impl From<i64> for Label {
    fn from(number: i64) -> Self {
        Label::Text(number.to_string())
    }
}

impl From<bool> for Label {
    fn from(flag: bool) -> Self {
        Label::Text(flag.to_string())
    }
}

impl From<Text<'_>> for Label {
    fn from(text: Text<'_>) -> Self {
        match text.symbol() {
            Some(symbol) => Label::Symbol(symbol),
            None => Label::Text(text.to_string()),
        }
    }
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        FieldValue::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        FieldValue::Text(text)
    }
}

impl From<Text<'_>> for FieldValue {
    fn from(text: Text<'_>) -> Self {
        FieldValue::Text(text.to_string())
    }
}

impl From<i64> for FieldValue {
    fn from(number: i64) -> Self {
        FieldValue::Int(number)
    }
}

impl From<f64> for FieldValue {
    fn from(number: f64) -> Self {
        FieldValue::Float(number)
    }
}

impl From<bool> for FieldValue {
    fn from(flag: bool) -> Self {
        FieldValue::Boolean(flag)
    }
}
