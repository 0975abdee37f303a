//! Evaluates what is known and keeps the rest.

use super::{
    literal::{fits, literal},
    open::Opens,
    piece::{Level, Piece},
};
use crate::{
    activation::Activation,
    ast::{Ast, Fold, Kind, NodeId},
    check::{Checked, Meaning},
    explain::{Sensitive, Sensitivity},
    plan,
    program::Program,
    run::Scratch,
    types::Type,
    value::Value,
};

/// The source of what is left; none when that is all of it, as it is written.
pub(super) fn reduced(program: &Program, activation: &dyn Activation, scratch: &mut Scratch) -> Option<String> {
    let mut reducer = Reducer {
        program,
        checked: program.checked(),
        activation,
        scratch,
        opens: Opens::of(program, activation),
        sensitivity: Sensitivity::of(program, Sensitive::Mask),
        locals: Vec::new(),
    };
    let root = reducer.checked.ast.root;
    // Something may decide that is not seen in its parts.
    let value = if reducer.opens.stands_alone(root) { reducer.evaluate(root) } else { None };
    let left = value.map_or_else(|| reducer.reduce(root), Left::Value);
    let piece = reducer.source(root, left);
    piece.changed.then_some(piece.source)
}

/// What is left of a part.
pub(super) enum Left {
    Value(Value<'static>),
    Source(Piece),
}

pub(super) struct Reducer<'r> {
    program: &'r Program,
    pub(super) checked: &'r Checked,
    activation: &'r dyn Activation,
    scratch: &'r mut Scratch,
    opens: Opens,
    sensitivity: Sensitivity,
    /// The known values of the macro variables in sight.
    locals: Vec<Option<Value<'static>>>,
}

