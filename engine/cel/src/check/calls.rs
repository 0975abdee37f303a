//! Calls: which form of which function.

use std::sync::Arc;

use super::{Checker, Meaning, suggest};
use crate::{
    ast::{Kind, NodeId},
    declare::Declared,
    env::Names,
    error::Error,
    functions::{self, Function, Native},
    types::Type,
};

impl Checker<'_> {
    pub(super) fn call(&mut self, id: NodeId) -> Type {
        let Kind::Call { function, target, args } = self.ast.kind(id) else { return Type::Dyn };
        let (name, target, args) = (self.ast.text(*function).to_owned(), *target, args.clone());
        if let Some(target) = target
            && let Some((qualified, found)) = self.qualified(target, &name)
        {
            let ty = self.resolve(id, &qualified, &found, &args, true);
            self.literals(id, &qualified, &args);
            return ty;
        }
        let found = self.named(&name, target.is_some(), false);
        let all: Vec<NodeId> = target.into_iter().chain(args.iter().copied()).collect();
        if found.is_empty() {
            if let Some(target) = target
                && let Some(error) = self.misspelled(id, target, &name)
            {
                self.mismatch(error);
                args.iter().for_each(|arg| drop(self.check(*arg)));
                self.set_meaning(id, Meaning::Undeclared);
                return Type::Dyn;
            }
            let error = unknown(self.names, &name, target.is_some(), self.span(id));
            self.mismatch(error);
            for arg in all {
                self.check(arg);
            }
            self.set_meaning(id, Meaning::Undeclared);
            return Type::Dyn;
        }
        let ty = self.resolve(id, &name, &found, &all, false);
        self.literals(id, &name, &all);
        ty
    }

    fn named(&self, name: &str, method: bool, rooted: bool) -> Found {
        Found { forms: functions::forms(name, method), declared: self.names.function(name, method, rooted) }
    }

    /// A function whose name has dots, such as `optional.of`.
    fn qualified(&self, target: NodeId, name: &str) -> Option<(String, Found)> {
        let (head, rooted) = self.ast.dotted(target)?;
        let first = head.split('.').next().unwrap_or_default();
        if self.local(first).is_some() {
            return None;
        }
        let qualified = format!("{head}.{name}");
        let found = self.named(&qualified, false, rooted);
        (!found.is_empty()).then_some((qualified, found))
    }

    /// The error of a call that is nearly one of a function whose name has dots.
    fn misspelled(&self, id: NodeId, target: NodeId, name: &str) -> Option<Error> {
        let (head, _) = self.ast.dotted(target)?;
        let first = head.split('.').next().unwrap_or_default();
        if self.local(first).is_some() || self.names.resolve(&head, false).is_some() {
            return None;
        }
        let qualified = format!("{head}.{name}");
        let known = functions::names(false).map(|name| -> &str { name });
        let close = suggest::closest(&qualified, known.chain(self.names.functions(false)).filter(|n| n.contains('.')))?;
        let error = Error::new(self.span(id), format!("there is no function `{qualified}`"));
        Some(error.help(format!("did you mean `{close}`?")))
    }

    fn resolve(&mut self, id: NodeId, name: &str, found: &Found, args: &[NodeId], qualified: bool) -> Type {
        let types: Vec<Type> = args.iter().map(|arg| self.check(*arg)).collect();
        let (mut native, mut result): (Option<Native>, Option<Type>) = (None, None);
        for form in found.forms {
            if let Some(gives) = form.applied(&types) {
                native.get_or_insert(form.run);
                result = Some(result.map_or(gives.clone(), |earlier| earlier.join(&gives)));
            }
        }
        let native = native.or(found.forms.first().map(|form| form.run));
        match (&found.declared, native) {
            (Some(declared), _) => {
                let index = self.functions.len() as u32;
                self.functions.push((declared.clone(), native));
                self.set_meaning(id, Meaning::Declared { index, qualified });
            }
            (None, Some(run)) if qualified => self.set_meaning(id, Meaning::Qualified(run)),
            (None, Some(run)) => self.set_meaning(id, Meaning::Function(run)),
            (None, None) => {}
        }
        for overload in found.declared.iter().flat_map(|declared| &declared.overloads) {
            if let Some(gives) = overload.applied(&types) {
                result = Some(result.map_or(gives.clone(), |earlier| earlier.join(&gives)));
            }
        }
        result.unwrap_or_else(|| {
            let error = Error::new(self.span(id), format!("`{name}` does not take {}", listed(&types)));
            self.mismatch(error.help(format!("it takes {}", found.shown(name))))
        })
    }
}

fn unknown(names: &Names, name: &str, method: bool, span: std::ops::Range<usize>) -> Error {
    let error = Error::new(span, format!("there is no function `{name}`"));
    if !functions::forms(name, !method).is_empty() || names.function(name, !method, false).is_some() {
        let form = if method { format!("call it as {name}(...)") } else { format!("call it as value.{name}(...)") };
        return Error { message: format!("`{name}` is not called like this"), ..error }.help(form);
    }
    let macros = MACROS.iter().filter(|_| method).map(|name| -> &str { name });
    let known: Vec<&str> =
        names.functions(method).chain(functions::names(method).map(|name| -> &str { name })).collect();
    match suggest::closest(name, known.into_iter().chain(macros)) {
        Some(close) => error.help(format!("did you mean `{close}`?")),
        None => error,
    }
}

/// The forms of a function: the language's own, and those that the host declared.
struct Found {
    forms: &'static [&'static Function],
    declared: Option<Arc<Declared>>,
}

impl Found {
    fn is_empty(&self) -> bool {
        self.forms.is_empty() && self.declared.is_none()
    }

    /// Some of the forms, for people.
    fn shown(&self, name: &str) -> String {
        let own = self.forms.iter().map(|form| (form.method, texts(form.params)));
        let declared = self.declared.iter().flat_map(|declared| &declared.overloads);
        let declared = declared.map(|overload| (overload.is_method(), texts(overload.params())));
        let shown: Vec<String> = own
            .chain(declared)
            .take(6)
            .map(|(method, params)| match (method, params.split_first()) {
                (true, Some((target, rest))) => format!("{target}.{name}({})", rest.join(", ")),
                _ => format!("{name}({})", params.join(", ")),
            })
            .collect();
        shown.join(" or ")
    }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// Macros, which are called like methods.
const MACROS: [&str; 5] = ["all", "exists", "exists_one", "filter", "map"];

fn listed(types: &[Type]) -> String {
    format!("({})", texts(types).join(", "))
}
