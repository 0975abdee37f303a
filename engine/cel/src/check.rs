//! Names to meanings, expressions to types: everything that is wrong with an expression is found here, at once.

mod block;
mod calls;
mod literals;
mod macros;
mod messages;
mod names;
mod operators;
mod suggest;

use std::{collections::HashMap, sync::Arc};

pub(crate) use block::Slotted;
pub(crate) use literals::bad_pattern;
pub(crate) use suggest::closest;

use weir_attributes::Slot;

use crate::{
    ast::{Ast, Kind, Literal, NodeId, Span},
    declare::Declared,
    env::Names,
    error::Error,
    functions::{Native, Pattern, Search},
    limits::{ERRORS_MAX, HEIGHT_MAX},
    message::Message,
    types::Type,
    value::TypeName,
};

/// What a node was found to mean.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Meaning {
    /// Its kind says it all.
    #[default]
    Plain,
    Attribute(Slot),
    Variable(u32),
    Lazy(u16),
    /// A macro's variable: its place on the stack.
    Local(u16),
    /// A slot of a block.
    Slot(Slotted),
    Type(TypeName),
    /// The value of an enum.
    Constant(i64),
    Message(Message),
    /// A call of that code.
    Function(Native),
    /// A call of that code whose target is a part of its name.
    Qualified(Native),
    /// A call of a declared function, by its place in [`Checked::functions`]; `qualified` as above.
    Declared {
        index: u32,
        qualified: bool,
    },
    /// Nothing: evaluating it fails. Only where checking is lenient.
    Undeclared,
}

/// A checked tree.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) ast: Ast,
    pub(crate) types: Vec<Type>,
    pub(crate) meanings: Vec<Meaning>,
    /// The compiled patterns of `matches` calls whose pattern is a literal, by call.
    pub(crate) patterns: HashMap<NodeId, Arc<Pattern>>,
    /// The same of other calls that look for a pattern.
    pub(crate) searches: HashMap<NodeId, (Search, Arc<Pattern>)>,
    /// The declared functions that are called, each with the language's own function of that name.
    pub(crate) functions: Vec<(Arc<Declared>, Option<Native>)>,
    pub(crate) height: u16,
}

impl Checked {
    pub(crate) fn ty(&self, id: NodeId) -> &Type {
        self.types.get(id.index()).unwrap_or(&Type::Dyn)
    }

    pub(crate) fn meaning(&self, id: NodeId) -> Meaning {
        self.meanings.get(id.index()).copied().unwrap_or_default()
    }
}

struct Checker<'n> {
    ast: Ast,
    names: &'n Names,
    types: Vec<Type>,
    meanings: Vec<Meaning>,
    heights: Vec<u16>,
    patterns: HashMap<NodeId, Arc<Pattern>>,
    searches: HashMap<NodeId, (Search, Arc<Pattern>)>,
    /// The bytes that the patterns so far may take.
    pattern_bytes: usize,
    functions: Vec<(Arc<Declared>, Option<Native>)>,
    /// The macro variables in sight, outermost first.
    scope: Vec<(Span, Type)>,
    /// The blocks around the node that is looked at, outermost first.
    blocks: Vec<block::Block>,
    errors: Vec<Error>,
}

pub(crate) fn check(ast: Ast, names: &Names) -> Result<Checked, Vec<Error>> {
    let count = ast.nodes.len();
    let root = ast.root;
    let mut checker = Checker {
        ast,
        names,
        types: vec![Type::Dyn; count],
        meanings: vec![Meaning::Plain; count],
        heights: vec![0; count],
        patterns: HashMap::new(),
        searches: HashMap::new(),
        pattern_bytes: 0,
        functions: Vec::new(),
        scope: Vec::new(),
        blocks: Vec::new(),
        errors: Vec::new(),
    };
    checker.check(root);
    if !checker.errors.is_empty() {
        return Err(checker.errors);
    }
    let height = checker.heights.get(root.index()).copied().unwrap_or(0);
    let Checker { ast, types, meanings, patterns, searches, functions, .. } = checker;
    Ok(Checked { ast, types, meanings, patterns, searches, functions, height })
}

