//! Names to attributes, expressions to types: everything that is wrong with an expression is found here, at once.

mod calls;

use std::collections::HashMap;

use super::{Names, Type};
use crate::{
    ast::{Ast, Binary, Kind, Literal, NodeId},
    check::{self, Meaning, closest},
    error::Error,
    limits::ERRORS_MAX,
    types,
    value::parse_duration,
};

/// A checked tree, with the types of its nodes.
pub(super) struct Checked {
    pub(super) tree: check::Checked,
    pub(super) types: Vec<Type>,
}

impl Checked {
    pub(super) fn ty(&self, id: NodeId) -> Type {
        self.types.get(id.index()).copied().unwrap_or(Type::String)
    }
}

struct Checker<'n> {
    names: &'n Names,
    tree: check::Checked,
    types: Vec<Type>,
    errors: Vec<Error>,
}

pub(super) fn check(ast: Ast, names: &Names) -> Result<Checked, Vec<Error>> {
    let (count, root) = (ast.nodes.len(), ast.root);
    let tree = check::Checked {
        ast,
        types: vec![types::Type::Dyn; count],
        meanings: vec![Meaning::Plain; count],
        patterns: HashMap::new(),
        searches: HashMap::new(),
        functions: Vec::new(),
        height: 0,
    };
    let mut checker = Checker { names, tree, types: vec![Type::String; count], errors: Vec::new() };
    checker.check(root);
    match checker.errors.is_empty() {
        true => Ok(Checked { tree: checker.tree, types: checker.types }),
        false => Err(checker.errors),
    }
}

impl Checker<'_> {
    /// Adds an error; the type of what is wrong is none, so that nothing around it is blamed too.
    fn refuse<T>(&mut self, error: Error) -> Option<T> {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
        None
    }

    fn span(&self, id: NodeId) -> std::ops::Range<usize> {
        self.tree.ast.span(id).range()
    }

    fn set_meaning(&mut self, id: NodeId, meaning: Meaning) {
        if let Some(place) = self.tree.meanings.get_mut(id.index()) {
            *place = meaning;
        }
    }

    /// The type of a node; none when something in it is wrong.
    fn check(&mut self, id: NodeId) -> Option<Type> {
        let ty = match self.tree.ast.kind(id) {
            Kind::Literal(literal) => literal_type(literal),
            Kind::Ident { .. } | Kind::Select { .. } => self.attribute(id)?,
            Kind::Index { operand, index, .. } => {
                let (operand, index) = (*operand, *index);
                let (map, key) = (self.need(operand, Type::StringMap), self.need(index, Type::String));
                map.and(key)?;
                Type::String
            }
            Kind::Binary { operator, left, right } => self.binary(*operator, *left, *right, id)?,
            Kind::Logic { terms, .. } => {
                let terms = terms.clone();
                let found: Vec<Option<()>> = terms.iter().map(|term| self.need(*term, Type::Bool)).collect();
                found.into_iter().collect::<Option<Vec<()>>>()?;
                Type::Bool
            }
            Kind::Call { .. } => self.call(id)?,
            // The parser makes no others.
            _ => return self.refuse(Error::new(self.span(id), "not an expression of this language")),
        };
        if let (Some(place), Some(plain)) = (self.types.get_mut(id.index()), self.tree.types.get_mut(id.index())) {
            (*place, *plain) = (ty, ty.into());
        }
        Some(ty)
    }

    /// Checks that a node is of a type.
    fn need(&mut self, id: NodeId, wanted: Type) -> Option<()> {
        let ty = self.check(id)?;
        if ty == wanted {
            return Some(());
        }
        let error = Error::new(self.span(id), format!("this is {ty}, but {wanted} is needed"));
        let text = self.tree.ast.constant_text(id).is_some();
        let conversion = match wanted {
            Type::IpAddress => "ip",
            Type::EmailAddress => "email",
            Type::Uri => "uri",
            Type::DnsName => "dnsName",
            Type::Timestamp => "timestamp",
            _ => "",
        };
        self.refuse(match (ty, wanted) {
            (Type::Duration, _) if text => error.help("a text that reads as a duration is one, not a STRING"),
            (Type::String, Type::Duration) if text => error.help("write durations as in \"1.5s\" or \"2h30m\""),
            (Type::String, _) if !conversion.is_empty() => error.help(format!("make it one: {conversion}(...)")),
            (Type::String, Type::Bool) => error.help("compare it: `... == \"value\"`"),
            _ => error,
        })
    }

    fn attribute(&mut self, id: NodeId) -> Option<Type> {
        let (name, _) = self.tree.ast.dotted(id)?;
        let Some(index) = self.names.index.get(&*name).copied() else {
            let error = Error::new(self.span(id), format!("there is no attribute `{name}`"));
            let near = closest(&name, self.names.attributes.iter().map(|(name, _)| &**name));
            return self.refuse(match near {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            });
        };
        self.set_meaning(id, Meaning::Variable(index));
        self.names.attributes.get(index as usize).map(|(_, ty)| *ty)
    }

    fn binary(&mut self, operator: Binary, left: NodeId, right: NodeId, id: NodeId) -> Option<Type> {
        let ty = self.check(left);
        let Some(ty) = ty else {
            self.check(right);
            return None;
        };
        self.need(right, ty)?;
        let numbers = matches!(ty, Type::Int64 | Type::Double);
        let (takes, result) = match operator {
            Binary::Equal | Binary::NotEqual => (!matches!(ty, Type::StringMap | Type::Duration), Type::Bool),
            Binary::Add => (numbers || ty.is_text(), ty),
            _ => (numbers || ty.is_text() || ty == Type::Timestamp, Type::Bool),
        };
        if takes {
            return Some(result);
        }
        self.refuse(Error::new(self.span(id), format!("`{}` does not take {ty}", operator.symbol())))
    }
}

fn literal_type(literal: &Literal) -> Type {
    match literal {
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int64,
        Literal::Double(_) => Type::Double,
        Literal::Text(text) if parse_duration(text).is_some() => Type::Duration,
        _ => Type::String,
    }
}
