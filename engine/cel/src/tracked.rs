//! What one evaluation really read.

use std::collections::HashSet;

use crate::{
    activation::{Activation, Origin},
    error::{EvalError, EvalErrorKind},
    program::Program,
    run::{Budget, Cx, Scratch, Watch},
    value::Value,
};

/// One thing that an evaluation read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Read {
    /// The attribute or variable.
    pub origin: Origin,
    /// The key, header names in lower case; none where all of it was read, or where it is absent as a whole.
    pub key: Option<Box<str>>,
    /// Whether it was there. Asking with `has` or `in` reads too.
    pub present: bool,
}

/// What evaluations on one activation read, each thing once, in the order of the first reads.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    reads: Vec<Read>,
    seen: HashSet<Read>,
}

impl Reads {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything: the next evaluation is on another activation.
    pub fn clear(&mut self) {
        self.reads.clear();
        self.seen.clear();
    }

    /// What was read.
    #[must_use]
    pub fn as_slice(&self) -> &[Read] {
        &self.reads
    }
}

/// Above this many reads there is an index of them.
const INDEX_FROM: usize = 16;

struct Tracker<'r>(&'r mut Reads);

impl Watch for Tracker<'_> {
    const READS: bool = true;

    fn read(
        &mut self,
        origin: Origin,
        key: Option<&str>,
        present: bool,
        budget: &mut Budget,
    ) -> Result<(), EvalErrorKind> {
        let Reads { reads, seen } = &mut *self.0;
        let same = |read: &Read| read.origin == origin && read.key.as_deref() == key && read.present == present;
        if reads.len() <= INDEX_FROM && reads.iter().any(same) {
            return Ok(());
        }
        let length = key.map_or(0, str::len);
        budget.read(length)?;
        let read = Read { origin, key: key.map(Box::from), present };
        if seen.contains(&read) {
            return Ok(());
        }
        budget.grow(size_of::<Read>() + length)?;
        if reads.len() >= INDEX_FROM {
            if seen.is_empty() {
                seen.extend(reads.iter().cloned());
            }
            seen.insert(read.clone());
        }
        reads.push(read);
        Ok(())
    }
}

impl Program {
    /// Evaluates it as [`Program::evaluate`] does and adds what that really read to `reads`: what a short circuit left
    /// out is not there. Variables that are evaluated when they are first read are so once in every tracked evaluation.
    ///
    /// ```
    /// use weir_attributes::{Bag, slot};
    /// use weir_cel::{Env, Origin, Read, Reads, Scratch};
    ///
    /// let source = r#"request.method == "GET" && "x-role" in request.headers && has(source.principal)"#;
    /// let program = Env::vocabulary().compile(source)?;
    /// let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").header("a", "b").build();
    /// let mut reads = Reads::new();
    /// let value = program.evaluate_tracked(&bag, &mut Scratch::new(), &mut reads)?;
    /// assert_eq!(value.as_bool(), Some(false));
    /// let header = Read { origin: Origin::Attribute(slot::REQUEST_HEADERS), key: Some("x-role".into()), present: false };
    /// let method = Read { origin: Origin::Attribute(slot::REQUEST_METHOD), key: None, present: true };
    /// assert_eq!(reads.as_slice(), [method, header]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`Program::evaluate`]; what was read before the error is in `reads`.
    pub fn evaluate_tracked<'a>(
        &'a self,
        activation: &'a dyn Activation,
        scratch: &mut Scratch,
        reads: &mut Reads,
    ) -> Result<Value<'a>, EvalError> {
        scratch.aside(|scratch| {
            let mut cx = Cx::watched(activation, self.lazies(), scratch, Tracker(reads));
            self.plan().run(&mut cx).map_err(|fault| self.error(fault))
        })
    }
}