impl Checker<'_> {
    /// Something that is wrong in any environment.
    fn refuse(&mut self, error: Error) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
    }

    /// Something that a lenient environment leaves to the evaluation.
    fn mismatch(&mut self, error: Error) -> Type {
        if !self.names.lenient {
            self.refuse(error);
        }
        Type::Dyn
    }

    fn span(&self, id: NodeId) -> std::ops::Range<usize> {
        self.ast.span(id).range()
    }

    fn set_meaning(&mut self, id: NodeId, meaning: Meaning) {
        if let Some(place) = self.meanings.get_mut(id.index()) {
            *place = meaning;
        }
    }

    fn set_type(&mut self, id: NodeId, ty: Type) {
        if let Some(place) = self.types.get_mut(id.index()) {
            *place = ty;
        }
    }

    /// Notes how tall the tree below a node is, that of a variable that it reads included.
    fn set_height(&mut self, id: NodeId, below: u16) {
        let mut tallest = below;
        self.ast
            .kind(id)
            .children(|child| tallest = tallest.max(self.heights.get(child.index()).copied().unwrap_or(0)));
        if usize::from(tallest) >= HEIGHT_MAX {
            let error = Error::new(
                self.span(id),
                format!("with the variables that it reads it is more than {HEIGHT_MAX} levels deep"),
            );
            self.refuse(error.help("let variables read fewer variables"));
            tallest = 0;
        }
        if let Some(place) = self.heights.get_mut(id.index()) {
            *place = tallest + 1;
        }
    }

    fn check(&mut self, id: NodeId) -> Type {
        let ty = match self.ast.kind(id) {
            Kind::Literal(literal) => literal_type(literal),
            // Names note their own heights, because a variable may be taller than it looks.
            Kind::Ident { .. } | Kind::Select { .. } => return self.name_or_select(id),
            Kind::Index { operand, index, optional } => self.index(id, *operand, *index, *optional),
            Kind::Call { .. } => self.call(id),
            Kind::List(_) => self.list(id),
            Kind::Map(_) => self.map(id),
            Kind::Struct { .. } => self.message(id),
            Kind::Unary { operator, operand } => self.unary(*operator, *operand, id),
            Kind::Binary { operator, left, right } => self.binary(*operator, *left, *right, id),
            Kind::Logic { .. } => self.logic(id),
            Kind::Conditional { test, then, other } => self.conditional(*test, *then, *other),
            Kind::Has { operand } => {
                self.check(*operand);
                Type::Bool
            }
            Kind::Fold(call) => self.fold(**call),
            Kind::Bind { name, value, body } => self.bind(*name, *value, *body),
            Kind::Block { body, .. } => self.block(id, *body),
            Kind::Slot(index) => return self.slot(id, *index),
            Kind::OptMap { operand, name, body, flat } => self.opt_map(*operand, *name, *body, *flat),
        };
        self.set_type(id, ty.clone());
        self.set_height(id, 0);
        ty
    }

    fn list(&mut self, id: NodeId) -> Type {
        let Kind::List(elements) = self.ast.kind(id).clone() else { return Type::Dyn };
        let mut joined = Type::Never;
        for element in elements {
            let ty = self.check(element.value);
            let ty = if element.optional { self.unwrap(element.value, &ty) } else { ty };
            joined = joined.join(&ty);
        }
        Type::list(joined)
    }

    fn map(&mut self, id: NodeId) -> Type {
        let Kind::Map(entries) = self.ast.kind(id).clone() else { return Type::Dyn };
        let (mut keys, mut values) = (Type::Never, Type::Never);
        for entry in entries {
            let mut key = self.check(entry.key).unwrapped().clone();
            if !matches!(key, Type::Bool | Type::Int | Type::Uint | Type::String | Type::Dyn | Type::Never) {
                let error = Error::new(self.span(entry.key), format!("a {key} cannot be the key of a map"));
                // Its own type could name another twice at each level.
                key = self.mismatch(error.help("keys are string, int, uint or bool"));
            }
            let value = self.check(entry.value);
            let value = if entry.optional { self.unwrap(entry.value, &value) } else { value };
            (keys, values) = (keys.join(&key), values.join(&value));
        }
        Type::map(keys, values)
    }

    /// The type inside of an optional.
    fn unwrap(&mut self, id: NodeId, ty: &Type) -> Type {
        match ty {
            Type::Optional(inner) => (**inner).clone(),
            Type::Dyn | Type::Never => Type::Dyn,
            other => {
                let error = Error::new(self.span(id), format!("this is {other}, not an optional"));
                self.mismatch(error.help("make it one with optional.of(...), or drop the `?`"))
            }
        }
    }

    /// Checks that a node is a truth value.
    fn truth(&mut self, id: NodeId) {
        let ty = self.check(id);
        if Type::Bool.unite(&ty).is_none() {
            let error = Error::new(self.span(id), format!("this is {ty}, but a bool is needed"));
            let help = match ty {
                Type::String => "compare it: `... == \"value\"`",
                Type::Int | Type::Uint | Type::Double => "compare it: `... > 0`",
                Type::Optional(_) => "ask with .hasValue(), or give a default with .orValue(...)",
                _ => "compare it with something",
            };
            self.mismatch(error.help(help));
        }
    }
}

fn literal_type(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::Text(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}
