//! An expression, where it was written, and what is wrong with it.

use std::{
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
};

use clap::Args;
use weir_cel::{Env, Errors, EvalError, Program, limits::SOURCE_MAX};
use weir_config::Diagnostic;

use crate::{failure::Failure, terminal};

#[derive(Debug, Args)]
pub(super) struct Source {
    /// The expression; - reads it from standard input.
    #[arg(value_name = "EXPR", required_unless_present = "file")]
    expression: Option<String>,
    /// Reads the expression from a file.
    #[arg(short, long, value_name = "FILE", conflicts_with = "expression")]
    file: Option<PathBuf>,
}

/// An expression and the name of its place.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) place: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn is_standard_input(&self) -> bool {
        self.expression.as_deref() == Some("-") || self.file.as_deref() == Some(Path::new("-"))
    }

    pub(super) fn read(&self) -> Result<Expression, Failure> {
        let (place, text) = match (&self.file, self.expression.as_deref()) {
            (Some(file), _) => (file.display().to_string(), read(file, SOURCE_MAX)?),
            (None, Some("-")) => ("standard input".to_owned(), read(Path::new("-"), SOURCE_MAX)?),
            (None, expression) => return Ok(Expression::typed(expression.unwrap_or_default())),
        };
        Ok(Expression { place, text: text.trim_end_matches(['\n', '\r']).to_owned() })
    }
}

/// The text of a file, or of standard input for `-`, of at most that many bytes.
pub(super) fn read(file: &Path, most: usize) -> Result<String, Failure> {
    let shown = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    let refused = |why: &dyn std::fmt::Display, help: &str| Failure::Usage(format!("{shown}: {why}; {help}"));
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    let outcome = if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    outcome.map_err(|error| refused(&error, "name a file that can be read"))?;
    if bytes.len() > most {
        return Err(refused(&format!("longer than {most} bytes"), "split it, or shorten it"));
    }
    String::from_utf8(bytes).map_err(|error| refused(&error.utf8_error(), "write it in UTF-8"))
}

impl Expression {
    /// One that was typed where it is evaluated.
    pub(super) fn typed(text: &str) -> Self {
        Self { place: "expression".to_owned(), text: text.to_owned() }
    }

    pub(super) fn diagnostics(&self, errors: Errors) -> Vec<Diagnostic> {
        errors.into_iter().map(|error| self.at(error.span, error.message).help(error.help)).collect()
    }

    /// An evaluation that failed; its place is in this expression.
    pub(super) fn failed(&self, error: &EvalError) -> Diagnostic {
        self.at(error.span.clone(), error.to_string())
    }

    /// Something to say about a part of it.
    pub(super) fn at(&self, span: Range<usize>, message: String) -> Diagnostic {
        Diagnostic::at(&self.place, &self.text, span, message)
    }
}

/// Compiles an expression; what is wrong with it is said on standard error.
pub(super) fn compiled(expression: &Expression, env: &Env) -> Result<Program, Failure> {
    env.compile(&expression.text).map_err(|errors| complain(&expression.diagnostics(errors)))
}

/// Says what is wrong on standard error, each with its line underlined. The failure is for the caller to return.
pub(crate) fn complain(diagnostics: &[Diagnostic]) -> Failure {
    let colours = terminal::colours(&std::io::stderr());
    let each: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.render(colours)).collect();
    terminal::tell(&format!("{}\n", each.join("\n\n")));
    Failure::Finding
}
