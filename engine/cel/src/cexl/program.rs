//! A compiled expression.

use super::{Env, Type};
use crate::{
    activation::{Activation, Origin},
    error::{EvalError, EvalErrorKind},
    program::{self, shortened},
    run::Scratch,
    tracked::Reads,
    value::Value,
};

/// A compiled expression: immutable, shared, cheap to clone.
#[derive(Clone, Debug)]
pub struct Program {
    program: program::Program,
    ty: Type,
    env: Env,
}

/// Something that an evaluation read: what Mixer answers as a referenced attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference<'p> {
    /// The attribute.
    pub name: &'p str,
    /// The key of a map; none for the whole attribute. A map of which a key was read is itself not in the list.
    pub key: Option<&'p str>,
    /// Whether it was there: EXACT, else ABSENCE.
    pub present: bool,
}

impl Program {
    pub(super) fn new(program: program::Program, ty: Type, env: Env) -> Self {
        Self { program, ty, env }
    }

    /// The type of its value.
    #[must_use]
    pub fn value_type(&self) -> Type {
        self.ty
    }

    /// What was compiled.
    #[must_use]
    pub fn source(&self) -> &str {
        self.program.source()
    }

    /// Evaluates it. What it borrows comes from the program and the activation, whose
    /// [`variable`](Activation::variable) is asked for attributes by their place.
    ///
    /// # Errors
    /// [`EvalErrorKind::AbsentVariable`] for an absent attribute that has no default, with Mixer's words
    /// (`lookup failed: 'source.name'`); [`EvalErrorKind::NoOverload`] for an attribute whose value is of another type
    /// than its own; [`EvalErrorKind::Conversion`] for a text that is not what it is converted to or compared as;
    /// [`EvalErrorKind::BadPattern`]; [`EvalErrorKind::Budget`] when it takes more than `scratch` allows.
    pub fn evaluate<'a>(
        &'a self,
        activation: &'a dyn Activation,
        scratch: &mut Scratch,
    ) -> Result<Value<'a>, EvalError> {
        self.judged(self.program.evaluate(activation, scratch))
    }

    /// Evaluates it to a truth value.
    ///
    /// # Errors
    /// As [`Program::evaluate`], and [`EvalErrorKind::NoOverload`] when it is no BOOL.
    pub fn evaluate_bool<'a>(
        &'a self,
        activation: &'a dyn Activation,
        scratch: &mut Scratch,
    ) -> Result<bool, EvalError> {
        self.program.evaluate_bool(activation, scratch).map_err(mixer_words)
    }

    /// Evaluates it as [`Program::evaluate`] does and adds what that really read to `reads`, whose
    /// [`Origin::Variable`] are places of attributes; [`Program::references`] gives them their names.
    ///
    /// # Errors
    /// As [`Program::evaluate`]; what was read before the error is in `reads`.
    pub fn evaluate_tracked<'a>(
        &'a self,
        activation: &'a dyn Activation,
        scratch: &mut Scratch,
        reads: &mut Reads,
    ) -> Result<Value<'a>, EvalError> {
        self.judged(self.program.evaluate_tracked(activation, scratch, reads))
    }

    /// What was read, by name, in the order of the first reads. The reads may be those of several programs of one
    /// [`Env`].
    pub fn references<'p>(&'p self, reads: &'p Reads) -> impl Iterator<Item = Reference<'p>> {
        reads.as_slice().iter().filter_map(|read| {
            let Origin::Variable(index) = read.origin else { return None };
            let (name, _) = self.env.0.attributes.get(index)?;
            Some(Reference { name, key: read.key.as_deref(), present: read.present })
        })
    }

    /// An outcome, which must have the type that was found.
    fn judged<'a>(&self, outcome: Result<Value<'a>, EvalError>) -> Result<Value<'a>, EvalError> {
        let value = outcome.map_err(mixer_words)?;
        let absent = self.env.0.compatible && self.ty == Type::IpAddress && matches!(value, Value::Bytes(_));
        if self.ty.fits(&value) || absent {
            return Ok(value);
        }
        let message = format!("`{}`: an attribute has a value that is no {}", shortened(self.source()), self.ty);
        let span = 0..self.source().len();
        Err(EvalError { kind: EvalErrorKind::NoOverload, span, variable: None, message })
    }
}

/// Mixer's words for an absent attribute, which its users know.
fn mixer_words(mut error: EvalError) -> EvalError {
    if error.kind == EvalErrorKind::AbsentVariable
        && let Some(name) = error.message.split('`').nth(1)
    {
        error.message = format!("lookup failed: '{}'", name.split_whitespace().collect::<String>());
    }
    error
}
