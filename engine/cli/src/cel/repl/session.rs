//! What a session remembers, and what its lines do.

use std::path::Path;

use weir_attributes::vocabulary;
use weir_cel::{Env, EvalError, Program, Scratch};
use weir_config::Diagnostic;

use super::command::{COMMANDS, Line};
use crate::{
    cel::{
        check, eval, explain,
        expression::{Expression, complain},
        functions,
        given::{self, Document},
        names::{Names, not_a_name},
    },
    terminal::{say, tell},
};

/// Whether the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Go,
    /// It goes on, but that line could not be done.
    Failed,
    Leave,
}

/// A name that `:let` gave.
#[derive(Clone, Debug)]
struct Let {
    name: String,
    expression: Expression,
}

#[derive(Debug)]
pub(super) struct Session {
    names: Names,
    lets: Vec<Let>,
    /// The names and what `:let` named.
    env: Env,
    document: Document,
    told: bool,
    scratch: Scratch,
}

impl Session {
    /// Expressions are evaluated on the first of the requests.
    pub(super) fn new(names: Names, documents: Vec<Document>, scratch: Scratch) -> Self {
        let env = names.env.clone();
        let document = documents.into_iter().next();
        let told = document.as_ref().is_some_and(|document| document.is_told());
        Self { names, lets: Vec::new(), env, document: document.unwrap_or_default(), told, scratch }
    }

    /// Every name that has a value.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.lets.iter().map(|defined| defined.name.as_str()).chain(self.names.all())
    }

    /// Does what a line asks for.
    pub(super) fn line(&mut self, text: &str) -> Flow {
        match Line::read(text) {
            Line::Nothing => Flow::Go,
            Line::Evaluate(text) => self.evaluate(text),
            Line::Help(name) => help(name),
            Line::Type(text) => self.compiled(text, |_, program| say(&format!("{}\n", program.result_type()))),
            Line::Check(text) => self.compiled(text, |expression, program| say(&check::report(expression, program))),
            Line::Explain(text) => self.explain(text),
            Line::Let(name, text) => self.define(name, text),
            Line::Input(file, number) => self.input(file, number),
            Line::Vars => self.vars(),
            Line::Quit => Flow::Leave,
            Line::Wrong(why) => wrong(&why),
        }
    }

    fn compiled(&self, text: &str, then: impl FnOnce(&Expression, &Program)) -> Flow {
        let expression = Expression::typed(text);
        match self.env.compile(text) {
            Ok(program) => {
                then(&expression, &program);
                Flow::Go
            }
            Err(errors) => failed(&expression.diagnostics(errors)),
        }
    }

    fn evaluate(&mut self, text: &str) -> Flow {
        let expression = Expression::typed(text);
        let program = match self.env.compile(text) {
            Ok(program) => program,
            Err(errors) => return failed(&expression.diagnostics(errors)),
        };
        match program.evaluate(&self.document.given, &mut self.scratch) {
            Ok(value) => {
                say(&format!("{value}\n"));
                Flow::Go
            }
            Err(error) => failed(&[self.failure(&expression, &error)]),
        }
    }

    /// An error stands in the expression, or in that of a name that it reads.
    fn failure(&self, expression: &Expression, error: &EvalError) -> Diagnostic {
        let named = error.variable.as_deref().and_then(|name| self.lets.iter().find(|defined| defined.name == name));
        let expression = named.map_or(expression, |defined| &defined.expression);
        expression.failed(error).help(eval::hint(error, self.told))
    }

    fn explain(&mut self, text: &str) -> Flow {
        let program = match self.env.compile(text) {
            Ok(program) => program,
            Err(errors) => return failed(&Expression::typed(text).diagnostics(errors)),
        };
        let (tree, failed) = explain::explained(&program, &self.document.given, &mut self.scratch);
        say(&tree);
        if failed { Flow::Failed } else { Flow::Go }
    }

    /// Names an expression, or gives a name another: what is defined after it is compiled anew.
    fn define(&mut self, name: &str, text: &str) -> Flow {
        if let Some(why) = not_a_name(name) {
            return wrong(&why);
        }
        let mut lets = self.lets.clone();
        let defined =
            Let { name: name.to_owned(), expression: Expression { place: name.to_owned(), text: text.to_owned() } };
        match lets.iter_mut().find(|other| other.name == name) {
            Some(other) => *other = defined,
            None => lets.push(defined),
        }
        let mut env = self.names.env.clone();
        for Let { name, expression } in &lets {
            let program = match env.compile(&expression.text) {
                Ok(program) => program,
                Err(errors) => return failed(&expression.diagnostics(errors)),
            };
            env = match env.with_lazy(name, &program) {
                Ok(env) => env,
                Err(errors) => return failed(&Expression::typed(name).diagnostics(errors)),
            };
        }
        self.scratch.reset();
        (self.lets, self.env) = (lets, env);
        Flow::Go
    }

    fn input(&mut self, file: &str, number: Option<usize>) -> Flow {
        let mut documents = match given::load(Path::new(file), &self.names) {
            Ok(documents) => documents,
            Err(failure) => {
                failure.report();
                return Flow::Failed;
            }
        };
        let (number, count) = (number.unwrap_or(1), documents.len());
        if !(1..=count).contains(&number) {
            return wrong(&format!("{file} has {count} requests; name one of them, from 1"));
        }
        self.document = documents.swap_remove(number - 1);
        self.told = true;
        self.scratch.reset();
        tell(&format!("{} (request {number} of {count})\n", self.document.place));
        Flow::Go
    }

    fn vars(&self) -> Flow {
        let mut rows: Vec<(String, String, String)> = Vec::new();
        for (index, (name, ty)) in self.names.variables.iter().enumerate() {
            let value =
                self.document.given.value(index).map_or("has no value".to_owned(), |value| format!("= {value}"));
            rows.push((name.clone(), ty.to_string(), value));
        }
        for Let { name, expression } in &self.lets {
            let ty =
                self.env.compile(name).map_or_else(|_| "dyn".to_owned(), |program| program.result_type().to_string());
            rows.push((name.clone(), ty, format!(":= {}", expression.text)));
        }
        for attribute in vocabulary() {
            if let Some(value) = self.document.given.attribute_value(attribute.slot) {
                rows.push((attribute.name.to_owned(), given::ty(attribute).to_string(), format!("= {value}")));
            }
        }
        let width = |part: fn(&(String, String, String)) -> &str| {
            rows.iter().map(|row| part(row).chars().count()).max().unwrap_or(0)
        };
        let (names, types) = (width(|row| &row.0), width(|row| &row.1));
        for (name, ty, value) in &rows {
            say(&format!("{name:names$}  {ty:types$}  {value}\n"));
        }
        Flow::Go
    }
}

fn failed(diagnostics: &[Diagnostic]) -> Flow {
    complain(diagnostics);
    Flow::Failed
}

fn wrong(why: &str) -> Flow {
    tell(&format!("{why}\n"));
    Flow::Failed
}

fn help(name: &str) -> Flow {
    if !name.is_empty() {
        return match functions::help(name) {
            Ok(text) => {
                say(&text);
                Flow::Go
            }
            Err(why) => wrong(&why),
        };
    }
    say("An expression is evaluated; brackets that are open go on in the next line.\n");
    for (name, takes, does) in COMMANDS {
        say(&format!("  {:<24}{does}\n", format!("{name} {takes}")));
    }
    Flow::Go
}
