//! The suite `cexl`: expressions of Mixer's language, attributes, and what they come to; types; the functions alone.
//!
//! An expected error passes for any, when compiled or evaluated, except that `lookup failed: 'name'` must be said so. A
//! row with `referenced` must read exactly that. Every row is asked a second time in the mode COMPAT: there `cel_result`
//! and `referenced_cel` stand instead, and a row with another result and no `referenced_cel` tells nothing of its reads.

mod tables;
mod values;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;
use serde_json::Value as Json;
use weir_cel::{
    EvalErrorKind, Overload, Reads, Scratch, Type as Plain, Value,
    cexl::{Env, EnvBuilder, Type, Values},
};

use crate::{
    rows,
    suite::{Case, Malformed, Suite, Task, Verdict},
    typed::show,
};

/// Expressions of Mixer's language.
pub(crate) struct Cexl;

impl Suite for Cexl {
    fn name(&self) -> &'static str {
        "cexl"
    }

    fn cases(&self, file: &Path) -> Result<Vec<Case>, Malformed> {
        let place = file.display().to_string();
        let refuse = |problem: String| Malformed { place: place.clone(), problem };
        let text = rows::text(file)?;
        let file: File = serde_json::from_str(&text)
            .map_err(|error| Malformed { place: format!("{place}:{}", error.line()), problem: error.to_string() })?;
        let mut cases = Vec::new();
        for (at, row) in file.cases.into_iter().enumerate() {
            let expr = row.get("expr").and_then(Json::as_str).unwrap_or_default();
            let name = format!("{place} case {} `{expr}`", at + 1);
            let row = serde_json::from_value(row).map_err(|error| error.to_string());
            cases.push(match row.and_then(|row: Row| row.question(&file.attribute_sets)) {
                Ok(question) => Case { name, task: Task::Ask(Box::new(move || question.verdict())) },
                Err(problem) => Case::unreadable(name, problem),
            });
        }
        for (table, rows) in &file.tables {
            let name = |row: &str| format!("{place} {table} {row}");
            match tables::cases(table, rows, &file.tables) {
                Ok(found) => cases.extend(found.into_iter().map(|(row, task)| Case { name: name(&row), task })),
                Err(problem) => cases.push(Case::unreadable(name(""), problem)),
            }
        }
        if cases.is_empty() {
            return Err(refuse("it has neither `cases` nor `tables`".to_owned()));
        }
        Ok(cases)
    }
}

type Attributes = BTreeMap<String, String>;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    attribute_sets: BTreeMap<String, Attributes>,
    #[serde(default)]
    cases: Vec<Json>,
    #[serde(default)]
    tables: BTreeMap<String, Json>,
}

#[derive(Deserialize)]
struct Row {
    attrs_set: String,
    expr: String,
    #[serde(default)]
    input: BTreeMap<String, Json>,
    #[serde(rename = "type")]
    ty: Option<String>,
    result: Option<Json>,
    compile_err: Option<String>,
    eval_err_prefix: Option<String>,
    referenced: Option<BTreeSet<String>>,
    cel_result: Option<Json>,
    referenced_cel: Option<BTreeSet<String>>,
    #[serde(default)]
    needs_custom_functions: Vec<Custom>,
}

#[derive(Deserialize)]
struct Custom {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Instance", default)]
    instance: bool,
}

/// What a row asks for.
#[derive(Clone)]
pub(super) enum Answer {
    Refused,
    /// An error with that beginning, where Mixer's words count.
    Failed(Option<String>),
    Value(String),
}

