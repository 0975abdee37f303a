//! A syntax tree as canonical text: one spelling for what means the same access.

use std::fmt::Write as _;

use super::{Ast, Kind, Literal, NodeId, Unary};

/// The canonical text of a node: `a.b` and `a["b"]` are the same, white space and redundant parentheses are gone.
pub(crate) fn canonical(ast: &Ast, id: NodeId) -> String {
    let mut out = String::new();
    write_node(ast, id, &mut out);
    out
}

/// The canonical text of the access `operand[key]`.
pub(crate) fn access(ast: &Ast, operand: NodeId, key: &str) -> String {
    let mut out = canonical(ast, operand);
    let _ = write!(out, ".{key:?}");
    out
}

fn write_node(ast: &Ast, id: NodeId, out: &mut String) {
    match ast.kind(id) {
        Kind::Literal(literal) => write_literal(literal, out),
        Kind::Ident { name, rooted } => {
            out.push_str(if *rooted { "." } else { "" });
            out.push_str(ast.text(*name));
        }
        Kind::Select { operand, field, .. } => {
            write_node(ast, *operand, out);
            let _ = write!(out, ".{:?}", ast.text(*field));
        }
        Kind::Index { operand, index, .. } => {
            write_node(ast, *operand, out);
            if let Some(key) = ast.constant_text(*index) {
                let _ = write!(out, ".{key:?}");
            } else {
                out.push('[');
                write_node(ast, *index, out);
                out.push(']');
            }
        }
        Kind::Unary { operator, operand } => {
            out.push(if *operator == Unary::Not { '!' } else { '-' });
            write_node(ast, *operand, out);
        }
        Kind::Binary { operator, left, right } => {
            out.push('(');
            write_node(ast, *left, out);
            out.push_str(operator.symbol());
            write_node(ast, *right, out);
            out.push(')');
        }
        Kind::Call { function, target, args } => {
            if let Some(target) = target {
                write_node(ast, *target, out);
                out.push(':');
            }
            out.push_str(ast.text(*function));
            out.push('(');
            for arg in args {
                write_node(ast, *arg, out);
                out.push(',');
            }
            out.push(')');
        }
        // Rare as part of an access: their source tells them apart well enough.
        _ => out.push_str(ast.source_of(id)),
    }
}

fn write_literal(literal: &Literal, out: &mut String) {
    let _ = match literal {
        Literal::Null => write!(out, "null"),
        Literal::Bool(value) => write!(out, "{value}"),
        Literal::Int(value) => write!(out, "{value}"),
        Literal::Uint(value) => write!(out, "{value}u"),
        Literal::Double(value) => write!(out, "{value:?}"),
        Literal::Text(text) => write!(out, "{text:?}"),
        Literal::Bytes(bytes) => write!(out, "b{bytes:?}"),
    };
}
