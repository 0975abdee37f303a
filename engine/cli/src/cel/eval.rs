//! `weir cel eval`: the value of an expression.

use clap::Args;
use serde_json::json;
use weir_cel::{EvalError, Program, Scratch, Value};

use super::{
    Budget, Output,
    expression::{self, Expression, Source},
    given::{Document, Inputs},
    json::json,
    names::Declared,
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
        match documents.as_slice() {
            [one] => self.one(&expression, &program, one),
            several => self.table(&expression, &program, several),
        }
    }

    fn one(&self, expression: &Expression, program: &Program, document: &Document) -> Result<(), Failure> {
        let mut scratch = self.budget.scratch();
        match program.evaluate(&document.given, &mut scratch) {
            Ok(value) => {
                say(&format!("{}\n", self.text(&value)?));
                Ok(())
            }
            Err(error) => {
                Err(expression::complain(&[expression.failed(&error).help(hint(&error, self.inputs.is_given()))]))
            }
        }
    }

    fn text(&self, value: &Value<'_>) -> Result<String, Failure> {
        match self.output {
            Output::Text => Ok(value.to_string()),
            Output::Json => json(value).map(|json| json.to_string()).ok_or_else(too_large),
        }
    }

    fn table(&self, expression: &Expression, program: &Program, documents: &[Document]) -> Result<(), Failure> {
        let mut scratch = self.budget.scratch();
        let rows: Vec<Row<'_>> = documents.iter().map(|document| row(program, document, &mut scratch)).collect();
        let failed = rows.iter().any(|(_, outcome)| outcome.is_err());
        match self.output {
            Output::Text => {
                let width = rows.iter().map(|(place, _)| place.len()).max().unwrap_or(0);
                for (place, outcome) in &rows {
                    say(&match outcome {
                        Ok(value) => format!("{place:width$}  {value}\n"),
                        Err(error) => {
                            let at = expression.failed(error).place;
                            format!("{place:width$}  error at {}:{}: {error}\n", at.line, at.column)
                        }
                    });
                }
            }
            Output::Json => {
                let each = rows.iter().map(|(place, outcome)| match outcome {
                    Ok(value) => Ok(json!({"request": place, "value": json(value).ok_or_else(too_large)?})),
                    Err(error) => Ok(json!({"request": place, "error": error.to_string()})),
                });
                let each: Result<Vec<_>, Failure> = each.collect();
                say(&format!("{}\n", serde_json::Value::Array(each?)));
            }
        }
        if failed { Err(Failure::Finding) } else { Ok(()) }
    }
}

/// Where a request stands, and what came of it.
type Row<'d> = (&'d str, Result<Value<'d>, EvalError>);

fn row<'d>(program: &'d Program, document: &'d Document, scratch: &mut Scratch) -> Row<'d> {
    scratch.reset();
    (&document.place, program.evaluate(&document.given, scratch))
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
