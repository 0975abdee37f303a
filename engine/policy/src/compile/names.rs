//! The names that a CelPolicy's expressions can read: the vocabulary and its own variables.

use weir_cel::{Env, Program, Type};

use super::limits::VARIABLES_MAX;
use crate::{document::Variable, problem::Problems};

/// What stands before the name of a variable.
const PREFIX: &str = "variables.";

/// An environment that grows by one variable after the other.
pub(super) struct Names<'d> {
    env: Env,
    variables: &'d [Variable],
    /// The variables that may not be read yet begin here.
    later: usize,
    /// Variables that did not compile: what reads them is not a problem of its own.
    failed: Vec<&'d str>,
}

impl<'d> Names<'d> {
    /// The vocabulary and the variables. Each can read those before it, so there are no cycles.
    pub(super) fn new(vocabulary: &Env, variables: &'d [Variable], deny: bool, problems: &mut Problems<'_>) -> Self {
        let mut names = Self { env: vocabulary.clone(), variables, later: 0, failed: Vec::new() };
        for (index, variable) in variables.iter().enumerate().take(VARIABLES_MAX) {
            names.later = index;
            if !names.declare(&format!("spec.variables[{index}]"), variable, deny, problems) {
                names.failed.push(&variable.name);
            }
        }
        names.later = variables.len();
        names
    }

    fn declare(&mut self, path: &str, variable: &'d Variable, deny: bool, problems: &mut Problems<'_>) -> bool {
        let (name, name_path) = (variable.name.as_str(), format!("{path}.name"));
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(letter) || name.as_bytes().first().is_some_and(u8::is_ascii_digit) {
            let help = "write a letter or underscore, then letters, digits and underscores";
            problems.error(&name_path, format!("{name:?} is not a name"), help);
            return false;
        }
        if self.variables.iter().take(self.later).any(|earlier| earlier.name == name) {
            problems.error(&name_path, format!("another variable is called {name:?}"), "rename one of them");
            return false;
        }
        let path = format!("{path}.expression");
        let Some(program) = self.compile(&path, &variable.expression, problems) else { return false };
        if deny {
            warn_of_absence(&path, &program, problems);
        }
        match self.env.with_lazy(&format!("{PREFIX}{name}"), &program) {
            Ok(extended) => {
                self.env = extended;
                true
            }
            Err(errors) => {
                for error in errors {
                    problems.error(&name_path, error.message, error.help.unwrap_or_default());
                }
                false
            }
        }
    }

    fn compile(&self, path: &str, source: &str, problems: &mut Problems<'_>) -> Option<Program> {
        let errors = match self.env.compile(source) {
            Ok(program) => return Some(program),
            Err(errors) => errors,
        };
        for error in errors {
            let read = source.get(error.span.clone()).and_then(|text| text.strip_prefix(PREFIX)).unwrap_or_default();
            if self.failed.contains(&read) {
                continue;
            }
            let early = self.variables.iter().skip(self.later).any(|later| later.name == read);
            let help = early.then(|| format!("a variable reads only those before it: move `{read}` up")).or(error.help);
            problems.error_at(path, error.span, error.message, help);
        }
        None
    }

    /// Compiles an expression that must have that type; `what` is what messages call it.
    pub(super) fn typed(
        &self,
        path: &str,
        source: &str,
        wanted: &Type,
        what: &str,
        problems: &mut Problems<'_>,
    ) -> Option<Program> {
        let program = self.compile(path, source, problems)?;
        let (message, help) = match program.result_type() {
            found if found == wanted => return Some(program),
            Type::Dyn => (
                format!("{what} must be a {wanted}, and the type of this is only known when it runs"),
                Some(format!("convert it: {wanted}(...)")),
            ),
            found => (
                format!("{what} must be a {wanted}, and this is {found}"),
                (*wanted == Type::Bool).then(|| "compare it with something".to_owned()),
            ),
        };
        problems.error_at(path, 0..source.len(), message, help);
        None
    }
}

/// Warns of every read that fails when what it reads is absent: in a DENY policy that denies.
pub(super) fn warn_of_absence(path: &str, program: &Program, problems: &mut Problems<'_>) {
    for unguarded in program.unguarded() {
        let message = format!(
            "`{}` fails when what it reads is absent, and a DENY rule that fails denies the request",
            unguarded.expression
        );
        let help = format!("if that is not meant, ask first: {}", unguarded.guarded);
        problems.warn_at(path, unguarded.span, message, help);
    }
}
