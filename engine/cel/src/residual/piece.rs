//! Parts of the residual's source.

use crate::ast::{Binary, Kind};

/// How tight the outermost operator of a source binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Choice,
    Or,
    And,
    Relation,
    Sum,
    Product,
    Unary,
    /// A number, which a dot after it would become a part of.
    Number,
    Tight,
}

impl Level {
    pub(super) fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Conditional { .. } => Self::Choice,
            Kind::Logic { all: false, .. } => Self::Or,
            Kind::Logic { all: true, .. } => Self::And,
            Kind::Binary { operator, .. } => Self::of_binary(*operator),
            Kind::Unary { .. } => Self::Unary,
            Kind::Literal(
                crate::ast::Literal::Int(_) | crate::ast::Literal::Uint(_) | crate::ast::Literal::Double(_),
            ) => Self::Number,
            _ => Self::Tight,
        }
    }

    pub(super) fn of_binary(operator: Binary) -> Self {
        match operator {
            Binary::Add | Binary::Subtract => Self::Sum,
            Binary::Multiply | Binary::Divide | Binary::Remainder => Self::Product,
            _ => Self::Relation,
        }
    }

    /// What binds tighter.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Choice => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Relation,
            Self::Relation => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Unary,
            Self::Unary => Self::Number,
            Self::Number | Self::Tight => Self::Tight,
        }
    }
}

/// A source that is a part of the residual.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) source: String,
    pub(super) level: Level,
    /// Whether it is not what is written there.
    pub(super) changed: bool,
    /// Whether it is a literal that was not written there.
    pub(super) literal: bool,
}

impl Piece {
    pub(super) fn new(source: String, level: Level) -> Self {
        Self { source, level, changed: true, literal: false }
    }

    /// The same, in place of what was written around it.
    pub(super) fn changed(self) -> Self {
        Self { changed: true, ..self }
    }

    /// Hidden from the checker, which must not find more about it than it did where it is written.
    pub(super) fn hidden(self) -> Self {
        Self::new(format!("dyn({})", self.source), Level::Tight)
    }

    /// In parentheses unless it binds at least as tight as that.
    pub(super) fn at(&self, level: Level) -> String {
        if self.level >= level { self.source.clone() } else { format!("({})", self.source) }
    }

    /// As what a dot, bracket or call follows. A name that was not written there must not run together with what follows.
    pub(super) fn target(self) -> String {
        let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '`' | ' ');
        if self.changed && self.source.chars().all(name) {
            return self.hidden().source;
        }
        self.at(Level::Tight)
    }
}
