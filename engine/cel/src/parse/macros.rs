//! Calls that are macros become nodes of their own.

use super::{Parse, Parser};
use crate::{
    ast::{Fold, FoldCall, Kind, Literal, NodeId, Span},
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
            && let Some(kind) = self.expand(start, target, function, &args)?
        {
            return self.push(kind, start);
        }
        self.push(Kind::Call { function, target, args: args.into() }, start)
    }

    fn expand(&self, start: u32, target: Option<NodeId>, function: Span, args: &[NodeId]) -> Parse<Option<Kind>> {
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
            (Some(target), args) if self.is_ident(target, "cel") => self.block(start, name, args),
            (Some(operand), &[first, body]) if name == "optMap" || name == "optFlatMap" => {
                Ok(Some(Kind::OptMap { operand, name: self.variable(first)?, body, flat: name == "optFlatMap" }))
            }
            (Some(range), _) => self.fold(range, name, args),
            _ => Ok(None),
        }
    }

    /// The parts of a block: what tools make of an expression that says one thing several times.
    fn block(&self, start: u32, name: &str, args: &[NodeId]) -> Parse<Option<Kind>> {
        let number = |id: NodeId| match self.kind(id) {
            Some(Kind::Literal(Literal::Int(number))) => u32::try_from(*number).ok(),
            _ => None,
        };
        let whole = Span::new(start, self.end.max(start));
        match (name, args) {
            ("block", &[list, body]) => match self.kind(list) {
                Some(Kind::List(slots)) if slots.iter().all(|slot| !slot.optional) => {
                    Ok(Some(Kind::Block { slots: slots.iter().map(|slot| slot.value).collect(), body }))
                }
                _ => Err(Error::new(self.span_of(list).range(), "the parts of a block are a list that stands here")),
            },
            ("index", &[index]) => match number(index) {
                Some(index) => Ok(Some(Kind::Slot(index))),
                None => Err(Error::new(self.span_of(index).range(), "the parts of a block are counted from 0")),
            },
            // The names of macro variables, spelled with two numbers.
            ("iterVar" | "accuVar", &[depth, unique]) if number(depth).is_some() && number(unique).is_some() => {
                Ok(Some(Kind::Ident { name: whole, rooted: false }))
            }
            ("iterVar" | "accuVar", _) => {
                Err(Error::new(whole.range(), format!("cel.{name} takes two numbers, such as cel.{name}(0, 0)")))
            }
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
                if Span::same_name(self.text(second), self.text(first)) {
                    return Err(Error::new(second.range(), "the two variables have the same name"));
                }
                Some(second)
            }
            None => None,
        };
        Ok(Some(Kind::Fold(Box::new(FoldCall { fold, range, name: first, second, filter, body }))))
    }

    fn kind(&self, id: NodeId) -> Option<&Kind> {
        self.arena.kind(id)
    }

    fn span_of(&self, id: NodeId) -> Span {
        self.arena.span(id)
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