impl<'r> Reducer<'r> {
    fn ast(&self) -> &'r Ast {
        &self.checked.ast
    }

    /// A part as it is written.
    pub(super) fn written(&self, id: NodeId) -> Piece {
        let source = self.ast().source_of(id).to_owned();
        Piece { source, level: Level::of(self.ast().kind(id)), changed: false, literal: false }
    }

    /// Whether a part is hidden from the checker already.
    pub(super) fn is_hidden(&self, id: NodeId) -> bool {
        matches!(self.ast().kind(id), Kind::Call { function, target: None, .. } if self.ast().text(*function) == "dyn")
    }

    /// A known value as a literal in place of a part; none when it has to stay as it is written.
    fn known(&self, id: NodeId, value: &Value<'static>) -> Option<Piece> {
        if matches!(self.ast().kind(id), Kind::Literal(_)) {
            return Some(self.written(id));
        }
        if self.sensitivity.is(id) && !matches!(value, Value::Bool(_)) {
            return None;
        }
        let (source, ty) = literal(value)?;
        let number = matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_));
        let level = if number { Level::Number } else { Level::Tight };
        let piece = Piece { source, level, changed: true, literal: true };
        Some(if fits(&ty, self.checked.ty(id)) { piece } else { piece.hidden() })
    }

    /// What is left of a part, as a source.
    pub(super) fn piece(&mut self, id: NodeId) -> Piece {
        let left = self.reduce(id);
        self.source(id, left)
    }

    /// What is left of a part, as a source.
    pub(super) fn source(&self, id: NodeId, left: Left) -> Piece {
        match left {
            Left::Value(value) => self.known(id, &value).unwrap_or_else(|| self.written(id)),
            Left::Source(piece) => piece,
        }
    }

    pub(super) fn is_closed(&self, id: NodeId) -> bool {
        self.opens.is_closed(id)
    }

    pub(super) fn reduce(&mut self, id: NodeId) -> Left {
        let checked = self.checked;
        if let Meaning::Local(index) = checked.meaning(id) {
            let value = self.locals.get(usize::from(index)).cloned().flatten();
            return value.map_or_else(|| Left::Source(self.written(id)), Left::Value);
        }
        let absorbs = match checked.ast.kind(id) {
            Kind::Fold(call) => matches!(call.fold, Fold::All | Fold::Exists),
            // A variable may decide without what is not known.
            _ => matches!(checked.meaning(id), Meaning::Lazy(_)),
        };
        if self.opens.is_closed(id) || (absorbs && self.opens.stands_alone(id)) {
            match self.evaluate(id) {
                Some(value) => return Left::Value(value),
                // It fails, and so does what is left of it.
                None if self.opens.is_closed(id) => return Left::Source(self.written(id)),
                None => {}
            }
        }
        match checked.ast.kind(id) {
            Kind::Logic { all, terms } => self.logic(id, *all, terms),
            Kind::Conditional { test, then, other } => self.conditional(id, *test, *then, *other),
            Kind::Call { target: Some(target), args, function } => {
                match (checked.ast.text(*function), &**args, checked.meaning(id)) {
                    (name @ ("or" | "orValue"), [other], Meaning::Function(_)) => {
                        self.otherwise(id, *target, *other, name == "orValue")
                    }
                    _ => Left::Source(self.composed(id)),
                }
            }
            _ => Left::Source(self.composed(id)),
        }
    }

    /// The value of a part, when it has one that is known.
    fn evaluate(&mut self, id: NodeId) -> Option<Value<'static>> {
        if let Kind::Literal(literal) = self.ast().kind(id) {
            return Some(plan::constant(literal));
        }
        let (plan, size) = plan::part(self.checked, self.program.lazies(), id);
        self.scratch.budget.spend(size).ok()?;
        self.program.evaluate_part(&plan, &self.locals, self.activation, self.scratch)
    }

    /// A part in place of what is around it.
    fn moved(&mut self, from: NodeId, to: NodeId) -> Left {
        match self.reduce(from) {
            Left::Value(value) => Left::Value(value),
            Left::Source(piece) => {
                let fits = fits(self.checked.ty(from), self.checked.ty(to));
                Left::Source(if fits { piece.changed() } else { piece.hidden() })
            }
        }
    }

    fn logic(&mut self, id: NodeId, all: bool, terms: &[NodeId]) -> Left {
        let mut left = Vec::with_capacity(terms.len());
        let mut changed = false;
        for term in terms {
            let piece = match self.reduce(*term) {
                // What decides, whatever fails or is not known before or after it.
                Left::Value(Value::Bool(value)) if value != all => return Left::Value(Value::Bool(value)),
                Left::Value(Value::Bool(_)) => {
                    changed = true;
                    continue;
                }
                // No truth value: an error unless another term decides.
                Left::Value(_) => self.written(*term),
                Left::Source(piece) => piece,
            };
            changed |= piece.changed;
            left.push((*term, piece));
        }
        if !changed {
            return Left::Source(self.written(id));
        }
        if left.is_empty() {
            return Left::Value(Value::Bool(all));
        }
        let lone = left.len() == 1;
        if lone && left.iter().all(|(term, _)| *self.checked.ty(*term) == Type::Bool) {
            return left
                .pop()
                .map_or_else(|| Left::Source(self.written(id)), |(_, piece)| Left::Source(piece.changed()));
        }
        let (operator, level) = if all { (" && ", Level::And) } else { (" || ", Level::Or) };
        let mut sources: Vec<String> = left.iter().map(|(_, piece)| piece.at(level)).collect();
        if lone {
            // What remains must still be a truth value.
            sources.push(all.to_string());
        }
        Left::Source(Piece::new(sources.join(operator), level))
    }

    fn conditional(&mut self, id: NodeId, test: NodeId, then: NodeId, other: NodeId) -> Left {
        match self.reduce(test) {
            Left::Value(Value::Bool(true)) => self.moved(then, id),
            Left::Value(Value::Bool(false)) => self.moved(other, id),
            // It fails.
            Left::Value(_) => Left::Source(self.written(id)),
            Left::Source(test) => {
                let (then, other) = (self.piece(then), self.piece(other));
                if !test.changed && !then.changed && !other.changed {
                    return Left::Source(self.written(id));
                }
                let (test, then, other) = (test.at(Level::Or), then.at(Level::Or), other.at(Level::Choice));
                Left::Source(Piece::new(format!("{test} ? {then} : {other}"), Level::Choice))
            }
        }
    }

    /// `target.or(other)` or `target.orValue(other)`.
    fn otherwise(&mut self, id: NodeId, target: NodeId, other: NodeId, unwrap: bool) -> Left {
        let left = match self.reduce(target) {
            Left::Value(Value::Optional(Some(inner))) if unwrap => return Left::Value((*inner).clone()),
            Left::Value(value @ Value::Optional(Some(_))) => return Left::Value(value),
            Left::Value(Value::Optional(None)) if unwrap || matches!(self.checked.ty(other), Type::Optional(_)) => {
                return self.moved(other, id);
            }
            left => left,
        };
        let (target, other) = (self.source(target, left), self.piece(other));
        if !target.changed && !other.changed {
            return Left::Source(self.written(id));
        }
        let name = if unwrap { "orValue" } else { "or" };
        Left::Source(Piece::new(format!("{}.{name}({})", target.target(), other.source), Level::Tight))
    }

    /// Reduces with those macro variables in sight.
    pub(super) fn within(&mut self, locals: &[Option<Value<'static>>], body: NodeId) -> Piece {
        let outer = self.locals.len();
        self.locals.extend_from_slice(locals);
        let piece = self.piece(body);
        self.locals.truncate(outer);
        piece
    }
}
