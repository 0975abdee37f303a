//! What the operator bound beyond the manifest's inputs: names that only the configuration knows.

use std::cell::RefCell;
use std::rc::Rc;

use crate::Value;
use crate::bindings::life::exports::weir::plugin::lifecycle::Binding;
use crate::rows::{Cell, cell};

thread_local! {
    static BINDINGS: RefCell<Rc<[Binding]>> = RefCell::new(Rc::from([]));
}

/// The operator's bindings, for [`Configure`](crate::Configure) to look at: each is a name and a kind.
pub fn bindings() -> Rc<[Binding]> {
    BINDINGS.with(|bindings| bindings.borrow().clone())
}

pub(crate) fn set(bindings: Vec<Binding>) {
    BINDINGS.with(|place| *place.borrow_mut() = bindings.into());
}

/// The values of the bindings in one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bound {
    names: Rc<[Binding]>,
    values: Vec<Option<Value>>,
}

impl Bound {
    pub(crate) fn new(values: Vec<Option<Value>>) -> Bound {
        Bound { names: bindings(), values }
    }

    /// The value of that name; none when it is not bound or this request has none.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(n, _)| *n == name).and_then(|(_, value)| value)
    }

    /// Names and values in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&Value>)> {
        self.names.iter().map(|binding| binding.name.as_str()).zip(self.values.iter().map(Option::as_ref))
    }
}

/// The values of the bindings in one row of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoundCells<'a> {
    batch: Option<&'a crate::__rt::Batch>,
    first: usize,
    row: usize,
}

impl<'a> BoundCells<'a> {
    pub(crate) fn new(batch: &'a crate::__rt::Batch, first: usize, row: usize) -> BoundCells<'a> {
        BoundCells { batch: Some(batch), first, row }
    }

    /// The value of the binding of that number, in the order of [`bindings`]; none when this request has none.
    pub fn at(&self, number: usize) -> Option<Cell<'a>> {
        cell(self.batch?, self.first + number, self.row)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.batch.map_or(0, |batch| batch.columns.len().saturating_sub(self.first))
    }

    /// Whether nothing is bound.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl PartialEq for BoundCells<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|number| self.at(number) == other.at(number))
    }
}
