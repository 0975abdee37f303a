//! Labels of a metric: texts, or symbols of the batch that cost no copy.

use crate::{Cell, Label, Text};

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

impl From<Cell<'_>> for Label {
    /// Maps, lists and bytes make no label: they are empty.
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Text(text) => text.into(),
            Cell::Int(number) => number.into(),
            Cell::Double(number) => Label::Text(number.to_string()),
            Cell::Boolean(flag) => flag.into(),
            Cell::Timestamp(time) => time.0.into(),
            Cell::Duration(time) => Label::Text(time.as_secs_f64().to_string()),
            Cell::Bytes(_) | Cell::Pairs(_) | Cell::Texts(_) => Label::from(""),
        }
    }
}
