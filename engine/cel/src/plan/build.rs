//! Nodes to plans.

use std::{collections::HashMap, sync::Arc};

use weir_attributes::{Slot, slot};

use super::{
    Arithmetic, At, Call, Conditional, DeclaredCall, Element, FoldPlan, Index, Key, OptMap, Otherwise, Plan,
    SearchCall, fold::Folder, probe::Probes,
};
use crate::{
    ast::{Binary, Entry, Fold, FoldCall, Kind, Literal, NodeId},
    check::{Checked, Meaning},
    cost,
    env::{Lazy, Names},
    error::{Error, EvalErrorKind},
    functions::Native,
    program::{Program, Reference},
    types::Type,
    value::{Bytes, Value},
};

/// Plans a checked tree that may read those variables.
pub(crate) fn plan(checked: Checked, lazies: Arc<[Lazy]>, names: &Names) -> Result<Program, Error> {
    let mut planner = Planner::new(&checked, &lazies);
    let plan = planner.plan(checked.ast.root);
    let references = std::mem::take(&mut planner.references);
    let estimate = cost::estimate(&plan, &checked, &lazies, names)?;
    Ok(Program::new(checked, plan, lazies, references, estimate))
}

/// Plans one part of a checked tree, and says how many nodes it has.
pub(crate) fn part(checked: &Checked, lazies: &[Lazy], id: NodeId) -> (Plan, usize) {
    let mut planner = Planner::new(checked, lazies);
    (planner.plan(id), planner.size(id))
}

pub(super) struct Planner<'c> {
    pub(super) checked: &'c Checked,
    lazies: &'c [Lazy],
    pub(super) references: Vec<Reference>,
    folder: Folder,
    /// What slots of blocks hold that is constant.
    pub(super) slots: HashMap<NodeId, Value<'static>>,
    /// Where probes were put, in a plan that is to be explained.
    pub(super) probes: Option<Probes>,
}

impl<'c> Planner<'c> {
    pub(super) fn new(checked: &'c Checked, lazies: &'c [Lazy]) -> Self {
        Self { checked, lazies, references: Vec::new(), folder: Folder::new(), slots: HashMap::new(), probes: None }
    }

    pub(super) fn plan(&mut self, id: NodeId) -> Plan {
        let plan = self.bare(id);
        if self.probes.is_some() { self.probe(id, plan) } else { plan }
    }

    /// What a node stands for, when its kind does not say it all.
    fn named(&mut self, id: NodeId) -> Option<Plan> {
        let at = id.0;
        Some(match self.checked.meaning(id) {
            Meaning::Attribute(slot) => {
                self.note(slot, None);
                Plan::Attribute(slot, at)
            }
            Meaning::Variable(index) => Plan::Variable(index, at),
            Meaning::Lazy(index) => {
                self.note_lazy(index);
                Plan::Lazy(index, at)
            }
            Meaning::Local(index) => Plan::Local(index),
            Meaning::Slot(slot) => self.slot(slot, at),
            Meaning::Type(name) => Plan::Const(Value::Type(name)),
            Meaning::Constant(value) => Plan::Const(Value::Int(value)),
            Meaning::Message(message) => self.message(id, message),
            Meaning::Undeclared => Plan::Fail(EvalErrorKind::Undeclared, at),
            Meaning::Plain | Meaning::Function(_) | Meaning::Qualified(_) | Meaning::Declared { .. } => return None,
        })
    }

