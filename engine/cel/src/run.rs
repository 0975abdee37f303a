//! Plans to values, on one activation, within a budget.

mod access;
mod blocks;
mod defaults;
mod folds;
mod known;
mod scratch;
mod texts;
mod truth;
mod values;
mod watch;

use smallvec::SmallVec;
use weir_attributes::{Bag, Slot};

pub(crate) use scratch::Budget;
pub use scratch::Scratch;
pub(crate) use watch::{Event, Off, Watch};

use crate::{
    activation::Activation,
    env::Lazy,
    error::{EvalErrorKind, Fault},
    plan::Plan,
    value::Value,
};

type Run<T> = Result<T, Fault>;

/// The value of a macro's variable: an element of a list that outlives the evaluation is not copied.
enum Local<'a> {
    Lent(&'a Value<'a>),
    Own(Value<'a>),
    /// A slot of a block that nothing has read yet.
    Later(&'a Plan),
    /// One that has no value.
    Failed(Fault),
}

impl<'a> Local<'a> {
    fn value(&self) -> &Value<'a> {
        match self {
            Self::Lent(value) => value,
            Self::Own(value) => value,
            // Only slots are read as such.
            Self::Later(_) | Self::Failed(_) => &Value::Null,
        }
    }
}

/// One evaluation under way: what it reads, what it may still spend, the macro variables in sight, and who watches.
pub(crate) struct Cx<'a, 's, W = Off> {
    activation: &'a dyn Activation,
    /// Where the attributes are, if they are all in one bag.
    bag: Option<&'a Bag>,
    lazies: &'a [Lazy],
    locals: SmallVec<[Local<'a>; 4]>,
    scratch: &'s mut Scratch,
    watch: W,
}

impl<'a, 's> Cx<'a, 's> {
    pub(crate) fn new(activation: &'a dyn Activation, lazies: &'a [Lazy], scratch: &'s mut Scratch) -> Self {
        Self::watched(activation, lazies, scratch, Off)
    }
}

impl<'a, 's, W: Watch> Cx<'a, 's, W> {
    pub(crate) fn watched(
        activation: &'a dyn Activation,
        lazies: &'a [Lazy],
        scratch: &'s mut Scratch,
        watch: W,
    ) -> Self {
        Self { activation, bag: activation.bag(), lazies, locals: SmallVec::new(), scratch, watch }
    }

    /// Puts macro variables in sight; those without a value are not read.
    pub(crate) fn set_locals(&mut self, locals: &[Option<Value<'static>>]) {
        self.locals = locals.iter().map(|local| Local::Own(local.clone().unwrap_or(Value::Null))).collect();
    }

    /// A copy of a value that outlives the evaluation.
    pub(crate) fn keep(&mut self, value: &Value<'a>) -> Result<Value<'static>, EvalErrorKind> {
        scratch::keep(value, &mut self.scratch.budget)
    }

    pub(crate) fn into_watch(self) -> W {
        self.watch
    }

    fn budget(&mut self) -> &mut Budget {
        &mut self.scratch.budget
    }

    fn local(&self, index: u16) -> Option<&Value<'a>> {
        self.locals.get(usize::from(index)).map(Local::value)
    }

    /// The value of a variable that is evaluated when it is first read.
    fn lazy(&mut self, index: u16, at: u32) -> Run<Value<'a>> {
        let lazies = self.lazies;
        let Some(lazy) = lazies.get(usize::from(index)) else {
            return Err(Fault::new(EvalErrorKind::AbsentVariable, at));
        };
        if let Some(known) = self.scratch.memo.get(&lazy.id) {
            return known.clone();
        }
        // What it holds is evaluated once, whatever reads it: its parts are not in the steps of any round.
        self.budget().spend(lazy.program.parts()).map_err(|kind| Fault::new(kind, at))?;
        if W::NODES {
            self.tell(Event::Into(index), at)?;
        }
        let outer = std::mem::take(&mut self.locals);
        let outcome = lazy.program.plan().run(self).map_err(|mut fault| {
            if fault.lazy == 0 {
                fault.lazy = index + 1;
            }
            fault
        });
        self.locals = outer;
        if W::NODES {
            self.tell(Event::Out, at)?;
        }
        match outcome {
            // What has run out of its budget may do better in another evaluation.
            Err(fault) if fault.is_fatal() => Err(fault),
            Err(fault) => {
                self.scratch.memo.insert(lazy.id, Err(fault));
                Err(fault)
            }
            // Evaluated again when it is read again, because a copy would tell less.
            Ok(value) if value.has_headers() => Ok(value),
            Ok(value) => {
                let kept = scratch::keep(&value, &mut self.scratch.budget).map_err(|kind| Fault::new(kind, at))?;
                self.scratch.memo.insert(lazy.id, Ok(kept));
                Ok(value)
            }
        }
    }
}

/// No attributes and no variables.
pub(crate) struct Nothing;

impl Activation for Nothing {
    fn attribute(&self, _: Slot) -> Option<weir_attributes::Value<'_>> {
        None
    }
}