/// One row in one mode.
pub(super) struct Question {
    pub(super) expr: String,
    pub(super) env: Env,
    /// Those that are there.
    pub(super) given: Vec<(String, Value<'static>)>,
    pub(super) ty: Option<Type>,
    pub(super) answer: Answer,
    pub(super) referenced: Option<BTreeSet<String>>,
}

/// One row in both modes.
struct Both(Question, Question);

impl Row {
    fn question(self, sets: &BTreeMap<String, Attributes>) -> Result<Both, String> {
        let set = sets.get(&self.attrs_set).ok_or_else(|| format!("there is no attribute set `{}`", self.attrs_set))?;
        let mut env = Env::builder();
        for (name, ty) in set {
            env = env.attribute(name, ty.parse().map_err(|error| format!("{name}: {error}"))?);
        }
        let mut given = Vec::new();
        for (name, value) in &self.input {
            given.push((name.clone(), values::value(value)?));
        }
        for custom in &self.needs_custom_functions {
            env = declared(env, custom)?;
        }
        let answer = match (&self.compile_err, &self.eval_err_prefix, &self.result) {
            (Some(_), _, _) => Answer::Refused,
            (None, Some(words), _) => Answer::Failed(Some(words.clone()).filter(|words| words.starts_with("lookup"))),
            (None, None, Some(result)) => Answer::Value(show(&values::value(result)?)),
            (None, None, None) => return Err("no result and no error".to_owned()),
        };
        let compatible = match &self.cel_result {
            Some(Json::Object(result)) if result.contains_key("error") => Answer::Failed(None),
            Some(result) => Answer::Value(show(&values::value(result)?)),
            // The words are those of Mixer's own interpreter.
            None => match &answer {
                Answer::Failed(_) => Answer::Failed(None),
                answer => answer.clone(),
            },
        };
        let ty: Option<Type> = self.ty.map(|ty| ty.parse()).transpose().map_err(|error| format!("{error}"))?;
        let ty = ty.filter(|_| self.compile_err.is_none());
        Ok(Both(
            Question {
                expr: self.expr.clone(),
                env: env.clone().build(),
                given: given.clone(),
                ty,
                answer,
                referenced: self.referenced.clone(),
            },
            Question {
                expr: self.expr,
                env: env.compatible().build(),
                given,
                ty,
                answer: compatible,
                referenced: self.referenced_cel.or(self.referenced.filter(|_| self.cel_result.is_none())),
            },
        ))
    }
}

/// Functions of a host that rows call.
fn declared(env: EnvBuilder, custom: &Custom) -> Result<EnvBuilder, String> {
    let form = match custom.instance {
        true => Overload::method(Plain::String, [], Plain::String),
        false => Overload::global([Plain::String], Plain::String),
    };
    let reverse = form.implemented(|args| match args {
        [Value::String(text)] => Ok(Value::from(text.chars().rev().collect::<String>())),
        _ => Err(EvalErrorKind::NoOverload),
    });
    match &*custom.name {
        "reverse" => Ok(env.function("reverse", reverse)),
        name => Err(format!("the runner has no function `{name}`")),
    }
}

impl Both {
    fn verdict(self) -> Verdict {
        match (self.0.verdict(), self.1.verdict()) {
            (Verdict::Passed, Verdict::Passed) => Verdict::Passed,
            (Verdict::Passed, Verdict::Failed { expected, got, rule }) => {
                Verdict::Failed { expected: format!("{expected} in the mode COMPAT"), got, rule }
            }
            (failed, _) => failed,
        }
    }
}

impl Question {
    pub(super) fn verdict(self) -> Verdict {
        let failed = |got: String, rule: &str| {
            Ok::<_, Verdict>(Verdict::Failed { expected: self.answer.shown(), got, rule: rule.to_owned() })
        };
        self.ask(failed).unwrap_or_else(|verdict| verdict)
    }

    fn ask(&self, failed: impl Fn(String, &'static str) -> Result<Verdict, Verdict>) -> Result<Verdict, Verdict> {
        let program = match self.env.compile(&self.expr) {
            Ok(program) => program,
            Err(errors) => {
                let words = errors.errors().first().map_or_else(String::new, |error| error.message.clone());
                return match self.answer {
                    Answer::Refused | Answer::Failed(None) => Ok(Verdict::Passed),
                    _ => failed(format!("the error `{words}` when compiled"), "compile"),
                };
            }
        };
        if let Answer::Refused = self.answer {
            return failed(format!("a program of type {}", program.value_type()), "compile");
        }
        if let Some(ty) = self.ty
            && program.value_type() != ty
        {
            let (expected, got) = (format!("type {ty}"), format!("type {}", program.value_type()));
            return Ok(Verdict::Failed { expected, got, rule: "type".to_owned() });
        }
        let mut reads = Reads::new();
        let values = Values::of(&self.env);
        let values = self.given.iter().fold(values, |values, (name, value)| values.with(name, value.clone()));
        let plain = outcome(program.evaluate(&values, &mut Scratch::new()));
        let tracked = outcome(program.evaluate_tracked(&values, &mut Scratch::new(), &mut reads));
        if plain != tracked {
            return failed(format!("{plain:?}, but {tracked:?} when tracked"), "tracked");
        }
        match (&self.answer, plain) {
            (Answer::Value(expected), Ok(got)) if *expected == got => {}
            (Answer::Failed(words), Err(got)) if words.as_ref().is_none_or(|words| got.starts_with(words)) => {}
            (_, Ok(got)) => return failed(got, "value"),
            (_, Err(got)) => return failed(format!("the error `{got}`"), "evaluate"),
        }
        let mut read = BTreeSet::new();
        for reference in program.references(&reads) {
            let sign = if reference.present { "" } else { "-" };
            match reference.key {
                Some(key) => read.extend([reference.name.to_owned(), format!("{sign}{}[{key}]", reference.name)]),
                None => read.extend([format!("{sign}{}", reference.name)]),
            }
        }
        match &self.referenced {
            Some(expected) if *expected != read => Ok(Verdict::Failed {
                expected: format!("references {expected:?}"),
                got: format!("{read:?}"),
                rule: "references".to_owned(),
            }),
            _ => Ok(Verdict::Passed),
        }
    }
}

fn outcome(outcome: Result<Value<'_>, weir_cel::EvalError>) -> Result<String, String> {
    outcome.map(|value| show(&value)).map_err(|error| error.to_string())
}

impl Answer {
    fn shown(&self) -> String {
        match self {
            Self::Refused => "an error when compiled".to_owned(),
            Self::Failed(None) => "an error".to_owned(),
            Self::Failed(Some(words)) => format!("the error `{words}`"),
            Self::Value(value) => value.clone(),
        }
    }
}