    /// A plan without a probe of its own.
    fn bare(&mut self, id: NodeId) -> Plan {
        let (checked, at) = (self.checked, id.0);
        if let Some(plan) = self.named(id) {
            return plan;
        }
        if self.is_test(id) {
            return match self.bare_test(id) {
                super::Test::Const(value) => Plan::Const(Value::Bool(value)),
                super::Test::Value(plan, _) => plan,
                test => Plan::Test(Box::new(test)),
            };
        }
        match checked.ast.kind(id) {
            Kind::Literal(literal) => Plan::Const(constant(literal)),
            Kind::Select { operand, field, optional } => {
                let field = checked.ast.text(*field);
                self.access(*operand, Plan::Const(Value::shared(field)), *optional, true, at)
            }
            Kind::Index { operand, index, optional } => {
                let key = self.plan(*index);
                self.access(*operand, key, *optional, false, at)
            }
            Kind::Call { target, args, function } => self.call(id, *target, args, checked.ast.text(*function)),
            Kind::List(elements) => {
                let elements: Box<[Element]> =
                    elements.iter().map(|e| Element { value: self.plan(e.value), optional: e.optional }).collect();
                let constant = elements.iter().all(|element| element.value.is_const());
                self.folded(Plan::List(elements, at), constant)
            }
            Kind::Map(entries) => self.map(entries, at),
            Kind::Binary { operator, left, right } => {
                let (left, right) = (self.plan(*left), self.plan(*right));
                let constant = left.is_const() && right.is_const();
                self.folded(Plan::Arithmetic(Box::new(Arithmetic { operator: *operator, left, right, at })), constant)
            }
            Kind::Unary { operand, .. } => {
                let operand = self.plan(*operand);
                let constant = operand.is_const();
                self.folded(Plan::Negate(Box::new(operand), at), constant)
            }
            Kind::Conditional { test, then, other } => {
                let test = match self.test(*test) {
                    super::Test::Const(decided) => return self.plan(if decided { *then } else { *other }),
                    test => test,
                };
                let (then, other) = (self.plan(*then), self.plan(*other));
                Plan::Conditional(Box::new(Conditional { test, then, other }))
            }
            Kind::Fold(call) => self.fold(call, at),
            Kind::Block { slots, body } => self.block(slots, *body),
            Kind::Bind { value, body, .. } => Plan::Bind(Box::new((self.plan(*value), self.plan(*body)))),
            Kind::OptMap { operand, body, flat, .. } => {
                let (operand, body) = (self.plan(*operand), self.plan(*body));
                Plan::OptMap(Box::new(OptMap { operand, body, flat: *flat, at }))
            }
            // Identifiers have a meaning, logic is a test, messages are refused or left to fail.
            Kind::Ident { .. } | Kind::Slot(_) | Kind::Logic { .. } | Kind::Has { .. } | Kind::Struct { .. } => {
                Plan::Fail(EvalErrorKind::Undeclared, at)
            }
        }
    }

    pub(super) fn folded(&mut self, plan: Plan, constant: bool) -> Plan {
        if constant { self.folder.fold(plan) } else { plan }
    }

    /// Notes that the expression can read an attribute, or one key of it.
    pub(super) fn note(&mut self, slot: Slot, key: Option<&str>) {
        // Earlier ones stay, also when what comes now turns out to be decided and is taken back.
        if self.references.iter().any(|reference| reference.slot == slot && reference.key.as_deref() == key) {
            return;
        }
        self.references.push(Reference { slot, key: key.map(Box::from) });
    }

    pub(super) fn note_lazy(&mut self, index: u16) {
        let Some(lazy) = self.lazies.get(usize::from(index)) else { return };
        for reference in lazy.program.references() {
            self.note(reference.slot, reference.key.as_deref());
        }
    }

    /// The attribute that a node is, when it is a map.
    pub(super) fn map_attribute(&self, id: NodeId) -> Option<Slot> {
        match self.checked.meaning(id) {
            Meaning::Attribute(slot) if matches!(Type::from(slot.attribute().ty), Type::Map(..)) => Some(slot),
            _ => None,
        }
    }

    /// One key of a map attribute; notes it.
    pub(super) fn key(&mut self, slot: Slot, key: &str, optional: bool, at: At) -> Key {
        let key: Box<str> = if is_headers(slot) { key.to_ascii_lowercase().into() } else { key.into() };
        self.note(slot, Some(&key));
        Key { slot, key, optional, at }
    }

    fn access(&mut self, operand: NodeId, key: Plan, optional: bool, select: bool, at: At) -> Plan {
        if let Some(slot) = self.map_attribute(operand)
            && let Some(text) = key.is_fixed_text()
        {
            return Plan::Key(self.key(slot, text, optional, at));
        }
        let operand = self.plan(operand);
        let constant = operand.is_const() && key.is_const();
        self.folded(Plan::Index(Box::new(Index { operand, key, optional, select, at })), constant)
    }

    fn map(&mut self, entries: &[Entry], at: At) -> Plan {
        let entries: Box<[(Plan, Element)]> = entries
            .iter()
            .map(|entry| {
                let key = self.plan(entry.key);
                (key, Element { value: self.plan(entry.value), optional: entry.optional })
            })
            .collect();
        let constant = entries.iter().all(|(key, element)| key.is_const() && element.value.is_const());
        self.folded(Plan::Map(entries, at), constant)
    }

