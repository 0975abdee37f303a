//! Reads that fail on absence, and how to write them so that they do not.
//!
//! A guard is `has(...)`, `key in map` or optional syntax in the same `&&`, the other side of `||`, or the condition of
//! `?:`. Order does not matter, because `false && error` is false.

use std::{collections::HashMap, ops::Range};

use crate::{
    ast::{Binary, Kind, NodeId, Unary, render},
    check::{Checked, Meaning},
    limits::UNGUARDED_MAX,
    types::Type,
};

/// A read that makes an error when what it reads is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unguarded {
    /// The read, in bytes of the source.
    pub span: Range<usize>,
    /// The condition, or the whole expression, that fails with it.
    pub expression: String,
    /// The same, asking first.
    pub guarded: String,
}

pub(crate) fn unguarded(checked: &Checked) -> Vec<Unguarded> {
    let mut guards = Guards { checked, facts: HashMap::new(), found: Vec::new(), seen: Vec::new() };
    guards.walk(checked.ast.root, checked.ast.root);
    guards.found
}

struct Guards<'c> {
    checked: &'c Checked,
    /// The accesses that are known to succeed here, each as often as something says so.
    facts: HashMap<String, usize>,
    found: Vec<Unguarded>,
    seen: Vec<String>,
}

impl Guards<'_> {
    /// Looks at a node; `term` is the condition around it.
    fn walk(&mut self, id: NodeId, term: NodeId) {
        let checked = self.checked;
        match checked.ast.kind(id) {
            Kind::Logic { all, terms } => self.logic(*all, terms),
            Kind::Conditional { test, then, other } => {
                self.walk(*test, *test);
                let (on, off) = (facts(checked, *test, true), facts(checked, *test, false));
                self.within(&on, *then, *then);
                self.within(&off, *other, *other);
            }
            Kind::Has { operand } => {
                // `has` asks for its field; what the field is of must be there, unless it is an attribute.
                let Kind::Select { operand: of, .. } = checked.ast.kind(*operand) else { return };
                let asked = matches!(checked.meaning(*operand), Meaning::Attribute(_) | Meaning::Lazy(_))
                    || matches!(checked.meaning(*of), Meaning::Attribute(_));
                if !asked {
                    self.walk(*of, term);
                }
            }
            Kind::Fold(call) => {
                self.walk(call.range, term);
                // A macro's variable hides facts about another thing of that name.
                let names = [Some(call.name), call.second];
                let hidden: Vec<&str> = names.into_iter().flatten().map(|name| checked.ast.text(name)).collect();
                let outer = self.facts.clone();
                self.facts.retain(|fact, _| !hidden.iter().any(|name| mentions(fact, name)));
                for part in call.filter.into_iter().chain([call.body]) {
                    let inner = if *checked.ty(part) == Type::Bool { part } else { term };
                    self.walk(part, inner);
                }
                self.facts = outer;
            }
            kind => {
                if let Some(guard) = self.fragile(id) {
                    self.report(id, term, &guard);
                }
                let meaning = checked.meaning(id);
                if matches!(
                    meaning,
                    Meaning::Plain | Meaning::Function(_) | Meaning::Qualified(_) | Meaning::Declared { .. }
                ) {
                    let skip = match (meaning, kind) {
                        (
                            Meaning::Qualified(_) | Meaning::Declared { qualified: true, .. },
                            Kind::Call { target, .. },
                        ) => *target,
                        _ => None,
                    };
                    let mut children = Vec::new();
                    kind.children(|child| children.push(child));
                    children.into_iter().filter(|child| Some(*child) != skip).for_each(|child| self.walk(child, term));
                }
            }
        }
    }

    fn within(&mut self, facts: &[String], id: NodeId, term: NodeId) {
        self.learn(facts);
        self.walk(id, term);
        self.forget(facts);
    }

    fn learn(&mut self, facts: &[String]) {
        for fact in facts {
            *self.facts.entry(fact.clone()).or_default() += 1;
        }
    }

    fn forget(&mut self, facts: &[String]) {
        for fact in facts {
            if let Some(count) = self.facts.get_mut(fact) {
                *count -= 1;
                if *count == 0 {
                    self.facts.remove(fact);
                }
            }
        }
    }

    /// Each term is looked at knowing what all others say.
    fn logic(&mut self, all: bool, terms: &[NodeId]) {
        let said: Vec<Vec<String>> = terms.iter().map(|term| facts(self.checked, *term, all)).collect();
        said.iter().for_each(|facts| self.learn(facts));
        for (term, own) in terms.iter().zip(&said) {
            self.forget(own);
            self.walk(*term, *term);
            self.learn(own);
        }
        said.iter().for_each(|facts| self.forget(facts));
    }

    /// The guard that a read needs, when it is one that fails on absence.
    fn fragile(&self, id: NodeId) -> Option<String> {
        let checked = self.checked;
        let ast = &checked.ast;
        match (checked.meaning(id), ast.kind(id)) {
            (Meaning::Attribute(slot), _) => (!slot.attribute().always).then(|| format!("has({})", ast.source_of(id))),
            (Meaning::Plain, Kind::Select { operand, optional: false, .. }) => {
                self.may_lack_keys(*operand, true).then(|| format!("has({})", ast.source_of(id)))
            }
            (Meaning::Plain, Kind::Index { operand, index, optional: false }) => self
                .may_lack_keys(*operand, false)
                .then(|| format!("{} in {}", ast.source_of(*index), ast.source_of(*operand))),
            _ => None,
        }
    }

    fn may_lack_keys(&self, operand: NodeId, select: bool) -> bool {
        match self.checked.ty(operand) {
            Type::Map(..) => !matches!(self.checked.ast.kind(operand), Kind::Map(_)),
            Type::Dyn => select,
            _ => false,
        }
    }

    fn report(&mut self, id: NodeId, term: NodeId, guard: &str) {
        let ast = &self.checked.ast;
        let access = render::canonical(ast, id);
        if self.facts.contains_key(&access) || self.seen.contains(&access) || self.found.len() >= UNGUARDED_MAX {
            return;
        }
        self.seen.push(access);
        let expression = ast.source_of(term);
        let guarded = match self.checked.ty(term) {
            Type::Bool => {
                let loose = matches!(ast.kind(term), Kind::Conditional { .. } | Kind::Logic { all: false, .. });
                if loose { format!("{guard} && ({expression})") } else { format!("{guard} && {expression}") }
            }
            Type::String => format!("{guard} ? {expression} : \"\""),
            _ => format!("{guard} ? {expression} : ..."),
        };
        self.found.push(Unguarded { span: ast.span(id).range(), expression: expression.to_owned(), guarded });
    }
}

