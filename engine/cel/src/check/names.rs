//! Names, fields and keys: the longest declared name wins, what follows it is a field.

use super::{Checker, Meaning, suggest};
use crate::{
    ast::{Kind, NodeId, Span},
    env,
    error::Error,
    types::Type,
};

impl Checker<'_> {
    /// A name, or selects on something.
    pub(super) fn name_or_select(&mut self, id: NodeId) -> Type {
        // The selects from the outermost inwards, and what they start from.
        let mut selects = Vec::new();
        let mut base = id;
        while let Kind::Select { operand, .. } = self.ast.kind(base) {
            selects.push(base);
            base = *operand;
        }
        let mut ty = match self.ast.kind(base) {
            Kind::Ident { name, rooted } => {
                let (name, rooted) = (*name, *rooted);
                let text = self.ast.text(name);
                match (!rooted).then(|| self.local(text)).flatten() {
                    Some((index, ty)) => {
                        self.settle(base, Meaning::Local(index), ty.clone(), 0);
                        ty
                    }
                    None => match self.declared(base, &mut selects, rooted) {
                        Some(ty) => ty,
                        None => return Type::Dyn,
                    },
                }
            }
            _ => self.check(base),
        };
        while let Some(select) = selects.pop() {
            ty = self.field(select, &ty);
            self.settle(select, Meaning::Plain, ty.clone(), 0);
        }
        ty
    }

    pub(super) fn settle(&mut self, id: NodeId, meaning: Meaning, ty: Type, below: u16) {
        self.set_meaning(id, meaning);
        self.set_type(id, ty);
        self.set_height(id, below);
    }

    /// The macro variable of that name: its place on the stack.
    pub(super) fn local(&self, name: &str) -> Option<(u16, Type)> {
        let found =
            self.scope.iter().enumerate().rev().find(|(_, (span, _))| Span::same_name(self.ast.text(*span), name));
        found.map(|(index, (_, ty))| (index as u16, ty.clone()))
    }

    /// Finds the longest declared name that starts at `base`, takes its selects away and gives its type.
    fn declared(&mut self, base: NodeId, selects: &mut Vec<NodeId>, rooted: bool) -> Option<Type> {
        let Kind::Ident { name, .. } = self.ast.kind(base) else { return None };
        let mut whole = self.ast.text(*name).to_owned();
        // The nodes whose source is a dotted name, shortest first, each with the length of that name.
        let mut steps = vec![(base, whole.len())];
        for select in selects.iter().rev() {
            let Kind::Select { field, optional: false, .. } = self.ast.kind(*select) else { break };
            whole.push('.');
            whole.push_str(self.ast.text(*field));
            steps.push((*select, whole.len()));
        }
        for (taken, (node, length)) in steps.iter().enumerate().rev() {
            let Some(meaning) = whole.get(..*length).and_then(|name| self.names.resolve(name, rooted)) else {
                continue;
            };
            selects.truncate(selects.len() - taken);
            let (meaning, ty, below) = self.found(meaning);
            self.settle(*node, meaning, ty.clone(), below);
            return Some(ty);
        }
        let (node, _) = *steps.last()?;
        let error = suggest::undeclared(self.names, &whole, self.span(node));
        self.mismatch(error);
        for (node, _) in steps {
            self.settle(node, Meaning::Undeclared, Type::Dyn, 0);
        }
        for select in std::mem::take(selects).into_iter().rev() {
            let meaning = self.meanings.get(select.index()).copied().unwrap_or_default();
            self.settle(select, meaning, Type::Dyn, 0);
        }
        None
    }

    fn found(&self, meaning: env::Meaning) -> (Meaning, Type, u16) {
        match meaning {
            env::Meaning::Attribute(slot) => (Meaning::Attribute(slot), slot.attribute().ty.into(), 0),
            env::Meaning::Variable(index) => (Meaning::Variable(index), self.names.variable_type(index), 0),
            env::Meaning::Lazy(index) => match self.names.lazy(index) {
                Some(lazy) => (Meaning::Lazy(index), lazy.program.result_type().clone(), lazy.program.height()),
                None => (Meaning::Undeclared, Type::Dyn, 0),
            },
            env::Meaning::Type(name) => (Meaning::Type(name), Type::Type, 0),
            env::Meaning::Constant(value) => (Meaning::Constant(value), Type::Int, 0),
        }
    }

    /// The type of a select on a value of that type.
    fn field(&mut self, select: NodeId, operand: &Type) -> Type {
        let Kind::Select { operand: of, field, optional } = self.ast.kind(select) else { return Type::Dyn };
        let (of, field, optional) = (*of, *field, *optional);
        match operand {
            Type::Optional(inner) => {
                let ty = self.plain_field(select, of, field, inner);
                Type::optional(ty)
            }
            other => {
                let ty = self.plain_field(select, of, field, other);
                if optional { Type::optional(ty) } else { ty }
            }
        }
    }

    fn plain_field(&mut self, select: NodeId, of: NodeId, field: crate::ast::Span, operand: &Type) -> Type {
        match operand {
            Type::Map(_, value) => (**value).clone(),
            Type::Dyn | Type::Never => Type::Dyn,
            other => {
                let (what, field) = (self.ast.source_of(of), self.ast.text(field));
                let mut error =
                    Error::new(self.span(select), format!("`{what}` is {other}: it has no field `{field}`"));
                if let Some((name, _)) = self.ast.dotted(select) {
                    error.help = suggest::closest(&name, self.names.all().filter(|other| !name.starts_with(other)))
                        .map(|close| format!("did you mean `{close}`?"));
                }
                self.mismatch(error)
            }
        }
    }

    pub(super) fn index(&mut self, id: NodeId, operand: NodeId, index: NodeId, optional: bool) -> Type {
        let of = self.check(operand);
        let key = self.check(index);
        let (plain, wrapped) = match &of {
            Type::Optional(inner) => ((**inner).clone(), true),
            other => (other.clone(), optional),
        };
        let ty = match &plain {
            Type::List(element) => {
                if Type::Int.unite(&key).is_none() {
                    let error = Error::new(self.span(index), format!("a list is indexed by int, not by {key}"));
                    self.mismatch(error);
                }
                (**element).clone()
            }
            Type::Map(keys, value) => {
                if keys.unite(&key).is_none() {
                    let error = Error::new(self.span(index), format!("the keys of this map are {keys}, not {key}"));
                    self.mismatch(error);
                }
                (**value).clone()
            }
            Type::Dyn | Type::Never => Type::Dyn,
            other => {
                let error = Error::new(self.span(id), format!("a {other} cannot be indexed"));
                let help =
                    if *other == Type::String { "take a character with .charAt(n)" } else { "index lists and maps" };
                self.mismatch(error.help(help))
            }
        };
        if wrapped { Type::optional(ty) } else { ty }
    }
}
