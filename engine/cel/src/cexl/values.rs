//! Attributes with their values.

use super::Env;
use crate::{activation::Activation, value::Value};

/// The values of the attributes of an [`Env`]: an activation for its programs. Whoever has the values elsewhere
/// implements [`Activation`] there.
#[derive(Clone, Debug)]
pub struct Values<'v> {
    env: Env,
    values: Vec<Option<Value<'v>>>,
}

impl<'v> Values<'v> {
    /// No attribute is there.
    #[must_use]
    pub fn of(env: &Env) -> Self {
        Self { env: env.clone(), values: vec![None; env.0.attributes.len()] }
    }

    /// The same with a value for an attribute; what is not declared is passed over, because no expression can read it.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value<'v>) -> Self {
        if let Some(place) = self.env.index(name).and_then(|index| self.values.get_mut(index)) {
            *place = Some(value);
        }
        self
    }
}

impl Activation for Values<'_> {
    fn attribute(&self, _: weir_attributes::Slot) -> Option<weir_attributes::Value<'_>> {
        None
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.values.get(index)?.as_ref().map(Value::lend)
    }
}
