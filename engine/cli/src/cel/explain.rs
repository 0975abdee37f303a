//! `weir cel explain`: why an expression is what it is.

use clap::Args;
use serde_json::{Value as Json, json};
use weir_cel::{Activation, Explanation, Outcome, Part, Program, Scratch, Sensitive};

use super::{
    Budget, Output,
    expression::{self, Source},
    given::Inputs,
    names::Declared,
};
use crate::{
    failure::Failure,
    terminal::{colours, say},
};

/// Evaluates an expression and prints the value of each of its parts; ◀ marks what decided.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir cel explain 'size(\"abc\") > 2 && \"d\" in [\"a\", \"b\"]'
  weir cel explain 'request.method == \"GET\" && source.namespace == \"shop\"' --input request.yaml
  weir cel explain --file rule.cel --input request.yaml --mask")]
pub(super) struct Explain {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    declared: Declared,
    #[command(flatten)]
    budget: Budget,
    /// Hides credentials and other sensitive values, so that the answer can be shown to others.
    #[arg(long)]
    mask: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl Explain {
    pub(super) fn run(self) -> Result<(), Failure> {
        let names = self.declared.names()?;
        self.inputs.share_with(&self.source)?;
        let expression = self.source.read()?;
        let program = expression::compiled(&expression, &names.env)?;
        let documents = self.inputs.read(&names)?;
        let sensitive = if self.mask { Sensitive::Mask } else { Sensitive::Show };
        let (mut scratch, mut failed) = (self.budget.scratch(), false);
        let mut rows = Vec::new();
        for document in &documents {
            scratch.reset();
            let explanation = program.explain(&document.given, &mut scratch, sensitive);
            failed |= matches!(explanation.root.outcome, Outcome::Error(_));
            match self.output {
                Output::Text => {
                    if documents.len() > 1 {
                        say(&format!("{}\n", document.place));
                    }
                    say(&tree(&explanation));
                }
                Output::Json => rows.push(json!({"request": document.place, "explanation": part(&explanation.root)})),
            }
        }
        if self.output == Output::Json {
            say(&format!("{}\n", Json::Array(rows)));
        }
        if failed { Err(Failure::Finding) } else { Ok(()) }
    }
}

/// The explanation of one evaluation as a tree, for the one who asked.
pub(super) fn explained(program: &Program, activation: &dyn Activation, scratch: &mut Scratch) -> (String, bool) {
    let explanation = program.explain(activation, scratch, Sensitive::Show);
    (tree(&explanation), matches!(explanation.root.outcome, Outcome::Error(_)))
}

fn tree(explanation: &Explanation) -> String {
    let text = explanation.to_string();
    if colours(&std::io::stdout()) { text.lines().map(coloured).collect() } else { text }
}

const OUTCOMES: [(&str, &str); 3] = [("true", "\x1b[32m"), ("false", "\x1b[31m"), ("not evaluated", "\x1b[2m")];
const RESET: &str = "\x1b[0m";

/// A line of the tree with its outcome in its colour: what is written stays as it is.
fn coloured(line: &str) -> String {
    let (line, mark) = match line.strip_suffix("  ◀") {
        Some(line) => (line, format!("  \x1b[1;33m◀{RESET}")),
        None => (line, String::new()),
    };
    let outcome = OUTCOMES.iter().find_map(|(outcome, colour)| {
        let written = line.strip_suffix(outcome).filter(|written| written.ends_with("   "))?;
        Some(format!("{written}{colour}{outcome}{RESET}"))
    });
    let error =
        || line.rsplit_once("   error").map(|(written, error)| format!("{written}   \x1b[1;31merror{error}{RESET}"));
    format!("{}{mark}\n", outcome.or_else(error).unwrap_or_else(|| line.to_owned()))
}

fn part(part: &Part) -> Json {
    let mut json = json!({"source": part.source, "outcome": part.outcome.to_string(), "decides": part.decides});
    let Some(object) = json.as_object_mut() else { return json };
    if let Some(name) = &part.variable {
        object.insert("variable".to_owned(), Json::from(&**name));
    }
    if !part.parts.is_empty() {
        object.insert("parts".to_owned(), part.parts.iter().map(self::part).collect());
    }
    if part.rounds_total > 0 {
        let rounds = part.rounds.iter().map(|round| {
            let variables = round.variables.iter().map(|(name, value)| (name.clone(), Json::from(value.to_string())));
            let parts: Vec<Json> = round.parts.iter().map(self::part).collect();
            json!({"index": round.index, "variables": variables.collect::<serde_json::Map<_, _>>(), "parts": parts})
        });
        object.insert("rounds".to_owned(), rounds.collect());
        object.insert("rounds_total".to_owned(), Json::from(part.rounds_total));
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_coloured_and_nothing_else() {
        for (line, expected) in [
            ("├─ a   true", "├─ a   \x1b[32mtrue\x1b[0m\n"),
            ("├─ a   false  ◀", "├─ a   \x1b[31mfalse\x1b[0m  \x1b[1;33m◀\x1b[0m\n"),
            ("├─ a   not evaluated", "├─ a   \x1b[2mnot evaluated\x1b[0m\n"),
            ("├─ a   error: b", "├─ a   \x1b[1;31merror: b\x1b[0m\n"),
            ("├─ a   \"is true\"", "├─ a   \"is true\"\n"),
            ("├─ x = true", "├─ x = true\n"),
        ] {
            assert_eq!(coloured(line), expected);
        }
    }
}
