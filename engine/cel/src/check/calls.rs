//! Calls: which form of which function.

use super::{Checker, Meaning, suggest};
use crate::{
    ast::{Kind, NodeId},
    error::Error,
    functions::{self, Function, Native},
    limits::REGEX_MAX,
    run::Budget,
    types::Type,
    value::Value,
};

impl Checker<'_> {
    pub(super) fn call(&mut self, id: NodeId) -> Type {
        let Kind::Call { function, target, args } = self.ast.kind(id) else { return Type::Dyn };
        let (name, target, args) = (self.ast.text(*function).to_owned(), *target, args.clone());
        if let Some(target) = target
            && let Some(qualified) = self.qualified(target, &name)
        {
            let forms = functions::forms(&qualified, false);
            return self.resolve(id, &qualified, forms, &args, true);
        }
        let forms = functions::forms(&name, target.is_some());
        let all: Vec<NodeId> = target.into_iter().chain(args.iter().copied()).collect();
        if forms.is_empty() {
            let error = unknown(&name, target.is_some(), self.span(id));
            self.mismatch(error);
            for arg in all {
                self.check(arg);
            }
            self.set_meaning(id, Meaning::Undeclared);
            return Type::Dyn;
        }
        let ty = self.resolve(id, &name, forms, &all, false);
        self.literals(id, &name, &all);
        ty
    }

    /// The name of a function whose name has dots, such as `optional.of`.
    fn qualified(&self, target: NodeId, name: &str) -> Option<String> {
        let (head, _) = self.ast.dotted(target)?;
        let first = head.split('.').next().unwrap_or_default();
        if self.local(first).is_some() {
            return None;
        }
        let qualified = format!("{head}.{name}");
        (!functions::forms(&qualified, false).is_empty()).then_some(qualified)
    }

    fn resolve(
        &mut self,
        id: NodeId,
        name: &str,
        forms: &'static [&'static Function],
        args: &[NodeId],
        qualified: bool,
    ) -> Type {
        let types: Vec<Type> = args.iter().map(|arg| self.check(*arg)).collect();
        if let Some(form) = forms.first() {
            self.set_meaning(id, if qualified { Meaning::Qualified(form.run) } else { Meaning::Function(form.run) });
        }
        let mut result: Option<Type> = None;
        for form in forms.iter().filter(|form| form.params.len() == types.len()) {
            let mut letters = Default::default();
            if form.params.iter().zip(&types).all(|(param, ty)| param.takes(ty, &mut letters)) {
                let gives = form.result.result(&letters);
                result = Some(result.map_or(gives.clone(), |earlier| earlier.join(&gives)));
            }
        }
        result.unwrap_or_else(|| {
            let error = Error::new(self.span(id), format!("`{name}` does not take {}", listed(&types)));
            self.mismatch(error.help(format!("it takes {}", shown(forms))))
        })
    }

    /// Refuses arguments that are written in place and cannot be what they are for.
    fn literals(&mut self, id: NodeId, name: &str, args: &[NodeId]) {
        let Some(text) = args.last().and_then(|arg| self.ast.constant_text(*arg)).cloned() else { return };
        let span = args.last().map_or(0..0, |arg| self.span(*arg));
        match (name, args.len()) {
            ("matches", 2) => match functions::compile_pattern(&text, REGEX_MAX) {
                Ok(pattern) => {
                    self.patterns.insert(id, pattern);
                }
                Err(error) => {
                    self.mismatch(bad_pattern(&error, span));
                }
            },
            ("duration", 1) => self.literal(args, name, span, "a duration", "such as \"1h30m\", \"1.5s\" or \"100ms\""),
            ("timestamp", 1) => self.literal(args, name, span, "a timestamp", "such as \"2030-01-31T23:59:00Z\""),
            ("ip", 1) => self.literal(args, name, span, "an IP address", "such as \"10.0.0.1\" or \"2001:db8::1\""),
            ("cidr", 1) => self.literal(args, name, span, "an address range", "such as \"10.0.0.0/8\""),
            ("containsIP", 2) => self.literal(args, "ip", span, "an IP address", "such as \"10.0.0.1\""),
            ("containsCIDR", 2) => self.literal(args, "cidr", span, "an address range", "such as \"10.0.0.0/8\""),
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
}

fn bad_pattern(error: &regex::Error, span: std::ops::Range<usize>) -> Error {
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

fn unknown(name: &str, method: bool, span: std::ops::Range<usize>) -> Error {
    let error = Error::new(span, format!("there is no function `{name}`"));
    if !functions::forms(name, !method).is_empty() {
        let form = if method { format!("call it as {name}(...)") } else { format!("call it as value.{name}(...)") };
        return Error { message: format!("`{name}` is not called like this"), ..error }.help(form);
    }
    match suggest::closest(name, functions::names(method).chain(MACROS.into_iter().filter(|_| method))) {
        Some(close) => error.help(format!("did you mean `{close}`?")),
        None => error,
    }
}

/// Macros, which are called like methods.
const MACROS: [&str; 5] = ["all", "exists", "exists_one", "filter", "map"];

fn listed(types: &[Type]) -> String {
    let names: Vec<String> = types.iter().map(Type::to_string).collect();
    format!("({})", names.join(", "))
}

fn shown(forms: &[&Function]) -> String {
    let forms: Vec<String> = forms
        .iter()
        .take(6)
        .map(|form| {
            let params: Vec<String> = form.params.iter().map(ToString::to_string).collect();
            match (form.method, params.split_first()) {
                (true, Some((target, rest))) => format!("{target}.{}({})", form.name, rest.join(", ")),
                _ => format!("{}({})", form.name, params.join(", ")),
            }
        })
        .collect();
    forms.join(" or ")
}
