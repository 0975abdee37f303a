//! A compiled expression.

use std::{fmt::Write as _, sync::Arc};

use weir_attributes::Slot;

use crate::{
    activation::Activation,
    ast::{Kind, NodeId},
    check::Checked,
    conjuncts::{self, Alternative},
    cost::{Cost, Estimate},
    env::{Env, Lazy},
    error::{EvalError, EvalErrorKind, Fault},
    guard::{self, Unguarded},
    plan::Plan,
    run::{Cx, Scratch},
    types::Type,
    value::Value,
};

/// An attribute, or one key of a map attribute, that an expression can read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// The attribute.
    pub slot: Slot,
    /// The key, header names in lower case; none for the whole attribute.
    pub key: Option<Box<str>>,
}

/// A compiled expression: immutable, shared, cheap to clone.
#[derive(Clone, Debug)]
pub struct Program(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    checked: Checked,
    plan: Plan,
    lazies: Arc<[Lazy]>,
    references: Box<[Reference]>,
    result: Type,
    env: Option<Env>,
    estimate: Estimate,
}

impl Program {
    pub(crate) fn new(
        checked: Checked,
        plan: Plan,
        lazies: Arc<[Lazy]>,
        mut references: Vec<Reference>,
        estimate: Estimate,
    ) -> Self {
        references.sort();
        // What has no key comes before its keys, and includes them.
        references.dedup_by(|next, kept| next.slot == kept.slot && kept.key.is_none());
        let result = checked.ty(checked.ast.root).settled();
        Self(Arc::new(Inner { checked, plan, lazies, references: references.into(), result, env: None, estimate }))
    }