/// Whether an access in canonical form reads a variable of that name: fields and keys are in quotes, names are not.
fn mentions(access: &str, name: &str) -> bool {
    let plain = access.split('"').step_by(2);
    plain.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_')).any(|word| word == name)
}

/// What is known to be present where a condition has that outcome.
fn facts(checked: &Checked, id: NodeId, outcome: bool) -> Vec<String> {
    let mut known = Vec::new();
    collect(checked, id, outcome, &mut known);
    known
}

fn collect(checked: &Checked, id: NodeId, outcome: bool, known: &mut Vec<String>) {
    let ast = &checked.ast;
    match ast.kind(id) {
        Kind::Has { operand } if outcome => {
            known.push(render::canonical(ast, *operand));
            if let Kind::Select { operand: of, .. } = ast.kind(*operand) {
                known.push(render::canonical(ast, *of));
            }
        }
        Kind::Binary { operator: Binary::In, left, right } if outcome => {
            known.push(match ast.constant_text(*left) {
                Some(key) => render::access(ast, *right, key),
                None => format!("{}[{}]", render::canonical(ast, *right), render::canonical(ast, *left)),
            });
            known.push(render::canonical(ast, *right));
        }
        Kind::Unary { operator: Unary::Not, operand } => collect(checked, *operand, !outcome, known),
        Kind::Logic { all, terms } if *all == outcome => {
            terms.iter().for_each(|term| collect(checked, *term, outcome, known));
        }
        _ => {}
    }
}
