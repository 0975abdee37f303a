//! Parts that need all of what they are made of, written again with what is left of that.

use super::{
    piece::{Level, Piece},
    reduce::{Left, Reducer},
};
use crate::{
    ast::{Fold, FoldCall, Kind, NodeId, Unary},
    check::Meaning,
    types::Type,
};

/// Functions that read a text in the same way wherever it stands.
const PLAIN: [&str; 3] = ["contains", "endsWith", "startsWith"];

/// What is written for one node, and whether anything in it changed.
struct Writing {
    out: String,
    changed: bool,
}

impl Writing {
    fn new(start: &str) -> Self {
        Self { out: start.to_owned(), changed: false }
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn at(&mut self, piece: &Piece, level: Level) {
        self.changed |= piece.changed;
        self.out.push_str(&piece.at(level));
    }

    fn target(&mut self, piece: Piece) {
        self.changed |= piece.changed;
        self.out.push_str(&piece.target());
    }

    fn listed<T>(&mut self, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            each(self, item);
        }
    }
}

impl Reducer<'_> {
    pub(super) fn composed(&mut self, id: NodeId) -> Piece {
        // Names are what they are, and what is asked of an attribute is asked by its name.
        if !matches!(
            self.checked.meaning(id),
            Meaning::Plain
                | Meaning::Function(_)
                | Meaning::Qualified(_)
                | Meaning::Declared { .. }
                | Meaning::Message(_)
        ) {
            return self.written(id);
        }
        let mut writing = Writing::new("");
        let level = match self.write(id, &mut writing) {
            Some(level) if writing.changed => level,
            _ => return self.written(id),
        };
        Piece::new(writing.out, level)
    }

    /// Writes a node; none when it has to stay as it is.
    fn write(&mut self, id: NodeId, to: &mut Writing) -> Option<Level> {
        let checked = self.checked;
        let ast = &checked.ast;
        match ast.kind(id) {
            Kind::Select { operand, field, optional } => {
                self.select(*operand, ast.text(*field), *optional, to);
            }
            Kind::Has { operand } => {
                let Kind::Select { operand: of, field, optional } = ast.kind(*operand) else { return None };
                if !matches!(checked.meaning(*operand), Meaning::Plain) {
                    return None;
                }
                to.put("has(");
                self.select(*of, ast.text(*field), *optional, to);
                to.put(")");
            }
            Kind::Index { operand, index, optional } => {
                let headers = matches!(checked.meaning(*operand), Meaning::Attribute(_));
                to.target(self.piece(*operand));
                to.put(if *optional { "[?" } else { "[" });
                // An absent attribute is asked for an optional key only where the key is written.
                let index = if *optional && headers { self.written(*index) } else { self.piece(*index) };
                to.at(&index, Level::Choice);
                to.put("]");
            }
            Kind::Call { function, target, args } => self.call(id, *target, ast.text(*function), args, to),
            Kind::List(elements) => {
                to.put("[");
                to.listed(elements.iter(), |to, element| {
                    to.put(if element.optional { "?" } else { "" });
                    to.at(&self.piece(element.value), Level::Choice);
                });
                to.put("]");
            }
            Kind::Map(entries) => {
                to.put("{");
                to.listed(entries.iter(), |to, entry| {
                    to.put(if entry.optional { "?" } else { "" });
                    to.at(&self.piece(entry.key), Level::Choice);
                    to.put(": ");
                    to.at(&self.piece(entry.value), Level::Choice);
                });
                to.put("}");
            }
            Kind::Unary { operator, operand } => {
                to.put(if *operator == Unary::Not { "!" } else { "-" });
                to.at(&self.piece(*operand), Level::Unary);
                return Some(Level::Unary);
            }
            Kind::Binary { operator, left, right } => {
                let level = Level::of_binary(*operator);
                to.at(&self.piece(*left), level);
                to.put(" ");
                to.put(operator.symbol());
                to.put(" ");
                to.at(&self.piece(*right), level.next());
                return Some(level);
            }
            Kind::Fold(call) => self.fold(call, to),
            Kind::Bind { name, value, body } => return self.bind(ast.text(*name), *value, *body, to),
            Kind::OptMap { operand, name, body, flat } => {
                self.opt_map(*operand, ast.text(*name), *body, *flat, to);
            }
            _ => return None,
        }
        Some(Level::Tight)
    }

    fn opt_map(&mut self, operand: NodeId, name: &str, body: NodeId, flat: bool, to: &mut Writing) {
        to.target(self.piece(operand));
        to.put(if flat { ".optFlatMap(" } else { ".optMap(" });
        to.put(name);
        to.put(", ");
        to.at(&self.within(&[None], body), Level::Choice);
        to.put(")");
    }

    fn select(&mut self, operand: NodeId, field: &str, optional: bool, to: &mut Writing) {
        to.target(self.piece(operand));
        to.put(if optional { ".?" } else { "." });
        let plain = field.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if plain {
            to.put(field);
        } else {
            to.put("`");
            to.put(field);
            to.put("`");
        }
    }

    fn call(&mut self, id: NodeId, target: Option<NodeId>, name: &str, args: &[NodeId], to: &mut Writing) {
        let qualified =
            matches!(self.checked.meaning(id), Meaning::Qualified(_) | Meaning::Declared { qualified: true, .. });
        if let Some(target) = target {
            let piece = if qualified { self.written(target) } else { self.piece(target) };
            to.target(piece);
            to.put(".");
        }
        to.put(name);
        to.put("(");
        to.listed(args.iter(), |to, arg| {
            let piece = self.piece(*arg);
            // A text that is written in place may be judged when it is compiled, and by other limits.
            let judged = piece.literal && *self.checked.ty(*arg) == Type::String && !PLAIN.contains(&name)
                || piece.changed && name == "format";
            let kept = !piece.literal && self.is_hidden(*arg);
            to.at(&if judged && !kept { piece.hidden() } else { piece }, Level::Choice);
        });
        to.put(")");
    }

    fn fold(&mut self, call: &FoldCall, to: &mut Writing) {
        let ast = &self.checked.ast;
        let two = call.second.is_some();
        to.target(self.piece(call.range));
        to.put(match call.fold {
            Fold::All => ".all(",
            Fold::Exists => ".exists(",
            Fold::ExistsOne => ".exists_one(",
            Fold::Filter => ".filter(",
            Fold::Map if two => ".transformList(",
            Fold::Map => ".map(",
            Fold::TransformMap => ".transformMap(",
            Fold::TransformMapEntry => ".transformMapEntry(",
            Fold::SortBy => ".sortBy(",
        });
        to.put(ast.text(call.name));
        if let Some(second) = call.second {
            to.put(", ");
            to.put(ast.text(second));
        }
        for part in call.filter.into_iter().chain([call.body]) {
            to.put(", ");
            let piece = if two { self.within(&[None, None], part) } else { self.within(&[None], part) };
            to.at(&piece, Level::Choice);
        }
        to.put(")");
    }

    fn bind(&mut self, name: &str, value: NodeId, body: NodeId, to: &mut Writing) -> Option<Level> {
        let left = self.reduce(value);
        let known = match &left {
            Left::Value(known) => Some(known.clone()),
            // It fails, and all of it.
            Left::Source(_) if self.is_closed(value) => return None,
            Left::Source(_) => None,
        };
        let value = self.source(value, left);
        let is_known = known.is_some();
        let body = self.within(&[known], body);
        if is_known && body.changed && !mentions(&body.source, name) {
            to.changed = true;
            to.put(&body.source);
            return Some(body.level);
        }
        to.put("cel.bind(");
        to.put(name);
        to.put(", ");
        to.at(&value, Level::Choice);
        to.put(", ");
        to.at(&body, Level::Choice);
        to.put(")");
        Some(Level::Tight)
    }
}

/// Whether a source may name a variable. The names that tools make, `cel.iterVar(0, 1)`, are no words.
fn mentions(source: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    !name.chars().all(part) || source.split(|c: char| !part(c)).any(|word| word == name)
}
