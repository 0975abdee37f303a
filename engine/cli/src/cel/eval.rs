//! `weir cel eval`: the value of an expression.

use clap::Args;
use serde_json::{Value as Json, json};
use weir_cel::{EvalError, Origin, Partial, Program, Scratch, Unknown, Value};

use super::{
    Budget, Output,
    expression::{self, Expression, Source},
    given::{Document, Early, Inputs},
    json::json,
    names::{Declared, Names},
};
use crate::{failure::Failure, terminal::say};

/// Evaluates an expression and prints its value.
///
/// With one request the value is printed, as an expression that gives it back, or as JSON. With several it is a table,
/// one line a request. An evaluation that fails says why, and the exit code is 1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir cel eval '\"10.1.2.3\" in [\"10.1.2.3\"] && size(\"abc\") > 2'
  weir cel eval 'request.method == \"GET\" && \"x-role\" in request.headers' --input request.yaml
  weir cel eval 'request.method == \"GET\" && source.namespace == \"shop\"' --partial
  weir cel eval 'user.groups.exists(g, g == \"ops\")' --var 'user=map(string, list(string))' --input user.yaml

A request is a YAML document of attributes and variables, nested or dotted:
  request: {method: GET, path: /a, headers: {x-role: admin}}
  source.principal: cluster.local/ns/shop/sa/cart")]
pub(super) struct Eval {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    declared: Declared,
    #[command(flatten)]
    budget: Budget,
    /// Takes what a request does not tell for unknown, not for absent, and prints what is left of the expression.
    #[arg(long)]
    partial: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl Eval {
    pub(super) fn run(self) -> Result<(), Failure> {
        let names = self.declared.names()?;
        self.inputs.share_with(&self.source)?;
        let expression = self.source.read()?;
        let program = expression::compiled(&expression, &names.env)?;
        let documents = self.inputs.read(&names)?;
        match self.answers(&program, &documents, &names).as_slice() {
            [(_, answer)] => self.one(&expression, answer),
            rows => self.table(&expression, rows),
        }
    }

    fn answers<'d>(&self, program: &'d Program, documents: &'d [Document], names: &Names) -> Vec<Row<'d>> {
        let mut scratch = self.budget.scratch();
        let answer = |document: &'d Document| {
            scratch.reset();
            let answer = if self.partial {
                partial(program, &Early(&document.given, names), &mut scratch)
            } else {
                program.evaluate(&document.given, &mut scratch).map_or_else(Answer::Error, Answer::Value)
            };
            (document.place.as_str(), answer)
        };
        documents.iter().map(answer).collect()
    }

    fn one(&self, expression: &Expression, answer: &Answer<'_>) -> Result<(), Failure> {
        let text = match (answer, self.output) {
            (Answer::Error(error), _) => {
                let help = hint(error, self.inputs.is_given());
                return Err(expression::complain(&[expression.failed(error).help(help)]));
            }
            (Answer::Value(value), Output::Json) if !self.partial => json(value).ok_or_else(too_large)?.to_string(),
            (answer, Output::Json) => answer.json()?.to_string(),
            (answer, Output::Text) => answer.text(expression),
        };
        say(&format!("{text}\n"));
        Ok(())
    }

    fn table(&self, expression: &Expression, rows: &[Row<'_>]) -> Result<(), Failure> {
        match self.output {
            Output::Text => {
                let width = rows.iter().map(|(place, _)| place.chars().count()).max().unwrap_or(0);
                rows.iter().for_each(|(place, answer)| say(&format!("{place:width$}  {}\n", answer.text(expression))));
            }
            Output::Json => {
                let each = rows.iter().map(|(place, answer)| {
                    let mut json = answer.json()?;
                    json.as_object_mut().map(|object| object.insert("request".to_owned(), json!(place)));
                    Ok(json)
                });
                let each: Result<Vec<_>, Failure> = each.collect();
                say(&format!("{}\n", Json::Array(each?)));
            }
        }
        let failed = rows.iter().any(|(_, answer)| matches!(answer, Answer::Error(_)));
        if failed { Err(Failure::Finding) } else { Ok(()) }
    }
}

/// What came of one request.
enum Answer<'d> {
    Value(Value<'d>),
    /// What is left of the expression, and what it depends on.
    Rest(Program, Vec<String>),
    Error(EvalError),
}

/// Where a request stands, and what came of it.
type Row<'d> = (&'d str, Answer<'d>);

impl Answer<'_> {
    /// On one line.
    fn text(&self, expression: &Expression) -> String {
        match self {
            Self::Value(value) => value.to_string(),
            Self::Rest(rest, _) => rest.source().to_owned(),
            Self::Error(error) => {
                let at = expression.failed(error).place;
                format!("error at {}:{}: {error}", at.line, at.column)
            }
        }
    }

    fn json(&self) -> Result<Json, Failure> {
        Ok(match self {
            Self::Value(value) => json!({"value": json(value).ok_or_else(too_large)?}),
            Self::Rest(rest, unknown) => json!({"residual": rest.source(), "unknown": unknown}),
            Self::Error(error) => json!({"error": error.to_string()}),
        })
    }
}

fn partial<'d>(program: &Program, early: &Early<'_>, scratch: &mut Scratch) -> Answer<'d> {
    let rest = program.residual(early, scratch);
    match rest.outcome {
        Partial::Value(value) => Answer::Value(value),
        Partial::Error(error) => Answer::Error(error),
        Partial::Unknown(unknown) => {
            Answer::Rest(rest.program, unknown.iter().map(|unknown| named(unknown, early)).collect())
        }
    }
}

/// Something that is not known, as it is written in an expression.
fn named(unknown: &Unknown, early: &Early<'_>) -> String {
    let name = match unknown.origin {
        Origin::Attribute(slot) => slot.attribute().name,
        Origin::Variable(index) => early.1.variables.get(index).map_or("", |(name, _)| name),
    };
    unknown.key.as_ref().map_or_else(|| name.to_owned(), |key| format!("{name}[{key:?}]"))
}

fn too_large() -> Failure {
    Failure::Usage("the value is too large for JSON; ask for a part of it, or use --output text".to_owned())
}

/// What to do about an evaluation that failed.
pub(super) fn hint(error: &EvalError, has_input: bool) -> Option<String> {
    use weir_cel::EvalErrorKind as Kind;
    let advice = match error.kind {
        Kind::AbsentAttribute(slot) if !has_input => {
            format!("tell it: --input FILE with `{}: ...`", slot.attribute().name)
        }
        Kind::AbsentVariable if !has_input => "tell it: --input FILE with its value".to_owned(),
        Kind::AbsentAttribute(slot) => format!(
            "ask first: `has({name}) && ...`; it is absent when: {absent}",
            name = slot.attribute().name,
            absent = slot.attribute().absent
        ),
        Kind::AbsentVariable => "add it to the request".to_owned(),
        Kind::AbsentKey => "ask first: `\"key\" in map && ...`, or read `map[?\"key\"].orValue(...)`".to_owned(),
        Kind::Budget => "raise --steps or --bytes, or do less in a loop".to_owned(),
        _ => return None,
    };
    Some(advice)
}
