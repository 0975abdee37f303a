//! Which parts made the whole what it is.

use super::{Outcome, Part, Shown};
use crate::ast::{Fold, Kind, Unary};

/// How the truth of a part comes from that of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `&&` (all) or `||`.
    Logic(bool),
    Not,
    Choice,
    /// `all` is false, or `exists` is true, because of one round.
    Rounds(bool),
    /// It is what its last part is.
    Last,
    /// It does not.
    Whole,
}

impl Shape {
    pub(super) fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Logic { all, .. } => Self::Logic(*all),
            Kind::Unary { operator: Unary::Not, .. } => Self::Not,
            Kind::Conditional { .. } => Self::Choice,
            Kind::Fold(call) => match call.fold {
                Fold::All => Self::Rounds(false),
                Fold::Exists => Self::Rounds(true),
                _ => Self::Whole,
            },
            Kind::Bind { .. } | Kind::Block { .. } => Self::Last,
            _ => Self::Whole,
        }
    }
}

/// Marks the parts that decide: the innermost conditions that made it true or false, or the part that failed.
pub(super) fn mark(root: &mut Part) {
    match &root.outcome {
        Outcome::Value(Shown::Truth(value)) => truth(root, *value),
        Outcome::Error(_) => error(root),
        _ => {}
    }
}

fn value(part: &Part) -> Option<bool> {
    match part.outcome {
        Outcome::Value(Shown::Truth(value)) => Some(value),
        _ => None,
    }
}

fn truth(part: &mut Part, wanted: bool) {
    let found = match part.shape {
        // One term decides, or all of them together do.
        Shape::Logic(all) if wanted != all => {
            descend(part.parts.iter_mut().find(|term| value(term) == Some(wanted)), wanted)
        }
        Shape::Logic(_) => {
            let mut terms = part.parts.iter_mut().filter(|term| value(term) == Some(wanted)).peekable();
            let some = terms.peek().is_some();
            terms.for_each(|term| truth(term, wanted));
            some
        }
        Shape::Not => descend(part.parts.last_mut().filter(|inner| value(inner) == Some(!wanted)), !wanted),
        Shape::Choice => {
            let mut evaluated = part.parts.iter_mut().filter(|part| value(part).is_some()).peekable();
            let some = evaluated.peek().is_some();
            evaluated.for_each(|inner| {
                let value = value(inner).unwrap_or(wanted);
                truth(inner, value);
            });
            some
        }
        Shape::Rounds(decided) if wanted == decided => {
            let last = part.rounds.last_mut().and_then(|round| round.parts.last_mut());
            descend(last.filter(|body| value(body) == Some(wanted)), wanted)
        }
        Shape::Last => descend(part.parts.last_mut().filter(|inner| value(inner) == Some(wanted)), wanted),
        Shape::Rounds(_) | Shape::Whole => {
            let variable = part.parts.last_mut().filter(|inner| inner.variable.is_some());
            descend(variable.filter(|inner| value(inner) == Some(wanted)), wanted)
        }
    };
    part.decides = !found;
}

fn descend(part: Option<&mut Part>, wanted: bool) -> bool {
    part.map(|part| truth(part, wanted)).is_some()
}

fn error(part: &mut Part) {
    let failed = |part: &&mut Part| matches!(part.outcome, Outcome::Error(_));
    let rounds = part.rounds.iter_mut().flat_map(|round| round.parts.iter_mut());
    match part.parts.iter_mut().chain(rounds).find(failed) {
        Some(inner) => error(inner),
        None => part.decides = true,
    }
}
