//! A checked tree as something that runs: slots instead of names, typed paths for what policies do all day, constants
//! folded, sets hashed, patterns compiled.

mod block;
mod build;
mod fold;
mod message;
mod probe;
mod relations;
mod set;

use std::sync::Arc;

use weir_attributes::Slot;

pub(crate) use crate::functions::Pattern;
pub(crate) use build::{constant, is_headers, part, plan};
pub(crate) use fold::Folder;
pub(crate) use probe::{Probes, probed};
pub(crate) use set::TextSet;

use crate::{
    ast::{Binary, Fold},
    declare::Declared,
    error::EvalErrorKind,
    functions::{Native, Search},
    value::Value,
};

/// Where a fault is placed: the index of a node in the tree.
pub(crate) type At = u32;

/// Gives a value.
#[derive(Debug)]
pub(crate) enum Plan {
    Const(Value<'static>),
    Attribute(Slot, At),
    /// One key of a map attribute.
    Key(Key),
    Variable(u32, At),
    Lazy(u16, At),
    Local(u16),
    Test(Box<Test>),
    Index(Box<Index>),
    Call(Box<Call>),
    Declared(Box<DeclaredCall>),
    Search(Box<SearchCall>),
    Arithmetic(Box<Arithmetic>),
    Negate(Box<Plan>, At),
    List(Box<[Element]>, At),
    Map(Box<[(Plan, Element)]>, At),
    Conditional(Box<Conditional>),
    Fold(Box<FoldPlan>),
    Bind(Box<(Plan, Plan)>),
    Block(Box<BlockPlan>),
    /// A slot of a block, by its place among the macro variables, and where the slots of the block end there.
    Slot {
        place: u16,
        end: u16,
        at: At,
    },
    OptMap(Box<OptMap>),
    Otherwise(Box<Otherwise>),
    /// The first of these that is present: only variables, entries and these themselves are ever absent. CEXL's `|`.
    Default(Box<[Plan]>),
    Entry(Box<Entry>),
    Fail(EvalErrorKind, At),
    /// Tells the watch the outcome; only where an expression is planned to be explained.
    Probe(Box<Probe>),
}

#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) plan: Plan,
    pub(crate) at: At,
}

#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) slot: Slot,
    /// In lower case where the attribute is headers.
    pub(crate) key: Box<str>,
    pub(crate) optional: bool,
    pub(crate) at: At,
}

/// `operand[key]`, or `operand.key` when `select` says that only maps have it.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) operand: Plan,
    pub(crate) key: Plan,
    pub(crate) optional: bool,
    pub(crate) select: bool,
    pub(crate) at: At,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) run: Native,
    pub(crate) args: Box<[Plan]>,
    pub(crate) at: At,
}

/// A call that looks for a pattern that is compiled already; it is among the arguments all the same.
#[derive(Debug)]
pub(crate) struct SearchCall {
    pub(crate) run: Search,
    pub(crate) pattern: Arc<Pattern>,
    pub(crate) args: Box<[Plan]>,
    pub(crate) at: At,
}

/// A call of a function of the host's own; where none of its forms takes the values, of the language's of that name.
#[derive(Debug)]
pub(crate) struct DeclaredCall {
    pub(crate) function: Arc<Declared>,
    pub(crate) native: Option<Native>,
    pub(crate) args: Box<[Plan]>,
    pub(crate) at: At,
}

#[derive(Debug)]
pub(crate) struct Arithmetic {
    pub(crate) operator: Binary,
    pub(crate) left: Plan,
    pub(crate) right: Plan,
    pub(crate) at: At,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) value: Plan,
    pub(crate) optional: bool,
}

#[derive(Debug)]
pub(crate) struct Conditional {
    pub(crate) test: Test,
    pub(crate) then: Plan,
    pub(crate) other: Plan,
}

/// `map`, `filter` and the transforms.
#[derive(Debug)]
pub(crate) struct FoldPlan {
    pub(crate) fold: Fold,
    pub(crate) range: Plan,
    pub(crate) two: bool,
    pub(crate) filter: Option<Test>,
    pub(crate) body: Plan,
    /// The steps of one round.
    pub(crate) cost: usize,
    pub(crate) at: At,
}

