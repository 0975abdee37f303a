//! Macros and the variables that they bind.

use super::Checker;
use crate::{
    ast::{Fold, FoldCall, NodeId, Span},
    error::Error,
    functions::Shape,
    types::Type,
};

impl Checker<'_> {
    pub(super) fn fold(&mut self, call: FoldCall) -> Type {
        let range = self.check(call.range);
        let (key, element) = match &range {
            Type::List(element) => (Type::Int, (**element).clone()),
            Type::Map(key, value) => ((**key).clone(), (**value).clone()),
            Type::Dyn | Type::Never => (Type::Dyn, Type::Dyn),
            other => {
                let error = Error::new(self.span(call.range), format!("a {other} has no elements to go through"));
                self.mismatch(error.help("macros take a list, or a map for its keys"));
                (Type::Dyn, Type::Dyn)
            }
        };
        let outer = self.scope.len();
        let one = if matches!(range, Type::Map(..)) { key.clone() } else { element.clone() };
        match call.second {
            Some(second) => {
                self.scope.push((call.name, key.clone()));
                self.scope.push((second, element));
            }
            None => self.scope.push((call.name, one.clone())),
        }
        if let Some(filter) = call.filter {
            self.truth(filter);
        }
        let ty = match call.fold {
            Fold::All | Fold::Exists | Fold::ExistsOne => {
                self.truth(call.body);
                Type::Bool
            }
            Fold::Filter => {
                self.truth(call.body);
                Type::list(one)
            }
            Fold::Map => Type::list(self.check(call.body)),
            Fold::SortBy => {
                let by = self.check(call.body);
                if !Shape::Comparable.takes(&by, &mut Default::default()) {
                    let error = Error::new(self.span(call.body), format!("this is {by}, which has no order"));
                    self.mismatch(error.help("sort by numbers, texts, bytes, bools or times"));
                }
                if matches!(range, Type::Map(..)) {
                    let error = Error::new(self.span(call.range), format!("sortBy takes a list, not {range}"));
                    self.mismatch(error);
                }
                Type::list(one)
            }
            Fold::TransformMap => Type::map(key, self.check(call.body)),
            Fold::TransformMapEntry => match self.check(call.body) {
                ty @ Type::Map(..) => ty,
                Type::Dyn | Type::Never => Type::map(Type::Dyn, Type::Dyn),
                other => {
                    let error = Error::new(self.span(call.body), format!("this is {other}, but a map is needed"));
                    self.mismatch(error.help("give the entries that the result has: {key: value}"))
                }
            },
        };
        self.scope.truncate(outer);
        ty
    }

    pub(super) fn bind(&mut self, name: Span, value: NodeId, body: NodeId) -> Type {
        let ty = self.check(value);
        self.scope.push((name, ty));
        let ty = self.check(body);
        self.scope.pop();
        ty
    }

    pub(super) fn opt_map(&mut self, operand: NodeId, name: Span, body: NodeId, flat: bool) -> Type {
        let ty = self.check(operand);
        let inner = self.unwrap(operand, &ty);
        self.scope.push((name, inner));
        let ty = self.check(body);
        self.scope.pop();
        if !flat {
            return Type::optional(ty);
        }
        let inner = self.unwrap(body, &ty);
        Type::optional(inner)
    }
}
