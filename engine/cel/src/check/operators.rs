//! Operators and their types.

use super::Checker;
use crate::{
    ast::{Binary, Kind, NodeId, Unary},
    error::Error,
    functions::Shape,
    types::Type,
};

type Form = (Shape, Shape, Shape);

const LIST: Shape = Shape::List(&Shape::A);

const fn same(shape: Shape) -> Form {
    (shape, shape, shape)
}

const ADD: &[Form] = &[
    same(Shape::Int),
    same(Shape::Uint),
    same(Shape::Double),
    same(Shape::Text),
    same(Shape::Bytes),
    same(LIST),
    same(Shape::Duration),
    (Shape::Timestamp, Shape::Duration, Shape::Timestamp),
    (Shape::Duration, Shape::Timestamp, Shape::Timestamp),
];

const SUBTRACT: &[Form] = &[
    same(Shape::Int),
    same(Shape::Uint),
    same(Shape::Double),
    same(Shape::Duration),
    (Shape::Timestamp, Shape::Timestamp, Shape::Duration),
    (Shape::Timestamp, Shape::Duration, Shape::Timestamp),
];

const MULTIPLY: &[Form] = &[same(Shape::Int), same(Shape::Uint), same(Shape::Double)];
const REMAINDER: &[Form] = &[same(Shape::Int), same(Shape::Uint)];

const fn ordered(left: Shape, right: Shape) -> Form {
    (left, right, Shape::Bool)
}

const ORDER: &[Form] = &[
    ordered(Shape::Bool, Shape::Bool),
    ordered(Shape::Int, Shape::Int),
    ordered(Shape::Uint, Shape::Uint),
    ordered(Shape::Double, Shape::Double),
    ordered(Shape::Text, Shape::Text),
    ordered(Shape::Bytes, Shape::Bytes),
    ordered(Shape::Timestamp, Shape::Timestamp),
    ordered(Shape::Duration, Shape::Duration),
    ordered(Shape::Int, Shape::Uint),
    ordered(Shape::Int, Shape::Double),
    ordered(Shape::Uint, Shape::Int),
    ordered(Shape::Uint, Shape::Double),
    ordered(Shape::Double, Shape::Int),
    ordered(Shape::Double, Shape::Uint),
];

fn forms(operator: Binary) -> &'static [Form] {
    match operator {
        Binary::Add => ADD,
        Binary::Subtract => SUBTRACT,
        Binary::Multiply | Binary::Divide => MULTIPLY,
        Binary::Remainder => REMAINDER,
        Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => ORDER,
        Binary::Equal | Binary::NotEqual | Binary::In => &[],
    }
}

impl Checker<'_> {
    pub(super) fn unary(&mut self, operator: Unary, operand: NodeId, id: NodeId) -> Type {
        if operator == Unary::Not {
            self.truth(operand);
            return Type::Bool;
        }
        let ty = self.check(operand);
        if ty.is_loose() || matches!(ty.unwrapped(), Type::Int | Type::Double) {
            return ty.unwrapped().clone();
        }
        let error = Error::new(self.span(id), format!("a {ty} cannot be negated"));
        self.mismatch(error.help("`-` is for int and double; `!` is for bool"))
    }

    pub(super) fn binary(&mut self, operator: Binary, left: NodeId, right: NodeId, id: NodeId) -> Type {
        let (a, b) = (self.check(left), self.check(right));
        match operator {
            Binary::Equal | Binary::NotEqual => {
                if a.unite(&b).is_none() {
                    let error = Error::new(self.span(id), format!("{a} and {b} are never equal"));
                    let help = convert_help(&a, &b).unwrap_or_else(|| "compare values of one type".to_owned());
                    self.mismatch(error.help(help));
                }
                Type::Bool
            }
            Binary::In => {
                self.member(&a, &b, id);
                Type::Bool
            }
            _ => self.apply(operator, &a, &b, id),
        }
    }

    fn apply(&mut self, operator: Binary, a: &Type, b: &Type, id: NodeId) -> Type {
        let mut result: Option<Type> = None;
        for (left, right, gives) in forms(operator) {
            let mut letters = Default::default();
            if left.takes(a, &mut letters) && right.takes(b, &mut letters) {
                let gives = gives.result(&letters);
                result = Some(result.map_or(gives.clone(), |earlier| earlier.join(&gives)));
            }
        }
        if let Some(result) = result {
            return result;
        }
        let error = Error::new(self.span(id), format!("`{}` does not take {a} and {b}", operator.symbol()));
        self.mismatch(match convert_help(a, b) {
            Some(help) => error.help(help),
            None => error,
        });
        if matches!(forms(operator).first(), Some((_, _, Shape::Bool))) { Type::Bool } else { Type::Dyn }
    }

    fn member(&mut self, element: &Type, of: &Type, id: NodeId) {
        let fits = match of {
            Type::List(inner) | Type::Map(inner, _) => inner.unite(element).is_some(),
            Type::Dyn | Type::Never => true,
            _ => false,
        };
        if fits {
            return;
        }
        let error = Error::new(self.span(id), format!("`in` does not take {element} and {of}"));
        let help = match of {
            Type::String => "write a list: `in [\"...\"]`; for a part of a text use .contains(...)",
            Type::List(_) | Type::Map(..) => "all of them must have one type",
            _ => "the right side is a list or a map",
        };
        self.mismatch(error.help(help));
    }

    pub(super) fn logic(&mut self, id: NodeId) -> Type {
        let Kind::Logic { terms, .. } = self.ast.kind(id).clone() else { return Type::Bool };
        for term in terms {
            self.truth(term);
        }
        Type::Bool
    }

    pub(super) fn conditional(&mut self, test: NodeId, then: NodeId, other: NodeId) -> Type {
        self.truth(test);
        let (a, b) = (self.check(then), self.check(other));
        match a.unite(&b) {
            Some(ty) => ty,
            None => {
                let span = self.span(then).start..self.span(other).end;
                let error = Error::new(span, format!("one branch is {a}, the other {b}"));
                self.mismatch(error.help("give both one type, or wrap one in dyn(...)"))
            }
        }
    }
}

/// How to make one type of two.
fn convert_help(a: &Type, b: &Type) -> Option<String> {
    let number = |ty: &Type| matches!(ty, Type::Int | Type::Uint | Type::Double);
    match (a, b) {
        (Type::Optional(_), _) | (_, Type::Optional(_)) => {
            Some("take the value out with .orValue(...) or .value()".to_owned())
        }
        (Type::Duration, Type::String | Type::Int) | (Type::String | Type::Int, Type::Duration) => {
            Some("write the duration as duration(\"1h30m\")".to_owned())
        }
        (Type::Timestamp, Type::String | Type::Int) | (Type::String | Type::Int, Type::Timestamp) => {
            Some("write the timestamp as timestamp(\"2030-01-31T00:00:00Z\")".to_owned())
        }
        (Type::String, ty) | (ty, Type::String) if number(ty) => {
            Some(format!("convert one of them: string(...) or {ty}(...)"))
        }
        (left, right) if number(left) && number(right) => Some(format!("convert one of them: {left}(...)")),
        _ => None,
    }
}
