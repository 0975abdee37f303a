//! `weir cel check`: what an expression is, without running it.

use clap::Args;
use serde_json::json;
use weir_cel::{Cost, Program, Reference, Type};

use super::{
    Budget, Output,
    expression::{self, Expression, Source},
    names::Declared,
};
use crate::{failure::Failure, terminal::say};

/// Checks an expression: its type, what it reads, what it costs, and the reads that fail when something is absent.
///
/// The cost is an estimate, from the least to the most, for requests of a usual size. An expression that may take more
/// than --steps or --bytes is refused, as in a policy.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir cel check 'request.method == \"GET\" && source.namespace == \"shop\"'
  weir cel check --type bool --var 'limit=int' 'request.size < limit'
  echo 'request.path.startsWith(\"/public/\")' | weir cel check -")]
pub(super) struct Check {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    declared: Declared,
    #[command(flatten)]
    budget: Budget,
    /// Refuses an expression of another type; a rule of a policy must be bool.
    #[arg(long = "type", value_name = "TYPE", value_parser = super::names::ty)]
    wanted: Option<Type>,
    /// How to print what is found.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        let names = self.declared.names_within(&self.budget)?;
        let expression = self.source.read()?;
        let outcome = match &self.wanted {
            Some(wanted) => names.env.compile_as(&expression.text, wanted),
            None => names.env.compile(&expression.text),
        };
        match (outcome, self.output) {
            (Ok(program), Output::Text) => say(&report(&expression, &program)),
            (Ok(program), Output::Json) => say(&format!("{}\n", report_json(&expression, &program))),
            (Err(errors), Output::Text) => return Err(expression::complain(&expression.diagnostics(errors))),
            (Err(errors), Output::Json) => {
                say(&format!("{}\n", json!({"accepted": false, "diagnostics": expression.diagnostics(errors)})));
                return Err(Failure::Finding);
            }
        }
        Ok(())
    }
}

/// The report for people: one aligned block.
pub(super) fn report(expression: &Expression, program: &Program) -> String {
    let mut text = String::new();
    let mut block = |title: &str, lines: Vec<String>| {
        for (index, line) in lines.iter().enumerate() {
            text += &format!("{:<10} {line}\n", if index == 0 { title } else { "" });
        }
    };
    block("type", vec![program.result_type().to_string()]);
    let reads: Vec<String> = program.references().iter().map(read).collect();
    block("reads", if reads.is_empty() { vec!["no attribute".to_owned()] } else { reads });
    let unguarded = program.unguarded().into_iter().flat_map(|found| {
        let place = expression.at(found.span.clone(), String::new()).place;
        let read = expression.text.get(found.span).unwrap_or_default();
        let first = format!("{}:{}  {read}: an error when it is absent", place.line, place.column);
        [first, format!("write: {}", found.guarded)]
    });
    block("cost", vec![cost(program.cost())]);
    block("unguarded", unguarded.collect());
    text
}

fn report_json(expression: &Expression, program: &Program) -> serde_json::Value {
    let reads = program.references().iter().map(|reference| {
        let name = reference.slot.attribute().name;
        match &reference.key {
            Some(key) => json!({"attribute": name, "key": key}),
            None => json!({"attribute": name}),
        }
    });
    let unguarded = program.unguarded().into_iter().map(|found| {
        let place = expression.at(found.span.clone(), String::new()).place;
        let (line, column) = (place.line, place.column);
        json!({"line": line, "column": column, "expression": found.expression, "guarded": found.guarded})
    });
    json!({
        "accepted": true,
        "type": program.result_type().to_string(),
        "cost": {"steps": program.cost().steps, "bytes": program.cost().bytes},
        "reads": reads.collect::<Vec<_>>(),
        "unguarded": unguarded.collect::<Vec<_>>(),
    })
}

fn cost(cost: Cost) -> String {
    let range = |(least, most): (u64, u64), what: &str| match most {
        u64::MAX => format!("{least} {what} or more, without a bound"),
        _ if least == most => format!("{most} {what}"),
        _ => format!("{least} to {most} {what}"),
    };
    format!("{}; {}", range(cost.steps, "steps"), range(cost.bytes, "bytes"))
}

/// A reference as it is written in an expression.
fn read(reference: &Reference) -> String {
    let name = reference.slot.attribute().name;
    reference.key.as_ref().map_or_else(|| name.to_owned(), |key| format!("{name}[{key:?}]"))
}
