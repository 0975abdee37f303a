//! Calls that are macros become nodes of their own.

use super::{Parse, Parser};
use crate::{
    ast::{Fold, FoldCall, Kind, NodeId, Span},
    error::Error,
};

impl Parser<'_> {
    pub(super) fn call(
        &mut self,
        start: u32,
        target: Option<NodeId>,
        function: Span,
        args: Vec<NodeId>,
    ) -> Parse<NodeId> {
        if self.macros
            && let Some(kind) = self.expand(target, function, &args)?
        {
            return self.push(kind, start);
        }
        self.push(Kind::Call { function, target, args: args.into() }, start)
    }

    fn expand(&self, target: Option<NodeId>, function: Span, args: &[NodeId]) -> Parse<Option<Kind>> {
        let name = self.text(function);
        match (target, args) {
            (None, &[operand]) if name == "has" => match self.kind(operand) {
                Some(Kind::Select { .. }) => Ok(Some(Kind::Has { operand })),
                _ => Err(Error::new(self.span_of(operand).range(), "has() asks for a field, such as has(a.b)")
                    .help("for a key that is no name: `\"key\" in map`")),
            },
            (Some(target), &[first, value, body]) if name == "bind" && self.is_ident(target, "cel") => {
                Ok(Some(Kind::Bind { name: self.variable(first)?, value, body }))
            }
            (Some(operand), &[first, body]) if name == "optMap" || name == "optFlatMap" => {
                Ok(Some(Kind::OptMap { operand, name: self.variable(first)?, body, flat: name == "optFlatMap" }))
            }
            (Some(range), _) => self.fold(range, name, args),
            _ => Ok(None),
        }
    }

    fn fold(&self, range: NodeId, name: &str, args: &[NodeId]) -> Parse<Option<Kind>> {
        let (fold, second, filter, first, body) = match (name, args) {
            ("all", &[first, body]) => (Fold::All, None, None, first, body),
            ("exists", &[first, body]) => (Fold::Exists, None, None, first, body),
            ("exists_one" | "existsOne", &[first, body]) => (Fold::ExistsOne, None, None, first, body),
            ("map", &[first, body]) => (Fold::Map, None, None, first, body),
            ("map", &[first, filter, body]) => (Fold::Map, None, Some(filter), first, body),
            ("filter", &[first, body]) => (Fold::Filter, None, None, first, body),
            ("sortBy", &[first, body]) => (Fold::SortBy, None, None, first, body),
            ("all", &[first, second, body]) => (Fold::All, Some(second), None, first, body),
            ("exists", &[first, second, body]) => (Fold::Exists, Some(second), None, first, body),
            ("exists_one" | "existsOne", &[first, second, body]) => (Fold::ExistsOne, Some(second), None, first, body),
            ("transformList", &[first, second, body]) => (Fold::Map, Some(second), None, first, body),
            ("transformList", &[first, second, filter, body]) => (Fold::Map, Some(second), Some(filter), first, body),
            ("transformMap", &[first, second, body]) => (Fold::TransformMap, Some(second), None, first, body),
            ("transformMap", &[first, second, filter, body]) => {
                (Fold::TransformMap, Some(second), Some(filter), first, body)
            }
            ("transformMapEntry", &[first, second, body]) => (Fold::TransformMapEntry, Some(second), None, first, body),
            ("transformMapEntry", &[first, second, filter, body]) => {
                (Fold::TransformMapEntry, Some(second), Some(filter), first, body)
            }
            _ => return Ok(None),
        };
        let first = self.variable(first)?;
        let second = match second {
            Some(id) => {
                let second = self.variable(id)?;
                if self.text(second) == self.text(first) {
                    return Err(Error::new(second.range(), "the two variables have the same name"));
                }
                Some(second)
            }
            None => None,
        };
        Ok(Some(Kind::Fold(Box::new(FoldCall { fold, range, name: first, second, filter, body }))))
    }

    fn kind(&self, id: NodeId) -> Option<&Kind> {
        self.nodes.get(id.index()).map(|node| &node.kind)
    }

    fn span_of(&self, id: NodeId) -> Span {
        self.nodes.get(id.index()).map_or(self.span, |node| node.span)
    }

    fn is_ident(&self, id: NodeId, wanted: &str) -> bool {
        matches!(self.kind(id), Some(Kind::Ident { name, rooted: false }) if self.text(*name) == wanted)
    }

    /// The name of a macro's variable.
    fn variable(&self, id: NodeId) -> Parse<Span> {
        match self.kind(id) {
            Some(Kind::Ident { name, rooted: false }) => Ok(*name),
            _ => Err(Error::new(self.span_of(id).range(), "a macro's variable is a plain name")),
        }
    }
}
