//! The suite `cel`: expressions, what they may read, and what they come to.
//!
//! A row that expects an error passes for any: whether a mistake shows when the expression is compiled or when it is
//! evaluated is the implementation's own choice, and so are its words. All else is exact: `1` is not `1u`, `0.0` is not
//! `-0.0`, NaN is NaN; maps have no order.

mod declared;

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::Value as Json;
use weir_cel::{Activation, Env, Origin, Partial, Scratch, Type, Value};

use self::declared::{Declaration, ty};
use crate::{
    rows,
    suite::{Case, Malformed, Suite, Task, Verdict},
    typed::{Typed, show},
};

/// Expressions of the Common Expression Language.
pub(crate) struct Cel;

impl Suite for Cel {
    fn name(&self) -> &'static str {
        "cel"
    }

    fn cases(&self, file: &Path) -> Result<Vec<Case>, Malformed> {
        let rows: Vec<(String, Json)> = rows::lines(file)?;
        Ok(rows.into_iter().map(|(place, row)| case(place, row)).collect())
    }
}

fn case(place: String, row: Json) -> Case {
    if row.get("needs").and_then(Json::as_str) == Some("test_messages") {
        return Case { name: place, task: Task::Skip("need proto2/proto3 test messages") };
    }
    let row: Row = match serde_json::from_value(row) {
        Ok(row) => row,
        Err(error) => return Case::unreadable(place, error.to_string()),
    };
    let name = format!("{place} {}/{}", row.section, row.name);
    match row.question() {
        Ok(question) => Case { name, task: Task::Ask(Box::new(move || question.verdict())) },
        Err(problem) => Case::unreadable(name, problem),
    }
}

/// A line of a file. Only `expr` and `expected` must be there.
#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    section: String,
    #[serde(default)]
    name: String,
    expr: String,
    #[serde(default)]
    container: String,
    #[serde(default)]
    bindings: BTreeMap<String, Typed>,
    #[serde(default)]
    type_env: Vec<Declaration>,
    #[serde(default)]
    disable_check: bool,
    #[serde(default)]
    disable_macros: bool,
    #[serde(default)]
    check_only: bool,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    value: Option<Typed>,
    #[serde(rename = "type")]
    ty: Option<Json>,
    error: Option<Json>,
    any_errors: Option<Json>,
    unknown: Option<Json>,
}

/// What a row asks for.
enum Answer {
    Error,
    Unknown,
    /// The type where the row names one, and the value, as [`show`] has it, where it is to be evaluated.
    Value(Option<Type>, Option<String>),
}

struct Question {
    expr: String,
    env: Env,
    bound: Bound,
    answer: Answer,
}

/// The values of the variables, by their index.
struct Bound(Vec<Option<Value<'static>>>);

impl Activation for Bound {
    fn attribute(&self, _: weir_attributes::Slot) -> Option<weir_attributes::Value<'_>> {
        None
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.0.get(index).cloned().flatten()
    }

    /// Only rows that expect an unknown ask: what they declare and do not bind is not known.
    fn knows(&self, origin: Origin, _: Option<&str>) -> bool {
        matches!(origin, Origin::Variable(index) if self.0.get(index).is_some_and(Option::is_some))
    }
}

impl Row {
    fn question(self) -> Result<Question, String> {
        let mut env = Env::builder().container(&self.container);
        if self.disable_check {
            env = env.lenient();
        }
        if self.disable_macros {
            env = env.without_macros();
        }
        let mut variables: Vec<(String, Type)> = Vec::new();
        for declaration in self.type_env {
            if let Some(ident) = &declaration.ident {
                variables.push((declaration.name.clone(), ty(ident)?));
            }
            for overload in &declaration.overloads {
                env = env.function(&declaration.name, overload.declared()?);
            }
        }
        for name in self.bindings.keys() {
            if !variables.iter().any(|(other, _)| other == name) {
                variables.push((name.clone(), Type::Dyn));
            }
        }
        let mut bound = Vec::new();
        for (name, ty) in variables {
            bound.push(self.bindings.get(&name).map(Typed::value).transpose()?);
            env = env.variable(&name, ty);
        }
        let answer = self.expected.answer(self.check_only)?;
        Ok(Question { expr: self.expr, env: env.build(), bound: Bound(bound), answer })
    }
}

impl Expected {
    fn answer(self, check_only: bool) -> Result<Answer, String> {
        if self.error.is_some() || self.any_errors.is_some() {
            return Ok(Answer::Error);
        }
        if self.unknown.is_some() {
            return Ok(Answer::Unknown);
        }
        let ty = self.ty.as_ref().map(ty).transpose()?;
        let value = self.value.filter(|_| !check_only).as_ref().map(Typed::shown).transpose()?;
        if ty.is_none() && value.is_none() && !check_only {
            return Err("`expected` has no value, type, error or unknown".to_owned());
        }
        Ok(Answer::Value(ty, value))
    }
}

impl Question {
    fn verdict(self) -> Verdict {
        let program = match self.env.compile(&self.expr) {
            Ok(program) => program,
            Err(errors) => {
                let words = errors.errors().first().map_or_else(String::new, |error| error.message.clone());
                return self.answer.refuse(format!("the error `{words}` when compiled"), "compile");
            }
        };
        if let Answer::Value(Some(ty), _) = &self.answer
            && program.result_type() != ty
        {
            let (expected, got) = (format!("type {ty}"), format!("type {}", program.result_type()));
            return Verdict::Failed { expected, got, rule: "type".to_owned() };
        }
        if let Answer::Value(_, None) = &self.answer {
            return Verdict::Passed;
        }
        if let Answer::Unknown = &self.answer {
            return match program.evaluate_partial(&self.bound, &mut Scratch::new()) {
                Partial::Unknown(_) => Verdict::Passed,
                Partial::Value(value) => {
                    Verdict::Failed { expected: self.answer.shown(), got: show(&value), rule: "unknown".to_owned() }
                }
                Partial::Error(error) => self.answer.refuse(format!("the error `{error}`"), "unknown"),
            };
        }
        match program.evaluate(&self.bound, &mut Scratch::new()) {
            Err(error) => self.answer.refuse(format!("the error `{error}`"), "evaluate"),
            Ok(value) => {
                let got = show(&value);
                match &self.answer {
                    Answer::Value(_, Some(expected)) if *expected == got => Verdict::Passed,
                    answer => Verdict::Failed { expected: answer.shown(), got, rule: "value".to_owned() },
                }
            }
        }
    }
}

impl Answer {
    fn shown(&self) -> String {
        match self {
            Self::Error => "an error".to_owned(),
            Self::Unknown => "an unknown".to_owned(),
            Self::Value(_, Some(value)) => value.clone(),
            Self::Value(Some(ty), None) => format!("type {ty}"),
            Self::Value(None, None) => "no error when compiled".to_owned(),
        }
    }

    /// What an error means for this answer.
    fn refuse(&self, got: String, rule: &'static str) -> Verdict {
        match self {
            Self::Error => Verdict::Passed,
            answer => Verdict::Failed { expected: answer.shown(), got, rule: rule.to_owned() },
        }
    }
}
