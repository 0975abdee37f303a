//! Arguments that are written in place and cannot be what they are for.

use std::sync::Arc;

use super::Checker;
use crate::{
    ast::{Element, Kind, NodeId},
    error::Error,
    functions::{self, Native, Pattern, Piece, Pieces, Search},
    limits::{REGEX_MAX, REGEX_TOTAL_MAX},
    run::Budget,
    value::Value,
};

impl Checker<'_> {
    /// Refuses such arguments of a call; compiles the patterns among them.
    pub(super) fn literals(&mut self, id: NodeId, name: &str, args: &[NodeId]) {
        if let Some(search) = functions::search(name) {
            return self.search(id, name, search, args);
        }
        if let ("format", &[text, values]) = (name, args) {
            return self.format(text, values);
        }
        let Some(text) = args.last().and_then(|arg| self.ast.constant_text(*arg)).cloned() else { return };
        let span = args.last().map_or(0..0, |arg| self.span(*arg));
        match (name, args.len()) {
            ("matches", 2) => {
                if let Some(pattern) = self.pattern(&text, span) {
                    self.patterns.insert(id, pattern);
                }
            }
            ("duration", 1) => self.literal(args, name, span, "a duration", "such as \"1h30m\", \"1.5s\" or \"100ms\""),
            ("timestamp", 1) => self.literal(args, name, span, "a timestamp", "such as \"2030-01-31T23:59:00Z\""),
            ("ip", 1) => self.literal(args, name, span, "an IP address", "such as \"10.0.0.1\" or \"2001:db8::1\""),
            ("cidr", 1) => self.literal(args, name, span, "an address range", "such as \"10.0.0.0/8\""),
            ("containsIP", 2) => self.literal(args, "ip", span, "an IP address", "such as \"10.0.0.1\""),
            ("containsCIDR", 2) => self.literal(args, "cidr", span, "an address range", "such as \"10.0.0.0/8\""),
            ("url", 1) => self.literal(args, name, span, "a URL", "such as \"https://example.com/path\" or \"/path\""),
            ("semver", 1) => {
                self.literal(args, name, span, "a version", "such as \"1.2.3\"; semver(text, true) takes \"v1.2\" too")
            }
            ("base64.decode", 1) => self.literal(args, name, span, "base64", "such as \"aGVsbG8=\""),
            _ => {}
        }
    }

    fn literal(&mut self, args: &[NodeId], by: &str, span: std::ops::Range<usize>, what: &str, help: &str) {
        let Some(text) = args.last().and_then(|arg| self.ast.constant_text(*arg)) else { return };
        let run: Option<Native> = functions::forms(by, false).first().map(|form| form.run);
        let fails = run.is_some_and(|run| run(&[Value::text(text)], &mut Budget::unlimited()).is_err());
        if fails {
            self.mismatch(Error::new(span, format!("this is not {what}")).help(help));
        }
    }

    /// A pattern, compiled; none when it cannot be, or when there are too many.
    fn pattern(&mut self, text: &str, span: std::ops::Range<usize>) -> Option<Arc<Pattern>> {
        if self.pattern_bytes <= REGEX_TOTAL_MAX {
            match Pattern::literal(text) {
                Ok(pattern) => {
                    self.pattern_bytes += pattern.bytes();
                    if self.pattern_bytes <= REGEX_TOTAL_MAX {
                        return Some(Arc::new(pattern));
                    }
                }
                Err(error) => {
                    // Trying it took as long as if it had fitted.
                    self.pattern_bytes += if matches!(error, regex::Error::CompiledTooBig(_)) { REGEX_MAX } else { 0 };
                    self.mismatch(bad_pattern(&error, span));
                    return None;
                }
            }
        }
        let message = format!("all patterns together need more than {REGEX_TOTAL_MAX} bytes when compiled");
        self.refuse(Error::new(span, message).help("make fewer or smaller ones"));
        None
    }

    fn search(&mut self, id: NodeId, name: &str, search: Search, args: &[NodeId]) {
        let Some(at) = args.get(1).copied() else { return };
        let Some(text) = self.ast.constant_text(at).cloned() else { return };
        let Some(pattern) = self.pattern(&text, self.span(at)) else { return };
        let replacement = args.get(2).copied().and_then(|arg| self.ast.constant_text(arg));
        if let Some(misuse) = functions::misuse(name, &pattern, replacement.map(|text| &**text)) {
            let error = Error::new(self.span(id), misuse);
            let help = if name == "regex.replace" {
                "`\\1` to `\\9` are groups, `\\0` is the whole match, `\\\\` a backslash"
            } else {
                "write the others as (?:...)"
            };
            self.mismatch(error.help(help));
        }
        self.searches.insert(id, (search, pattern));
    }

    /// A format text, and the values where these are listed in place.
    fn format(&mut self, text: NodeId, values: NodeId) {
        let Some(format) = self.ast.constant_text(text).cloned() else { return };
        let listed = match self.ast.kind(values) {
            Kind::List(elements) if elements.iter().all(|element| !element.optional) => Some(elements.clone()),
            _ => None,
        };
        let mut count = 0;
        for piece in Pieces::of(&format) {
            let clause = match piece {
                Ok(Piece::Text(_)) => continue,
                Ok(Piece::Clause(clause)) => clause,
                Err(message) => {
                    let error = Error::new(self.span(text), format!("not a format: {message}"));
                    self.mismatch(
                        error.help("clauses are %s %d %f %e %b %o %x %X, %.2f for a precision, %% for a `%`"),
                    );
                    return;
                }
            };
            let verb = clause.verb;
            let element: Option<Element> = listed.as_ref().and_then(|listed| listed.get(count)).copied();
            count += 1;
            match (element, &listed) {
                (Some(element), _) => {
                    let ty = self.types.get(element.value.index()).cloned().unwrap_or(crate::types::Type::Dyn);
                    if !verb.takes(&ty) {
                        let message = format!("`%{}` does not take {ty}", verb.letter());
                        let error = Error::new(self.span(element.value), message);
                        self.mismatch(error.help(format!("it takes {}", verb.wants())));
                    }
                }
                (None, Some(listed)) => {
                    let message = format!("clause {count} of the format has no value: there are {}", listed.len());
                    self.mismatch(Error::new(self.span(values), message));
                    return;
                }
                (None, None) => {}
            }
        }
        if let Some(extra) = listed.as_ref().and_then(|listed| listed.get(count)) {
            let message = format!("the format has {count} clauses, so that nothing takes this value");
            self.mismatch(Error::new(self.span(extra.value), message).help("write `%s` where it is to stand"));
        }
    }
}

pub(crate) fn bad_pattern(error: &regex::Error, span: std::ops::Range<usize>) -> Error {
    if let regex::Error::CompiledTooBig(limit) = error {
        return Error::new(span, format!("the pattern needs more than {limit} bytes when compiled"))
            .help("make its repetitions and classes smaller");
    }
    // The last line of the library's text says what is wrong; those before show the pattern.
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
    Error::new(span, format!("not a regular expression: {reason}"))
        .help("RE2 syntax: no look-around, no back-references")
}
