//! The functions of the language: name, forms and code, one table a library.

mod convert;
mod docs;
mod encoders;
mod format;
mod growth;
mod listing;
mod lists;
mod math;
mod network;
mod numbers;
mod optional;
mod regex;
mod semver;
mod sets;
mod signature;
mod size;
mod strings;
mod times;
mod url;

use std::{collections::HashMap, sync::LazyLock};

pub(crate) use format::{Piece, Pieces, formatting};
pub(crate) use growth::{Effect, Growth, OPTIONAL_BYTES, reading};
pub use listing::{Signature, functions};
pub(crate) use lists::{ordering, sorted};
pub(crate) use numbers::{arithmetic, negate};
pub(crate) use regex::{Pattern, Search, misuse, search, sought};
pub(crate) use sets::{finding, has};
pub(crate) use signature::Shape;

use crate::{cost::Extent, error::EvalErrorKind, run::Budget, types::Type, value::Value};

/// The result of a function: its fault is placed by the caller.
pub(crate) type Outcome<'a> = Result<Value<'a>, EvalErrorKind>;

/// The code of a function. That of the first form whose types fit is taken: where types are not known it may be given
/// the values of other forms, too.
pub(crate) type Native = for<'a> fn(&[Value<'a>], &mut Budget) -> Outcome<'a>;

/// One form of a function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Called as `target.name(...)`: the target is the first parameter.
    pub(crate) method: bool,
    pub(crate) params: &'static [Shape],
    pub(crate) result: Shape,
    pub(crate) run: Native,
    pub(crate) growth: Growth,
}

impl Function {
    /// The same form, with what a call costs.
    const fn costs(mut self, growth: Growth) -> Self {
        self.growth = growth;
        self
    }
}

impl Function {
    /// Whether it may be called with values of those extents.
    pub(crate) fn may_take(&self, args: &[Extent]) -> bool {
        match self.params {
            [Shape::Many(each)] => !args.is_empty() && args.iter().all(|arg| each.may_take(arg)),
            params => params.len() == args.len() && params.iter().zip(args).all(|(param, arg)| param.may_take(arg)),
        }
    }

    /// The type that it gives for arguments of those types; none when it does not take them.
    pub(crate) fn applied(&self, types: &[Type]) -> Option<Type> {
        let mut letters = signature::Letters::default();
        let fits = match self.params {
            [Shape::Many(each)] => !types.is_empty() && types.iter().all(|ty| each.takes(ty, &mut letters)),
            params => params.len() == types.len() && params.iter().zip(types).all(|(p, ty)| p.takes(ty, &mut letters)),
        };
        fits.then(|| self.result.result(&letters))
    }
}

const fn global(name: &'static str, params: &'static [Shape], result: Shape, run: Native) -> Function {
    Function { name, method: false, params, result, run, growth: Growth::Unknown }
}

const fn method(name: &'static str, params: &'static [Shape], result: Shape, run: Native) -> Function {
    Function { name, method: true, params, result, run, growth: Growth::Unknown }
}

static LIBRARIES: [&[Function]; 15] = [
    size::FUNCTIONS,
    convert::FUNCTIONS,
    strings::FUNCTIONS,
    format::FUNCTIONS,
    regex::FUNCTIONS,
    times::FUNCTIONS,
    optional::FUNCTIONS,
    lists::FUNCTIONS,
    sets::FUNCTIONS,
    math::FUNCTIONS,
    encoders::FUNCTIONS,
    url::FUNCTIONS,
    semver::FUNCTIONS,
    network::FUNCTIONS,
    network::METHODS,
];

type Table = HashMap<&'static str, Vec<&'static Function>>;

/// Functions and methods.
static TABLES: LazyLock<(Table, Table)> = LazyLock::new(|| {
    let (mut globals, mut methods) = (Table::new(), Table::new());
    for function in LIBRARIES.iter().copied().flatten() {
        let table = if function.method { &mut methods } else { &mut globals };
        table.entry(function.name).or_default().push(function);
    }
    (globals, methods)
});

fn table(method: bool) -> &'static Table {
    if method { &TABLES.1 } else { &TABLES.0 }
}

/// Every form of that function; empty when there is none.
pub(crate) fn forms(name: &str, method: bool) -> &'static [&'static Function] {
    table(method).get(name).map_or(&[], Vec::as_slice)
}

/// The names of all functions of that style.
pub(crate) fn names(method: bool) -> impl Iterator<Item = &'static str> {
    table(method).keys().copied()
}

#[cfg(test)]
mod tests {
    use super::{Growth, LIBRARIES};

    #[test]
    fn every_function_says_what_it_costs() {
        let unknown = LIBRARIES.iter().copied().flatten().filter(|form| matches!(form.growth, Growth::Unknown));
        let names: Vec<&str> = unknown.map(|form| form.name).collect();
        assert!(names.is_empty(), "give these `.costs(...)`: {names:?}");
    }
}
