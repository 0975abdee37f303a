//! Nodes to tests, by the types that the checker found.

use super::{Choice, FoldTest, Int, Pair, Part, Plan, Test, Text, build::Planner};
use crate::{
    ast::{Binary, Fold, FoldCall, Kind, NodeId, Unary},
    check::Meaning,
    conjuncts,
    types::Type,
    value::Value,
};

/// From how many terms on an index is faster than asking one after the other.
const CHOICE_FROM: usize = 12;

impl Planner<'_> {
    /// Whether a node is planned as a test.
    pub(super) fn is_test(&self, id: NodeId) -> bool {
        match self.checked.ast.kind(id) {
            Kind::Logic { .. } | Kind::Has { .. } | Kind::Unary { operator: Unary::Not, .. } => true,
            Kind::Binary { operator, .. } => !Self::is_arithmetic(*operator),
            Kind::Fold(call) => matches!(call.fold, Fold::All | Fold::Exists | Fold::ExistsOne),
            Kind::Call { .. } => self.text_call(id).is_some() || self.checked.patterns.contains_key(&id),
            _ => false,
        }
    }

    pub(super) fn test(&mut self, id: NodeId) -> Test {
        if self.probes.is_none() {
            return self.bare_test(id);
        }
        match self.plan(id) {
            Plan::Const(Value::Bool(value)) => Test::Const(value),
            plan => Test::Value(plan, id.0),
        }
    }

    /// A test without a probe of its own.
    pub(super) fn bare_test(&mut self, id: NodeId) -> Test {
        let checked = self.checked;
        let test = match checked.ast.kind(id) {
            Kind::Logic { all, terms } => self.logic(*all, terms),
            Kind::Unary { operator: Unary::Not, operand } => match self.test(*operand) {
                Test::Const(value) => Test::Const(!value),
                test => Test::Not(Box::new(test)),
            },
            Kind::Has { operand } => self.has(*operand),
            Kind::Binary { operator, left, right } if !Self::is_arithmetic(*operator) => {
                self.relation(*operator, *left, *right, id)
            }
            Kind::Fold(call) if self.is_test(id) => self.fold_test(call, id),
            Kind::Call { .. } if checked.patterns.contains_key(&id) => self.matches(id),
            Kind::Call { .. } => match self.text_call(id) {
                Some((part, text, of)) => match (self.text(text), self.text(of)) {
                    (text, Text::Const(constant)) => Test::Has { part, text, constant, at: id.0 },
                    (text, of) => Test::Part { part, text, of, at: id.0 },
                },
                None => Test::Value(self.plan(id), id.0),
            },
            _ => Test::Value(self.plan(id), id.0),
        };
        match test {
            Test::Value(Plan::Const(Value::Bool(value)), _) => Test::Const(value),
            Test::Value(Plan::Test(test), _) => *test,
            test => test,
        }
    }

    fn is_text(&self, id: NodeId) -> bool {
        *self.checked.ty(id) == Type::String
    }

    /// `text.startsWith(of)` and its like on what is surely text.
    fn text_call(&self, id: NodeId) -> Option<(Part, NodeId, NodeId)> {
        let Kind::Call { function, target: Some(text), args } = self.checked.ast.kind(id) else { return None };
        let &[of] = &**args else { return None };
        let part = match self.checked.ast.text(*function) {
            "startsWith" => Part::Start,
            "endsWith" => Part::End,
            "contains" => Part::Anywhere,
            _ => return None,
        };
        let function = matches!(self.checked.meaning(id), Meaning::Function(_));
        (function && self.is_text(*text) && self.is_text(of)).then_some((part, *text, of))
    }

    fn matches(&mut self, id: NodeId) -> Test {
        let Kind::Call { target, args, .. } = self.checked.ast.kind(id) else { return Test::Const(false) };
        let text = target.or_else(|| args.first().copied());
        match (self.checked.patterns.get(&id), text) {
            (Some(pattern), Some(text)) => Test::Matches { text: self.text(text), pattern: pattern.clone(), at: id.0 },
            _ => Test::Const(false),
        }
    }

    /// Terms in one flat list, also those in parentheses.
    fn logic(&mut self, all: bool, terms: &[NodeId]) -> Test {
        let before = self.references.len();
        let mut flat = Vec::with_capacity(terms.len());
        for term in terms {
            match (all, self.test(*term)) {
                (true, Test::Every(inner)) | (false, Test::Any(inner)) => flat.extend(inner),
                (false, Test::Choice(inner)) => flat.extend(inner.terms),
                // A constant that decides nothing.
                (all, Test::Const(value)) if value == all => {}
                (_, test) => flat.push(test),
            }
        }
        if flat.iter().any(|test| matches!(test, Test::Const(value) if *value != all)) {
            // What is decided reads nothing.
            self.references.truncate(before);
            return Test::Const(!all);
        }
        match (flat.len(), all) {
            (0, _) => Test::Const(all),
            // A lone term stays in its list: it must still be a bool.
            (_, true) => Test::Every(flat.into()),
            (_, false) => self.choice(flat.into()),
        }
    }

    /// Terms of a `||`, found by an index when they are many and few of them must always be asked.
    fn choice(&self, terms: Box<[Test]>) -> Test {
        if terms.len() < CHOICE_FROM || self.probes.is_some() {
            return Test::Any(terms);
        }
        let index = conjuncts::index(&terms, self.checked);
        if index.unindexed() * 2 > terms.len() {
            return Test::Any(terms);
        }
        Test::Choice(Box::new(Choice { terms, index }))
    }

    fn has(&mut self, operand: NodeId) -> Test {
        let checked = self.checked;
        match checked.meaning(operand) {
            Meaning::Attribute(slot) => {
                self.note(slot, None);
                return Test::HasAttribute(slot);
            }
            Meaning::Lazy(index) => {
                self.note_lazy(index);
                return Test::HasLazy(index, operand.0);
            }
            Meaning::Variable(_) | Meaning::Type(_) => return Test::Const(true),
            _ => {}
        }
        let Kind::Select { operand: of, field, .. } = checked.ast.kind(operand) else { return Test::Const(false) };
        let field = checked.ast.text(*field);
        if let Some(slot) = self.map_attribute(*of) {
            return Test::HasKey { key: self.key(slot, field, false, operand.0), strict: false };
        }
        let right = Plan::Const(Value::shared(field));
        Test::HasField(Box::new(Pair { left: self.plan(*of), right, at: operand.0 }))
    }

    fn relation(&mut self, operator: Binary, left: NodeId, right: NodeId, id: NodeId) -> Test {
        let at = id.0;
        if operator == Binary::In {
            return self.member(left, right, id);
        }
        let equality = matches!(operator, Binary::Equal | Binary::NotEqual);
        if equality && self.is_text(left) && self.is_text(right) {
            let wanted = operator == Binary::Equal;
            return match (self.text(left), self.text(right)) {
                (Text::Const(left), Text::Const(right)) => Test::Const((left == right) == wanted),
                (text, Text::Const(constant)) | (Text::Const(constant), text) => Test::Is { text, constant, wanted },
                (left, right) => Test::Same { left, right, wanted, at },
            };
        }
        if *self.checked.ty(left) == Type::Int && *self.checked.ty(right) == Type::Int {
            return Test::Numbers { operator, left: self.int(left), right: self.int(right) };
        }
        let pair = Box::new(Pair { left: self.plan(left), right: self.plan(right), at });
        match operator {
            Binary::Equal => Test::Equal(pair, true),
            Binary::NotEqual => Test::Equal(pair, false),
            operator => Test::Order(pair, operator),
        }
    }

    fn member(&mut self, left: NodeId, right: NodeId, id: NodeId) -> Test {
        if let Some(slot) = self.map_attribute(right)
            && let Some(key) = self.checked.ast.constant_text(left).cloned()
        {
            return Test::HasKey { key: self.key(slot, &key, false, id.0), strict: true };
        }
        let of = self.plan(right);
        if self.is_text(left)
            && let Plan::Const(Value::List(list)) = &of
            && list.iter().all(|element| element.as_str().is_some())
        {
            let set = Box::new(list.iter().filter_map(Value::as_str).collect());
            return Test::TextIn { text: self.text(left), set };
        }
        Test::In(Box::new(Pair { left: self.plan(left), right: of, at: id.0 }))
    }

    fn fold_test(&mut self, call: &FoldCall, id: NodeId) -> Test {
        let range = self.plan(call.range);
        let body = self.test(call.body);
        let (cost, two) = (self.size(call.body), call.second.is_some());
        let mut only = None;
        let only = only_text(&body, &mut only).then_some(only).flatten();
        Test::Fold(Box::new(FoldTest { fold: call.fold, range, two, body, only, cost, at: id.0 }))
    }

    fn text(&mut self, id: NodeId) -> Text {
        match self.plan(id) {
            Plan::Const(Value::String(text)) => Text::Const((*text).into()),
            Plan::Attribute(slot, at) => Text::Attribute(slot, at),
            Plan::Key(key) if !key.optional => Text::Key(key),
            Plan::Local(index) => Text::Local(index, id.0),
            plan => Text::Value(Box::new(plan), id.0),
        }
    }

    fn int(&mut self, id: NodeId) -> Int {
        match self.plan(id) {
            Plan::Const(Value::Int(value)) => Int::Const(value),
            Plan::Attribute(slot, at) => Int::Attribute(slot, at),
            plan => Int::Value(Box::new(plan), id.0),
        }
    }
}

/// Whether a test asks only for the text of one macro variable, in ways that cost next to nothing; notes which.
fn only_text(test: &Test, variable: &mut Option<u16>) -> bool {
    match test {
        Test::Is { text, .. } | Test::TextIn { text, .. } | Test::Has { part: Part::Start | Part::End, text, .. } => {
            matches!(text, Text::Local(index, _) if *variable.get_or_insert(*index) == *index)
        }
        Test::Every(terms) | Test::Any(terms) => terms.iter().all(|term| only_text(term, variable)),
        Test::Not(test) => only_text(test, variable),
        _ => false,
    }
}
