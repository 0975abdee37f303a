//! What Tab offers, and when Enter means a new line.

use std::collections::BTreeSet;

use rustyline::{
    Context, Helper,
    completion::{Completer, FilenameCompleter, Pair},
    highlight::Highlighter,
    hint::Hinter,
    validate::{ValidationContext, ValidationResult, Validator},
};
use weir_cel::functions;

use super::{command::COMMANDS, scan, session::Session};

/// The words of the language that are no functions.
const WORDS: [&str; 4] = ["true", "false", "null", "in"];

/// Knows the names that may stand where the cursor is.
#[derive(Debug)]
pub(super) struct Assistant {
    names: BTreeSet<String>,
    globals: BTreeSet<&'static str>,
    methods: BTreeSet<&'static str>,
}

impl Default for Assistant {
    fn default() -> Self {
        let named = |method: bool| functions().filter(move |form| form.is_method() == method).map(|form| form.name());
        Self { names: BTreeSet::new(), globals: named(false).collect(), methods: named(true).collect() }
    }
}

/// A completion: where it begins, and what it may be, as shown and as written.
type Offer = (usize, Vec<(String, String)>);

impl Assistant {
    /// Takes over the names of the session as they are now.
    pub(super) fn learn(&mut self, session: &Session) {
        self.names = session.names().map(str::to_owned).collect();
    }

    fn offer(&self, line: &str, at: usize) -> Offer {
        let before = line.get(..at).unwrap_or_default();
        if before.starts_with(':') && !before.contains(char::is_whitespace) {
            let commands = COMMANDS.iter().filter(|(name, ..)| name.starts_with(before));
            return (0, commands.map(|(name, ..)| ((*name).to_owned(), format!("{name} "))).collect());
        }
        let inside = scan::open(before);
        if inside.quoted || inside.long_text {
            return (at, Vec::new());
        }
        let start = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.').len();
        let (outside, word) = before.split_at(start);
        let function = |name: &&'static str| ((*name).to_owned() + "()", format!("{name}("));
        if let Some((target, part)) = word.rsplit_once('.') {
            let of_value = target.is_empty() && outside.ends_with([')', ']', '}', '"', '\'']);
            let within = self.names.iter().any(|name| name.starts_with(word)) && !self.names.contains(target);
            if of_value || (!within && !self.globals.iter().any(|name| name.starts_with(word))) {
                let methods = self.methods.iter().filter(|name| name.starts_with(part));
                return (at - part.len(), methods.map(function).collect());
            }
        }
        let names = self.names.iter().map(String::as_str).chain(WORDS).filter(|name| name.starts_with(word));
        let mut all: Vec<(String, String)> = names.map(|name| (name.to_owned(), name.to_owned())).collect();
        all.extend(self.globals.iter().filter(|name| name.starts_with(word)).map(function));
        (start, all)
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        if line.starts_with(":input ") {
            return FilenameCompleter::new().complete_path(line, at);
        }
        let (start, offers) = self.offer(line, at);
        let pairs = offers.into_iter().map(|(display, replacement)| Pair { display, replacement });
        Ok((start, pairs.collect()))
    }
}

impl Validator for Assistant {
    fn validate(&self, line: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        // Enter adds the line break that a script would have.
        let whole = !scan::goes_on(&format!("{}\n", line.input()));
        Ok(if whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Assistant {
    type Hint = String;
}

impl Highlighter for Assistant {}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(line: &str) -> (String, Vec<String>) {
        let names = ["request.method", "request.path", "request.headers", "limit"].map(str::to_owned).into();
        let assistant = Assistant { names, ..Assistant::default() };
        let (start, offers) = assistant.offer(line, line.len());
        (line[..start].to_owned(), offers.into_iter().map(|(_, written)| written).collect())
    }

    #[test]
    fn what_may_stand_there_is_offered() {
        for (line, kept, expected) in [
            ("request.m", "", &["request.method"][..]),
            ("1 == lim", "1 == ", &["limit"]),
            ("request.path.startsW", "request.path.", &["startsWith("]),
            ("[1].exists_", "[1].", &["exists_one("]),
            ("g.lowerA", "g.", &["lowerAscii("]),
            ("\"a\".lowerA", "\"a\".", &["lowerAscii("]),
            ("optional.n", "", &["optional.none("]),
            ("cel.bi", "", &["cel.bind("]),
            ("tru", "", &["true"]),
            (":ty", "", &[":type "]),
            (":type request.m", ":type ", &["request.method"]),
            ("\"request.m", "\"request.m", &[]),
            ("1 // request.m", "1 // request.m", &[]),
        ] {
            let (before, offers) = offered(line);
            assert_eq!(
                (before.as_str(), offers),
                (kept, expected.iter().map(|offer| (*offer).to_owned()).collect()),
                "{line}"
            );
        }
    }
}