    fn call(&mut self, id: NodeId, target: Option<NodeId>, args: &[NodeId], name: &str) -> Plan {
        let (run, target): (Native, _) = match self.checked.meaning(id) {
            Meaning::Declared { index, qualified } => {
                let Some((function, native)) = self.checked.functions.get(index as usize) else {
                    return Plan::Fail(EvalErrorKind::Undeclared, id.0);
                };
                let target = target.filter(|_| !qualified);
                let args = target.into_iter().chain(args.iter().copied()).map(|arg| self.plan(arg)).collect();
                // Not folded: what it gives may differ from one evaluation to the next.
                let call = DeclaredCall { function: function.clone(), native: *native, args, at: id.0 };
                return Plan::Declared(Box::new(call));
            }
            Meaning::Function(run) => (run, target),
            Meaning::Qualified(run) => (run, None),
            _ => return Plan::Fail(EvalErrorKind::Undeclared, id.0),
        };
        if let (Some(operand), "or" | "orValue", &[other]) = (target, name, args) {
            let (operand, other) = (self.plan(operand), self.plan(other));
            return Plan::Otherwise(Box::new(Otherwise { operand, other, unwrap: name == "orValue", at: id.0 }));
        }
        let mut args: Box<[Plan]> = target.into_iter().chain(args.iter().copied()).map(|arg| self.plan(arg)).collect();
        // A literal address is read once.
        let reader = match name {
            "containsIP" => "ip",
            "containsCIDR" => "cidr",
            _ => "",
        };
        if let (Some(read), Some(last)) = (crate::functions::forms(reader, false).first(), args.last_mut())
            && last.is_fixed_text().is_some()
        {
            let literal = std::mem::replace(last, Plan::Fail(EvalErrorKind::Invalid, id.0));
            *last = self.folder.fold(Plan::Call(Box::new(Call { run: read.run, args: Box::new([literal]), at: id.0 })));
        }
        let constant = args.iter().all(Plan::is_const);
        if let Some((run, pattern)) = self.checked.searches.get(&id) {
            let call = SearchCall { run: *run, pattern: pattern.clone(), args, at: id.0 };
            return self.folded(Plan::Search(Box::new(call)), constant);
        }
        self.folded(Plan::Call(Box::new(Call { run, args, at: id.0 })), constant)
    }

    fn fold(&mut self, call: &FoldCall, at: At) -> Plan {
        let range = self.plan(call.range);
        let filter = match call.fold {
            Fold::Filter => Some(self.test(call.body)),
            _ => call.filter.map(|filter| self.test(filter)),
        };
        let body = if call.fold == Fold::Filter { Plan::Const(Value::Null) } else { self.plan(call.body) };
        let cost = self.size(call.body) + call.filter.map_or(0, |filter| self.size(filter));
        let two = call.second.is_some();
        Plan::Fold(Box::new(FoldPlan { fold: call.fold, range, two, filter, body, cost, at }))
    }

    /// The steps of one round of a macro with that body: how many nodes it has.
    pub(super) fn size(&self, id: NodeId) -> usize {
        // A long constant is compared with.
        let mut size = match self.checked.ast.kind(id) {
            Kind::Literal(Literal::Text(text)) => 1 + text.len() / 64,
            Kind::Literal(Literal::Bytes(bytes)) => 1 + bytes.len() / 64,
            _ => 1,
        };
        self.checked.ast.kind(id).children(|child| size += self.size(child));
        size
    }

    /// Whether a sum of products, rather than a relation.
    pub(super) fn is_arithmetic(operator: Binary) -> bool {
        matches!(operator, Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder)
    }
}

/// Whether the keys of an attribute are header names.
pub(crate) fn is_headers(slot: Slot) -> bool {
    matches!(slot, slot::REQUEST_HEADERS | slot::REQUEST_HEADERS_ALL | slot::RESPONSE_HEADERS)
}

pub(crate) fn constant(literal: &Literal) -> Value<'static> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Uint(value) => Value::Uint(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::Text(text) => Value::shared(text.clone()),
        Literal::Bytes(bytes) => Value::Bytes(Bytes::Shared(bytes.clone())),
    }
}
