//! Checked trees to the plans that CEL's are.

use super::{
    Env, Type,
    check::Checked,
    functions::{self, Does, FUNCTIONS},
    program::Program,
};
use crate::{
    ast::{Binary, Kind, Literal, NodeId},
    check::Meaning,
    cost::Estimate,
    functions::Native,
    plan::{Arithmetic, Call, Conditional, DeclaredCall, Entry, Folder, Int, Pair, Part, Plan, Test, Text, constant},
    program,
    value::{Map, Value, parse_duration},
};

pub(super) fn plan(checked: Checked, env: &Env) -> Program {
    let mut planner = Planner { checked: &checked, compatible: env.0.compatible, folder: Folder::new() };
    let root = checked.tree.ast.root;
    let plan = planner.plan(root);
    let ty = checked.ty(root);
    let Checked { tree, .. } = checked;
    // There are no loops, so that only the budget says what is too much.
    let program = program::Program::new(tree, plan, [].into(), Vec::new(), Estimate::unknown());
    Program::new(program, ty, env.clone())
}

struct Planner<'c> {
    checked: &'c Checked,
    compatible: bool,
    folder: Folder,
}

impl Planner<'_> {
    fn plan(&mut self, id: NodeId) -> Plan {
        let tree = &self.checked.tree;
        match tree.ast.kind(id) {
            Kind::Literal(literal) => Plan::Const(literal_value(literal)),
            Kind::Ident { .. } | Kind::Select { .. } => self.attribute(id),
            Kind::Index { operand, index, .. } => {
                let (map, key) = (self.plan(*operand), self.plan(*index));
                Plan::Entry(Box::new(Entry { map, key, strict: self.compatible, at: id.0 }))
            }
            Kind::Binary { operator: Binary::Add, left, right } => self.sum(*left, *right, id),
            Kind::Call { args, .. } if self.name(id) == "|" => self.default(args),
            Kind::Call { target, args, .. } if !self.is_test(id) => self.call(*target, args, id),
            _ => match self.test(id) {
                Test::Const(value) => Plan::Const(Value::Bool(value)),
                Test::Value(plan, _) => plan,
                test => Plan::Test(Box::new(test)),
            },
        }
    }

    fn name(&self, id: NodeId) -> &str {
        match self.checked.tree.ast.kind(id) {
            Kind::Call { function, .. } => self.checked.tree.ast.text(*function),
            _ => "",
        }
    }

    /// How a call of the language's own function is planned.
    fn does(&self, id: NodeId) -> Option<Does> {
        if matches!(self.checked.tree.meaning(id), Meaning::Declared { .. }) {
            return None;
        }
        FUNCTIONS.iter().find(|function| function.name == self.name(id)).map(|function| function.does)
    }

    fn folded(&mut self, plan: Plan, constant: bool) -> Plan {
        if constant { self.folder.fold(plan) } else { plan }
    }

    fn run(&mut self, run: Native, args: Box<[Plan]>, id: NodeId) -> Plan {
        let constant = args.iter().all(Plan::is_const);
        self.folded(Plan::Call(Box::new(Call { run, args, at: id.0 })), constant)
    }

    fn attribute(&self, id: NodeId) -> Plan {
        let Some(plan) = self.plain_attribute(id) else { return Plan::Const(Value::Null) };
        if !self.compatible {
            return plan;
        }
        Plan::Default([plan, Plan::Const(self.checked.ty(id).zero())].into())
    }

    fn plain_attribute(&self, id: NodeId) -> Option<Plan> {
        match self.checked.tree.meaning(id) {
            Meaning::Variable(index) => Some(Plan::Variable(index, id.0)),
            _ => None,
        }
    }

    /// `a | b | c`. In the mode COMPAT it is `(a | b) | c`, of which the last part is never needed, and only keys and
    /// names with a dot are ever found absent.
    fn default(&mut self, operands: &[NodeId]) -> Plan {
        if !self.compatible {
            return Plan::Default(operands.iter().map(|operand| self.plan(*operand)).collect());
        }
        let &[first, second, ..] = operands else { return Plan::Const(Value::Null) };
        let plan = match self.checked.tree.ast.kind(first) {
            Kind::Select { .. } => self.plain_attribute(first),
            Kind::Index { .. } => Some(self.plan(first)),
            _ => None,
        };
        match plan {
            Some(plan) => Plan::Default([plan, self.plan(second)].into()),
            None => self.plan(first),
        }
    }

    fn sum(&mut self, left: NodeId, right: NodeId, id: NodeId) -> Plan {
        let (ty, left, right) = (self.checked.ty(left), self.plan(left), self.plan(right));
        if ty == Type::Int64 && !self.compatible {
            return self.run(functions::add, [left, right].into(), id);
        }
        let constant = left.is_const() && right.is_const();
        let sum = Arithmetic { operator: Binary::Add, left, right, at: id.0 };
        self.folded(Plan::Arithmetic(Box::new(sum)), constant)
    }

    fn call(&mut self, target: Option<NodeId>, args: &[NodeId], id: NodeId) -> Plan {
        if let Meaning::Declared { index, .. } = self.checked.tree.meaning(id)
            && let Some((function, _)) = self.checked.tree.functions.get(index as usize)
        {
            let args = target.into_iter().chain(args.iter().copied()).map(|arg| self.plan(arg)).collect();
            let call = DeclaredCall { function: function.clone(), native: None, args, at: id.0 };
            return Plan::Declared(Box::new(call));
        }
        match (self.does(id), args) {
            (Some(Does::EmptyMap), _) => Plan::Const(Value::Map(Map::new(Default::default()))),
            (Some(Does::Run(run)), _) => {
                let run = if self.compatible && self.name(id) == "size" { functions::count } else { run };
                let args = args.iter().map(|arg| self.plan(*arg)).collect();
                self.run(run, args, id)
            }
            (_, &[test, then, other]) => {
                let (test, then, other) = (self.test(test), self.plan(then), self.plan(other));
                Plan::Conditional(Box::new(Conditional { test, then, other }))
            }
            _ => Plan::Const(Value::Null),
        }
    }

    /// Whether a call is planned as a test.
    fn is_test(&self, id: NodeId) -> bool {
        matches!(self.does(id), Some(Does::Match | Does::Matches | Does::StartsWith | Does::EndsWith))
    }

    fn test(&mut self, id: NodeId) -> Test {
        let test = match self.checked.tree.ast.kind(id) {
            Kind::Logic { all, terms } => {
                let terms = terms.iter().map(|term| self.test(*term)).collect();
                match (self.compatible, *all) {
                    (false, all) => Test::InOrder { all, terms },
                    (true, true) => Test::Every(terms),
                    (true, false) => Test::Any(terms),
                }
            }
            Kind::Binary { operator, left, right } if *operator != Binary::Add => {
                self.relation(*operator, *left, *right, id)
            }
            Kind::Call { target, args, .. } => match (self.does(id), *target, &**args) {
                (Some(Does::Match), _, &[text, pattern]) => self.shape(text, pattern, id),
                (Some(Does::Matches), Some(target), &[arg]) => {
                    let (pattern, text) = if self.compatible { (arg, target) } else { (target, arg) };
                    self.pattern(pattern, text, id)
                }
                (Some(Does::StartsWith), Some(text), &[of]) => self.part(Part::Start, text, of, id),
                (Some(Does::EndsWith), Some(text), &[of]) => self.part(Part::End, text, of, id),
                _ => Test::Value(self.plan(id), id.0),
            },
            _ => Test::Value(self.plan(id), id.0),
        };
        match test {
            Test::Value(Plan::Const(Value::Bool(value)), _) => Test::Const(value),
            Test::Value(Plan::Test(test), _) => *test,
            test => test,
        }
    }

    fn relation(&mut self, operator: Binary, left: NodeId, right: NodeId, id: NodeId) -> Test {
        let equality = matches!(operator, Binary::Equal | Binary::NotEqual);
        let wanted = operator == Binary::Equal;
        match self.checked.ty(left) {
            Type::String if equality => match (self.text(left), self.text(right)) {
                (Text::Const(left), Text::Const(right)) => Test::Const((left == right) == wanted),
                (text, Text::Const(constant)) | (Text::Const(constant), text) => Test::Is { text, constant, wanted },
                (left, right) => Test::Same { left, right, wanted, at: id.0 },
            },
            Type::Int64 => Test::Numbers { operator, left: self.int(left), right: self.int(right) },
            ty => {
                let (left, right) = (self.plan(left), self.plan(right));
                if let (true, Some(equal)) = (equality, functions::equality(ty)) {
                    return match (self.run(equal, [left, right].into(), id), wanted) {
                        (Plan::Const(Value::Bool(same)), wanted) => Test::Const(same == wanted),
                        (call, true) => Test::Value(call, id.0),
                        (call, false) => Test::Not(Box::new(Test::Value(call, id.0))),
                    };
                }
                let pair = Box::new(Pair { left, right, at: id.0 });
                if equality { Test::Equal(pair, wanted) } else { Test::Order(pair, operator) }
            }
        }
    }

    /// `match(text, pattern)`.
    fn shape(&mut self, text: NodeId, pattern: NodeId, id: NodeId) -> Test {
        let at = id.0;
        match self.text(pattern) {
            Text::Const(pattern) => {
                let text = self.text(text);
                match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
                    (Some(prefix), _) => Test::Has { part: Part::Start, text, constant: prefix.into(), at },
                    (None, Some(suffix)) => Test::Has { part: Part::End, text, constant: suffix.into(), at },
                    (None, None) => Test::Is { text, constant: pattern, wanted: true },
                }
            }
            _ => {
                let args = [self.plan(text), self.plan(pattern)].into();
                Test::Value(self.run(functions::matches_shape, args, id), at)
            }
        }
    }

    fn pattern(&mut self, pattern: NodeId, text: NodeId, id: NodeId) -> Test {
        match self.checked.tree.patterns.get(&id) {
            Some(compiled) => Test::Matches { text: self.text(text), pattern: compiled.clone(), at: id.0 },
            None => {
                let args = [self.plan(pattern), self.plan(text)].into();
                Test::Value(self.run(functions::matches_pattern, args, id), id.0)
            }
        }
    }

    fn part(&mut self, part: Part, text: NodeId, of: NodeId, id: NodeId) -> Test {
        match (self.text(text), self.text(of)) {
            (text, Text::Const(constant)) => Test::Has { part, text, constant, at: id.0 },
            (text, of) => Test::Part { part, text, of, at: id.0 },
        }
    }

    fn text(&mut self, id: NodeId) -> Text {
        match self.plan(id) {
            Plan::Const(Value::String(text)) => Text::Const((*text).into()),
            plan => Text::Value(Box::new(plan), id.0),
        }
    }

    fn int(&mut self, id: NodeId) -> Int {
        match self.plan(id) {
            Plan::Const(Value::Int(value)) => Int::Const(value),
            plan => Int::Value(Box::new(plan), id.0),
        }
    }
}

/// The value of a literal: a text that reads as a duration is one.
fn literal_value(literal: &Literal) -> Value<'static> {
    let duration = match literal {
        Literal::Text(text) => parse_duration(text),
        _ => None,
    };
    duration.map_or_else(|| constant(literal), Value::Duration)
}
