//! Tests: one arm for one of `run::truth`.

use super::{
    Estimator,
    bounds::{Bounds, Spend},
    charges,
    extent::Extent,
};
use crate::{
    functions::finding,
    plan::{Int, Pair, Part, Test, Text},
};

impl Estimator<'_> {
    pub(super) fn test(&mut self, test: &Test) -> Spend {
        match test {
            Test::Const(_) | Test::HasAttribute(_) => Spend::default(),
            // Any of them may decide, or fail and be absorbed.
            Test::Every(terms) | Test::Any(terms) | Test::InOrder { terms, .. } => {
                terms.iter().fold(Spend::default(), |all, term| all + self.test(term)).perhaps()
            }
            // The index leaves terms out that are false.
            Test::Choice(choice) => {
                choice.terms.iter().fold(Spend::default(), |all, term| all + self.test(term)).perhaps()
            }
            Test::Not(test) => self.test(test),
            Test::Is { text, .. } | Test::TextIn { text, .. } => self.text(text).0,
            Test::Has { part, text, at, .. } => {
                let (spend, len) = self.text(text);
                if matches!(part, Part::Anywhere) { spend + self.note(*at, Spend::read(len)) } else { spend }
            }
            Test::Same { left, right, at, .. } => {
                let ((one, a), (other, b)) = (self.text(left), self.text(right));
                one + other + self.note(*at, Spend::read(Bounds::at_most(a.max.min(b.max))))
            }
            Test::Part { part, text, of, at } => {
                let ((one, a), (other, b)) = (self.text(text), self.text(of));
                let read = if matches!(part, Part::Anywhere) { a } else { Bounds::at_most(a.max.min(b.max)) };
                one + other + self.note(*at, Spend::read(read))
            }
            Test::Matches { text, pattern, at } => {
                let (spend, len) = self.text(text);
                spend + self.note(*at, Spend::read(len.times(Bounds::exactly(pattern.weight as u64))))
            }
            Test::Numbers { left, right, .. } => self.int(left) + self.int(right),
            Test::Equal(pair, _) => {
                let (spend, a, b) = self.pair(pair);
                spend + self.note(pair.at, charges::equality(&a, &b))
            }
            Test::Order(pair, _) => {
                let (spend, a, b) = self.pair(pair);
                spend + self.note(pair.at, Spend::read(Bounds::at_most(a.len().max.min(b.len().max))))
            }
            Test::In(pair) => self.member(pair),
            Test::HasKey { key, .. } => self.has_key(key),
            Test::HasLazy(index, at) => {
                self.lazy(*index, *at);
                Spend::default()
            }
            Test::HasField(pair) => {
                let (spend, of, field) = self.pair(pair);
                let of = innermost(of);
                spend + self.note(pair.at, charges::search(&of, &field).perhaps())
            }
            Test::Fold(fold) => self.fold_test(fold),
            Test::Value(plan, _) => self.plan(plan).0,
        }
    }

    fn pair(&mut self, pair: &Pair) -> (Spend, Extent, Extent) {
        let ((left, a), (right, b)) = (self.plan(&pair.left), self.plan(&pair.right));
        (left + right, a, b)
    }

    #[inline(never)]
    fn member(&mut self, pair: &Pair) -> Spend {
        let (spend, element, of) = self.pair(pair);
        let (list, map) = (finding(&of, &element), charges::search(&of, &element));
        let own = match (of.may_be_list(), of.may_be_map()) {
            (true, true) => list.or(map),
            (true, false) => list,
            (false, true) => map,
            (false, false) => Spend::default(),
        };
        spend + self.note(pair.at, own.perhaps())
    }

    /// What a text takes, and its length.
    fn text(&mut self, text: &Text) -> (Spend, Bounds) {
        match text {
            Text::Const(text) => (Spend::default(), Bounds::exactly(text.len() as u64)),
            Text::Attribute(slot, _) => (Spend::default(), self.attribute(*slot).len()),
            Text::Key(key) => {
                let (spend, value) = self.key(key);
                (spend, value.len())
            }
            Text::Local(index, _) => (Spend::default(), self.local(*index).len()),
            Text::Value(plan, _) => {
                let (spend, value) = self.plan(plan);
                (spend, value.len())
            }
        }
    }

    fn int(&mut self, int: &Int) -> Spend {
        match int {
            Int::Const(_) | Int::Attribute(..) => Spend::default(),
            Int::Value(plan, _) => self.plan(plan).0,
        }
    }
}

/// What is in an optional, and in that one.
fn innermost(mut of: Extent) -> Extent {
    while let Some(held) = of.held() {
        of = held;
    }
    of
}