    /// The same, knowing what it was compiled in.
    pub(crate) fn within(mut self, env: &Env) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.env = Some(env.clone());
        }
        self
    }

    /// What it was compiled in, where what is left of it can be compiled again.
    pub(crate) fn env(&self) -> Option<&Env> {
        self.0.env.as_ref()
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.0.plan
    }

    pub(crate) fn checked(&self) -> &Checked {
        &self.0.checked
    }

    /// The same expression, planned in another way.
    pub(crate) fn with_plan(&self, plan: Plan) -> Self {
        let Inner { checked, lazies, estimate, .. } = &*self.0;
        Self::new(checked.clone(), plan, lazies.clone(), Vec::new(), estimate.clone())
    }

    pub(crate) fn lazies(&self) -> &[Lazy] {
        &self.0.lazies
    }

    /// How many parts its syntax tree has.
    pub(crate) fn parts(&self) -> usize {
        self.0.checked.ast.nodes.len()
    }

    pub(crate) fn height(&self) -> u16 {
        self.0.checked.height
    }

    pub(crate) fn estimate(&self) -> &Estimate {
        &self.0.estimate
    }

    /// What an evaluation takes from its budget at least and at most, its variables included, on any activation whose
    /// values are as large as the environment says: [`crate::EnvBuilder::size_hint`]. What a declared function makes is
    /// taken for a value of its type that is not larger than the defaults.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.0.estimate.cost()
    }

    /// The type of its value; `dyn` when only the evaluation knows.
    #[must_use]
    pub fn result_type(&self) -> &Type {
        &self.0.result
    }

    /// The ways for it to be true, and what must hold for each: what an [`crate::Index`] finds it by.
    #[must_use]
    pub fn alternatives(&self) -> Box<[Alternative]> {
        conjuncts::alternatives(&self.0.plan, &self.0.checked)
    }

    /// What was compiled.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.checked.ast.source
    }

    /// Every attribute and every constant key of a map attribute that it can ever read, those that its variables read
    /// included, sorted; a whole map where a key is not constant.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.0.references
    }

    /// Whether it can read an attribute that differs from request to request by nature: what depends on it cannot be
    /// cached.
    #[must_use]
    pub fn reads_volatile(&self) -> bool {
        self.0.references.iter().any(|reference| reference.slot.attribute().volatile)
    }

    /// The places where an absent attribute or map key makes an error, because nothing around it asks first, the
    /// first [`crate::limits::UNGUARDED_MAX`] of them. Those in its variables are in the variables' own programs.
    #[must_use]
    pub fn unguarded(&self) -> Vec<Unguarded> {
        guard::unguarded(&self.0.checked)
    }

    /// Evaluates it. What it borrows comes from the program and the activation.
    ///
    /// # Errors
    /// Whatever [`EvalErrorKind`] lists; [`EvalErrorKind::Budget`] when it takes more than `scratch` allows.
    pub fn evaluate<'a>(
        &'a self,
        activation: &'a dyn Activation,
        scratch: &mut Scratch,
    ) -> Result<Value<'a>, EvalError> {
        scratch.refill();
        self.0.plan.run(&mut Cx::new(activation, &self.0.lazies, scratch)).map_err(|fault| self.error(fault))
    }

    /// Evaluates it to a truth value.
    ///
    /// # Errors
    /// As [`Program::evaluate`], and [`EvalErrorKind::NoOverload`] when the value is no bool.
    pub fn evaluate_bool<'a>(
        &'a self,
        activation: &'a dyn Activation,
        scratch: &mut Scratch,
    ) -> Result<bool, EvalError> {
        scratch.refill();
        let mut cx = Cx::new(activation, &self.0.lazies, scratch);
        let outcome = match &self.0.plan {
            Plan::Test(test) => test.run(&mut cx),
            plan => match plan.run(&mut cx) {
                Ok(Value::Bool(value)) => Ok(value),
                Ok(_) => Err(Fault::new(EvalErrorKind::NoOverload, self.0.checked.ast.root.0)),
                Err(fault) => Err(fault),
            },
        };
        outcome.map_err(|fault| self.error(fault))
    }

    /// A fault for people. It names what stands in the source and never a value.
    #[cold]
    pub(crate) fn error(&self, fault: Fault) -> EvalError {
        let lazy = fault.lazy.checked_sub(1).and_then(|index| self.0.lazies.get(usize::from(index)));
        let checked = lazy.map_or(&self.0.checked, |lazy| &lazy.program.0.checked);
        let id = NodeId(fault.node);
        let known = (fault.node as usize) < checked.ast.nodes.len();
        let (span, text) = if known { (checked.ast.span(id).range(), checked.ast.source_of(id)) } else { (0..0, "") };
        let text = shortened(text);
        let mut message = match fault.kind {
            EvalErrorKind::AbsentAttribute(slot) => format!("attribute `{}` is absent", slot.attribute().name),
            EvalErrorKind::AbsentVariable => format!("variable `{text}` has no value"),
            EvalErrorKind::AbsentKey => absent_key(checked, id, &text, known),
            EvalErrorKind::OutOfRange => format!("`{text}`: out of range"),
            EvalErrorKind::NoOverload => format!("`{text}`: no such form for these types"),
            EvalErrorKind::Overflow => format!("`{text}`: the result is out of range"),
            EvalErrorKind::DivideByZero => format!("`{text}`: division by zero"),
            EvalErrorKind::Conversion => format!("`{text}`: cannot be converted"),
            EvalErrorKind::RepeatedKey => format!("`{text}`: a key stands twice"),
            EvalErrorKind::BadKey => format!("`{text}`: not the key of a map"),
            EvalErrorKind::EmptyOptional => format!("`{text}`: the optional is empty"),
            EvalErrorKind::BadPattern => format!("`{text}`: not a regular expression, or too large a one"),
            EvalErrorKind::Undeclared => format!("`{text}` is not declared"),
            EvalErrorKind::Unimplemented => format!("`{text}`: the function is declared, but has no implementation"),
            EvalErrorKind::Budget => format!("`{text}`: the evaluation took more than its budget and was stopped"),
            EvalErrorKind::Doubt => {
                format!("`{text}`: the proxy joined header lines that have commas; let it send them raw")
            }
            EvalErrorKind::Unknown => "it depends on what is not known".to_owned(),
            EvalErrorKind::Invalid => format!("`{text}`: not valid"),
        };
        if let Some(lazy) = lazy {
            let _ = write!(message, ", in `{}`", lazy.name);
        }
        EvalError { kind: fault.kind, span, variable: lazy.map(|lazy| lazy.name.clone()), message }
    }
}

fn absent_key(checked: &Checked, id: NodeId, text: &str, known: bool) -> String {
    if known && let Kind::Select { operand, field, .. } = checked.ast.kind(id) {
        return format!("`{}` has no key `{}`", shortened(checked.ast.source_of(*operand)), checked.ast.text(*field));
    }
    if known
        && let Kind::Index { operand, index, .. } = checked.ast.kind(id)
        && let Some(key) = checked.ast.constant_text(*index)
    {
        return format!("`{}` has no key `{}`", shortened(checked.ast.source_of(*operand)), shortened(key));
    }
    format!("`{text}`: no such key")
}

/// How much of the source an error quotes, in characters.
const QUOTE_MAX: usize = 80;

pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTE_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
