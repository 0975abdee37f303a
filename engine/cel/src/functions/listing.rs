//! The functions and macros of the language as a list, for people who look for one.

use std::fmt;

use super::{Function, LIBRARIES, docs::DOCS};

/// One form of a function or macro. It displays as `string.startsWith(string) -> bool`; capital letters stand for any
/// type, one throughout the form.
#[derive(Clone, Copy, Debug)]
pub struct Signature(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Function(&'static Function),
    Macro(&'static Macro),
}

/// How a macro is called.
#[derive(Debug)]
struct Macro {
    name: &'static str,
    method: bool,
    text: &'static str,
}

const fn global(name: &'static str, text: &'static str) -> Macro {
    Macro { name, method: false, text }
}

const fn method(name: &'static str, text: &'static str) -> Macro {
    Macro { name, method: true, text }
}

static MACROS: [Macro; 23] = [
    global("has", "has(a.b) -> bool"),
    method("all", "list(A).all(x, bool) -> bool"),
    method("all", "map(A, B).all(k, v, bool) -> bool"),
    method("exists", "list(A).exists(x, bool) -> bool"),
    method("exists", "map(A, B).exists(k, v, bool) -> bool"),
    method("exists_one", "list(A).exists_one(x, bool) -> bool"),
    method("exists_one", "map(A, B).exists_one(k, v, bool) -> bool"),
    method("existsOne", "list(A).existsOne(x, bool) -> bool"),
    method("existsOne", "map(A, B).existsOne(k, v, bool) -> bool"),
    method("filter", "list(A).filter(x, bool) -> list(A)"),
    method("map", "list(A).map(x, B) -> list(B)"),
    method("map", "list(A).map(x, bool, B) -> list(B)"),
    method("transformList", "list(A).transformList(i, x, B) -> list(B)"),
    method("transformList", "list(A).transformList(i, x, bool, B) -> list(B)"),
    method("transformMap", "map(A, B).transformMap(k, v, C) -> map(A, C)"),
    method("transformMap", "map(A, B).transformMap(k, v, bool, C) -> map(A, C)"),
    method("transformMapEntry", "map(A, B).transformMapEntry(k, v, map(C, D)) -> map(C, D)"),
    method("transformMapEntry", "map(A, B).transformMapEntry(k, v, bool, map(C, D)) -> map(C, D)"),
    method("optMap", "optional(A).optMap(x, B) -> optional(B)"),
    method("optFlatMap", "optional(A).optFlatMap(x, optional(B)) -> optional(B)"),
    method("sortBy", "list(A).sortBy(x, comparable) -> list(A)"),
    global("cel.bind", "cel.bind(x, A, B) -> B"),
    global("cel.block", "cel.block([A, ...], B) -> B"),
];

/// Every form of every function and macro that [`crate::Env::compile`] knows without a declaration, sorted by name.
/// Operators are not among them.
///
#[doc = include_str!("../../FUNCTIONS.md")]
pub fn functions() -> impl Iterator<Item = Signature> {
    let macros = MACROS.iter().map(Kind::Macro);
    let functions = LIBRARIES.iter().copied().flatten().map(Kind::Function);
    let mut all: Vec<Signature> = macros.chain(functions).map(Signature).collect();
    all.sort_by_cached_key(|form| (form.name(), form.is_method(), !form.is_macro(), form.to_string()));
    all.into_iter()
}

impl Signature {
    /// The name, such as `startsWith` or `optional.of`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.0 {
            Kind::Function(function) => function.name,
            Kind::Macro(form) => form.name,
        }
    }

    /// Whether it is called on something: `target.name(...)`.
    #[must_use]
    pub fn is_method(&self) -> bool {
        match self.0 {
            Kind::Function(function) => function.method,
            Kind::Macro(form) => form.method,
        }
    }

    /// What it does, in a sentence; that of all forms of its name.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        let found = DOCS.binary_search_by_key(&(self.name(), self.is_method()), |(name, method, _)| (name, *method));
        found.ok().and_then(|at| DOCS.get(at)).map_or("", |(_, _, doc)| doc)
    }

    /// Whether it is a macro: its arguments are expressions, not values.
    #[must_use]
    pub fn is_macro(&self) -> bool {
        matches!(self.0, Kind::Macro(_))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = match self.0 {
            Kind::Function(function) => function,
            Kind::Macro(form) => return f.write_str(form.text),
        };
        let mut params = function.params.iter();
        if function.method
            && let Some(target) = params.next()
        {
            write!(f, "{target}.")?;
        }
        write!(f, "{}(", function.name)?;
        for (index, param) in params.enumerate() {
            write!(f, "{}{param}", if index > 0 { ", " } else { "" })?;
        }
        write!(f, ") -> {}", function.result)
    }
}
