//! What is left of an expression when a part of what it reads is known.

mod literal;
mod open;
mod piece;
mod reduce;
mod written;

use crate::{
    activation::Activation,
    error::Fault,
    limits::RESIDUAL_ROUNDS,
    partial::{Partial, Sets},
    plan::Plan,
    program::Program,
    run::{Cx, Scratch},
    value::Value,
};

/// An expression that was evaluated as far as what is known allows, and what is left to evaluate.
#[derive(Clone, Debug)]
pub struct Residual {
    /// As [`Program::evaluate_partial`] has it; a value that is too large to be copied within the budget is an error.
    pub outcome: Partial<'static>,
    /// What is left: on every activation that has what was known, and knows the rest, it comes to the same as the whole
    /// expression, an error included. Its [`Program::source`] is to be read in the environment of the expression.
    pub program: Program,
}

impl Program {
    /// What is left of it: what the activation knows is evaluated and written as literals, terms and conditions that are
    /// decided are gone. What fails, what cannot be written as a literal of [`crate::limits::RESIDUAL_LITERAL_MAX`]
    /// bytes, and calls of the host's own functions stay as they are written. So does what depends on values that the
    /// vocabulary calls sensitive and on headers that may carry credentials, unless it is true or false: a residual can
    /// be stored and logged. When the budget is spent, the rest stays as it is written.
    ///
    /// ```
    /// use weir_attributes::{Bag, Slot, slot};
    /// use weir_cel::{Activation, Env, Origin, Scratch};
    ///
    /// /// A bag that has not been told yet who calls.
    /// struct Early(Bag);
    ///
    /// impl Activation for Early {
    ///     fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
    ///         self.0.get(slot)
    ///     }
    ///
    ///     fn knows(&self, origin: Origin, _: Option<&str>) -> bool {
    ///         origin != Origin::Attribute(slot::SOURCE_PRINCIPAL)
    ///     }
    /// }
    ///
    /// let source = r#"request.method in ["GET", "HEAD"] && source.principal == "spiffe://a/" + request.host"#;
    /// let program = Env::vocabulary().compile(source)?;
    /// let early = Early(Bag::builder().text(slot::REQUEST_METHOD, "GET").text(slot::REQUEST_HOST, "shop").build());
    /// let residual = program.residual(&early, &mut Scratch::new());
    /// assert_eq!(residual.program.source(), r#"source.principal == "spiffe://a/shop""#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn residual(&self, activation: &dyn Activation, scratch: &mut Scratch) -> Residual {
        let outcome = self.kept(activation, scratch);
        let program = match outcome {
            // It fails whatever the rest is, as it is written.
            Partial::Error(_) => self.clone(),
            _ => scratch.aside(|scratch| self.rest(activation, scratch)),
        };
        Residual { outcome, program }
    }

    /// What it comes to; a value that is too large to be copied spends the budget.
    fn kept(&self, activation: &dyn Activation, scratch: &mut Scratch) -> Partial<'static> {
        scratch.aside(|scratch| {
            let mut cx = Cx::watched(activation, self.lazies(), scratch, Sets::default());
            let at = self.checked().ast.root.0;
            let outcome = self.plan().run(&mut cx);
            match outcome.and_then(|value| cx.keep(&value).map_err(|kind| Fault::new(kind, at))) {
                Ok(value) => Partial::Value(value),
                Err(fault) if fault.is_unknown() => Partial::Unknown(cx.into_watch().listed(fault.node)),
                Err(fault) => Partial::Error(self.error(fault)),
            }
        })
    }

    /// What is left of it, and of that, until it stays the same.
    fn rest(&self, activation: &dyn Activation, scratch: &mut Scratch) -> Program {
        let mut program = self.clone();
        for _ in 0..RESIDUAL_ROUNDS {
            let source = reduce::reduced(&program, activation, scratch).filter(|source| source != program.source());
            match source.and_then(|source| self.env()?.compile(&source).ok()) {
                Some(rest) => program = rest,
                None => break,
            }
        }
        program
    }

    /// Evaluates one part of it, with those values of macro variables.
    fn evaluate_part(
        &self,
        plan: &Plan,
        locals: &[Option<Value<'static>>],
        activation: &dyn Activation,
        scratch: &mut Scratch,
    ) -> Option<Value<'static>> {
        let mut cx = Cx::watched(activation, self.lazies(), scratch, Sets::default());
        cx.set_locals(locals);
        let value = plan.run(&mut cx).ok().filter(|value| !value.has_headers())?;
        cx.keep(&value).ok()
    }
}