/// `cel.block`: the slots are evaluated when they are first read.
#[derive(Debug)]
pub(crate) struct BlockPlan {
    pub(crate) slots: Box<[Plan]>,
    pub(crate) body: Plan,
}

#[derive(Debug)]
pub(crate) struct OptMap {
    pub(crate) operand: Plan,
    pub(crate) body: Plan,
    pub(crate) flat: bool,
    pub(crate) at: At,
}

/// `operand.or(other)`, and `operand.orValue(other)` when `unwrap` says so.
#[derive(Debug)]
pub(crate) struct Otherwise {
    pub(crate) operand: Plan,
    pub(crate) other: Plan,
    pub(crate) unwrap: bool,
    pub(crate) at: At,
}

/// The text at one key of a map of texts: empty where it is absent, unless `strict` makes that a fault.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) map: Plan,
    pub(crate) key: Plan,
    pub(crate) strict: bool,
    pub(crate) at: At,
}

/// Gives a truth value.
#[derive(Debug)]
pub(crate) enum Test {
    Const(bool),
    Every(Box<[Test]>),
    Any(Box<[Test]>),
    /// As the two above, but a fault before the term that decides stands.
    InOrder {
        all: bool,
        terms: Box<[Test]>,
    },
    /// A long `||` whose terms are found by what they ask for.
    Choice(Box<Choice>),
    Not(Box<Test>),
    /// Whether a text is, or is not, that one.
    Is {
        text: Text,
        constant: Box<str>,
        wanted: bool,
    },
    /// Whether two texts are the same, or differ.
    Same {
        left: Text,
        right: Text,
        wanted: bool,
        at: At,
    },
    /// Whether a text has that constant at that place.
    Has {
        part: Part,
        text: Text,
        constant: Box<str>,
        at: At,
    },
    Part {
        part: Part,
        text: Text,
        of: Text,
        at: At,
    },
    Matches {
        text: Text,
        pattern: Arc<Pattern>,
        at: At,
    },
    TextIn {
        text: Text,
        set: Box<TextSet>,
    },
    Numbers {
        operator: Binary,
        left: Int,
        right: Int,
    },
    Equal(Box<Pair>, bool),
    Order(Box<Pair>, Binary),
    In(Box<Pair>),
    HasAttribute(Slot),
    /// Whether a map attribute has a key; where the attribute itself is absent, `strict` makes it a fault.
    HasKey {
        key: Key,
        strict: bool,
    },
    HasLazy(u16, At),
    HasField(Box<Pair>),
    Fold(Box<FoldTest>),
    Value(Plan, At),
}

impl Test {
    /// The terms of a `||`.
    pub(crate) fn any(&self) -> Option<&[Self]> {
        match self {
            Self::Any(terms) => Some(terms),
            Self::Choice(choice) => Some(&choice.terms),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) terms: Box<[Test]>,
    pub(crate) index: crate::index::Index,
}

#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) left: Plan,
    pub(crate) right: Plan,
    pub(crate) at: At,
}

/// `all`, `exists` and `exists_one`.
#[derive(Debug)]
pub(crate) struct FoldTest {
    pub(crate) fold: Fold,
    pub(crate) range: Plan,
    pub(crate) two: bool,
    pub(crate) body: Test,
    /// The only variable that the body asks, when it asks for nothing but a text.
    pub(crate) only: Option<u16>,
    pub(crate) cost: usize,
    pub(crate) at: At,
}

/// Which part of a text is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Start,
    End,
    Anywhere,
}

/// Gives a text.
#[derive(Debug)]
pub(crate) enum Text {
    Const(Box<str>),
    Attribute(Slot, At),
    Key(Key),
    Local(u16, At),
    Value(Box<Plan>, At),
}

/// Gives an int.
#[derive(Debug)]
pub(crate) enum Int {
    Const(i64),
    Attribute(Slot, At),
    Value(Box<Plan>, At),
}

#[cfg(test)]
mod tests;
