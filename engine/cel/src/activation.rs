//! What an expression is evaluated on.

use weir_attributes::{Bag, Slot, World};

use crate::value::Value;

/// The facts about one request, and the variables of one evaluation.
pub trait Activation {
    /// The value of an attribute; none when it is absent.
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>>;

    /// The text of an attribute; none when it is absent or no text.
    fn text(&self, slot: Slot) -> Option<&str> {
        match self.attribute(slot) {
            Some(weir_attributes::Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The bag that all its attributes are those of, when there is one: they are then read from it directly, and
    /// [`Activation::attribute`] and [`Activation::text`] are not asked.
    fn bag(&self) -> Option<&Bag> {
        None
    }

    /// The value of the variable that was declared as number `index`; none when it has none.
    fn variable(&self, index: usize) -> Option<Value<'_>> {
        let _ = index;
        None
    }

    /// Whether it knows the value of an attribute or variable: all of it, or the value at one key. What is known may be
    /// absent; what is not known makes [`crate::Program::evaluate_partial`] answer
    /// [`crate::Partial::Unknown`]. Where a key is not known, all of it is
    /// not, and where nothing of a map is there yet, none of its keys is known. Only partial evaluation asks.
    fn knows(&self, origin: Origin, key: Option<&str>) -> bool {
        let _ = (origin, key);
        true
    }
}

/// What an expression reads from an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// An attribute of the vocabulary.
    Attribute(Slot),
    /// The variable that was declared as that number.
    Variable(usize),
}

impl Activation for World<'_> {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.get(slot)
    }

    fn text(&self, slot: Slot) -> Option<&str> {
        self.str(slot)
    }

    fn bag(&self) -> Option<&Bag> {
        self.as_bag()
    }
}

impl Activation for Bag {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.get(slot)
    }

    fn text(&self, slot: Slot) -> Option<&str> {
        self.str(slot)
    }

    fn bag(&self) -> Option<&Bag> {
        Some(self)
    }
}

impl<A: Activation + ?Sized> Activation for &A {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        (**self).attribute(slot)
    }

    fn text(&self, slot: Slot) -> Option<&str> {
        (**self).text(slot)
    }

    fn bag(&self) -> Option<&Bag> {
        (**self).bag()
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        (**self).variable(index)
    }

    fn knows(&self, origin: Origin, key: Option<&str>) -> bool {
        (**self).knows(origin, key)
    }
}

/// Variables by their index, and no attribute: for expressions that are not about a request.
impl<'v> Activation for [Value<'v>] {
    fn attribute(&self, _: Slot) -> Option<weir_attributes::Value<'_>> {
        None
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).cloned()
    }
}

impl<const N: usize> Activation for [Value<'_>; N] {
    fn attribute(&self, _: Slot) -> Option<weir_attributes::Value<'_>> {
        None
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).cloned()
    }
}

impl Activation for Vec<Value<'_>> {
    fn attribute(&self, _: Slot) -> Option<weir_attributes::Value<'_>> {
        None
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.get(index).cloned()
    }
}
