//! A bag, filled in one expression.

use std::sync::Arc;

use crate::{Bag, Labels, Slot, Struct};

/// Fills a [`Bag`] in one expression.
#[derive(Clone, Debug, Default)]
pub struct Builder(Bag);

impl Builder {
    /// Sets a text.
    #[must_use]
    pub fn text(mut self, slot: Slot, text: &str) -> Self {
        self.0.set_text(slot, text);
        self
    }

    /// Sets a number.
    #[must_use]
    pub fn int(mut self, slot: Slot, value: i64) -> Self {
        self.0.set_int(slot, value);
        self
    }

    /// Sets a truth value.
    #[must_use]
    pub fn bool(mut self, slot: Slot, value: bool) -> Self {
        self.0.set_bool(slot, value);
        self
    }

    /// Sets labels.
    #[must_use]
    pub fn labels(mut self, slot: Slot, labels: Labels) -> Self {
        self.0.set_labels(slot, labels);
        self
    }

    /// Sets a map of JSON.
    #[must_use]
    pub fn json(mut self, slot: Slot, map: Arc<Struct>) -> Self {
        self.0.set_struct(slot, map);
        self
    }

    /// Appends a request header line.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.add_header(name, value);
        self
    }

    /// Appends a response header line.
    #[must_use]
    pub fn response_header(mut self, name: &str, value: &str) -> Self {
        self.0.add_response_header(name, value);
        self
    }

    /// Says that the proxy joined header lines.
    #[must_use]
    pub fn joined_by_proxy(mut self) -> Self {
        self.0.set_joined_by_proxy(true);
        self
    }

    /// Adds another reading of the path.
    #[must_use]
    pub fn path(mut self, target: &str, path: &str) -> Self {
        self.0.add_path(target, path);
        self
    }

    /// The bag.
    #[must_use]
    pub fn build(self) -> Bag {
        self.0
    }
}
