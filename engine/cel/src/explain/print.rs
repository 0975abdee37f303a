//! An explanation as a tree of lines: what is written on the left, what became of it on the right.

use std::fmt;

use super::{Explanation, Outcome, Part, Round, Shown};
use crate::{activation::Origin, limits::EXPLAIN_TEXT_MAX};

struct Line {
    left: String,
    right: String,
}

impl fmt::Display for Explanation {
    /// One line for each part, ending in a line break; `◀` marks what decides.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        write_part(&self.root, "", "", &mut lines);
        let width = |line: &Line| line.left.chars().count();
        let widest = lines.iter().filter(|line| !line.right.is_empty()).map(width).max().unwrap_or(0);
        for line in &lines {
            let gap = if line.right.is_empty() { 0 } else { widest - width(line) + 3 };
            writeln!(f, "{}{:gap$}{}", line.left, "", line.right)?;
        }
        if self.cut {
            writeln!(f, "… there is more: not all of it was recorded")?;
        }
        Ok(())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(shown) => write!(f, "{shown}"),
            Self::Error(error) => write!(f, "error: {error}"),
            Self::Unknown(unknown) => {
                f.write_str("unknown")?;
                for (index, unknown) in unknown.iter().enumerate() {
                    f.write_str(if index == 0 { ": " } else { ", " })?;
                    match unknown.origin {
                        Origin::Attribute(slot) => f.write_str(slot.attribute().name)?,
                        Origin::Variable(index) => write!(f, "variable {index}")?,
                    }
                    if let Some(key) = &unknown.key {
                        write!(f, "[{key:?}]")?;
                    }
                }
                Ok(())
            }
            Self::NotEvaluated => f.write_str("not evaluated"),
            Self::Cut => f.write_str("not recorded"),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
            Self::Masked => f.write_str("(sensitive)"),
        }
    }
}

/// Writes a part: `first` stands before its own line, `rest` before those of its parts.
fn write_part(part: &Part, first: &str, rest: &str, lines: &mut Vec<Line>) {
    let name = part.variable.as_ref().map_or(String::new(), |name| format!("{name} = "));
    let mark = if part.decides { "  ◀" } else { "" };
    let outcome = if is_passed_on(part) { "error".to_owned() } else { part.outcome.to_string() };
    lines.push(Line { left: format!("{first}{name}{}", part.source), right: format!("{outcome}{mark}") });
    let hidden = part.rounds_total - part.rounds.len().min(part.rounds_total);
    let count = part.parts.len() + part.rounds.len() + usize::from(hidden > 0);
    let mut place = 0;
    let mut branch = || {
        place += 1;
        if place == count {
            (format!("{rest}└─ "), format!("{rest}   "))
        } else {
            (format!("{rest}├─ "), format!("{rest}│  "))
        }
    };
    for inner in &part.parts {
        let (first, rest) = branch();
        write_part(inner, &first, &rest, lines);
    }
    for (index, round) in part.rounds.iter().enumerate() {
        // What is left out stands before the last round.
        if hidden > 0 && index + 1 == part.rounds.len() {
            let (first, _) = branch();
            lines.push(Line { left: format!("{first}… {hidden} more rounds"), right: String::new() });
        }
        let (first, rest) = branch();
        write_round(round, &first, &rest, lines);
    }
}

/// Whether a part failed because one of its parts did: the error stands there.
fn is_passed_on(part: &Part) -> bool {
    let failed = |part: &Part| matches!(part.outcome, Outcome::Error(_));
    failed(part) && part.parts.iter().chain(part.rounds.iter().flat_map(|round| &round.parts)).any(failed)
}

fn write_round(round: &Round, first: &str, rest: &str, lines: &mut Vec<Line>) {
    let variables: Vec<String> = round.variables.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let left = shortened(&variables.join(", "));
    lines.push(Line { left: format!("{first}{left}"), right: String::new() });
    let count = round.parts.len();
    for (index, part) in round.parts.iter().enumerate() {
        let (first, below) = if index + 1 == count { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        write_part(part, &format!("{rest}{first}"), &format!("{rest}{below}"), lines);
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(EXPLAIN_TEXT_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
