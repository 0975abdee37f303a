//! Macros: one function for one of `run::folds`.

use super::{
    Estimator,
    bounds::{Bounds, Spend},
    charges::{self, list_bytes},
    extent::Extent,
    rounds::{Round, Rounds},
    values::Estimated,
};
use crate::{
    ast::Fold,
    functions::ordering,
    plan::{FoldPlan, FoldTest},
};

impl Estimator<'_> {
    #[inline(never)]
    pub(super) fn fold_test(&mut self, fold: &FoldTest) -> Spend {
        let (range, of) = self.plan(&fold.range);
        let (listing, entering) = going_through(&of, fold.two);
        let each = Spend::steps(Bounds::exactly(fold.cost as u64)) + entering;
        // The first round may decide, and what fails in a body may be absorbed.
        let all = self.rounds(&of, fold.two, |estimator, _| Round {
            spend: (each + estimator.test(&fold.body)).perhaps(),
            gives: Extent::scalar(),
        });
        self.note(fold.at, listing + each.perhaps().times(Bounds::at_most(of.count().max)));
        range + listing.perhaps() + all.spend.perhaps()
    }

    #[inline(never)]
    pub(super) fn fold(&mut self, fold: &FoldPlan) -> Estimated {
        let (range, of) = self.plan(&fold.range);
        let (listing, entering) = going_through(&of, fold.two);
        let each = Spend::steps(Bounds::exactly(fold.cost as u64)) + entering;
        let Rounds { spend: all, gives: element, mut bytes } = self.rounds(&of, fold.two, |estimator, item| {
            let (body, gives) = estimator.round_of(fold, item);
            Round { spend: each + body, gives }
        });
        if fold.fold == Fold::Filter {
            bytes = bytes.min(of.whole().bytes);
        }
        let own = listing + each.times(of.count());
        self.note(fold.at, own);
        let kept = if fold.filter.is_some() { Bounds::at_most(of.count().max) } else { of.count() };
        let key = element.clone();
        let gives = match fold.fold {
            Fold::TransformMap => Extent::map(kept, if of.may_be_map() { of.key() } else { Extent::scalar() }, element),
            Fold::TransformMapEntry => {
                let len = Bounds::at_most(kept.max).times(Bounds::at_most(element.len().max));
                Extent::map(len, element.key(), element.element())
            }
            Fold::SortBy => Extent::list(kept, of.item()).of_bytes(of.whole().bytes),
            _ => Extent::list(kept, element).of_bytes(bytes),
        };
        let sorting =
            if fold.fold == Fold::SortBy { ordering(&Extent::list(kept, key.clone()), &key) } else { Spend::default() };
        (range + listing + all + sorting, self.made(fold.at, gives))
    }

    /// What becomes of one item, and what adding it to the result takes.
    fn round_of(&mut self, fold: &FoldPlan, item: &Extent) -> Estimated {
        let filter = fold.filter.as_ref().map(|filter| self.test(filter));
        let (body, value) = match fold.fold {
            Fold::Filter => (Spend::default(), item.clone()),
            _ => self.plan(&fold.body),
        };
        let adding = match fold.fold {
            Fold::TransformMap => charges::entry(item),
            Fold::TransformMapEntry => {
                let key = value.key();
                let one = charges::entry(&key) + charges::search(&value, &key) + charges::found(&value);
                charges::keys(&value) + one.perhaps().times(Bounds::at_most(value.count().max))
            }
            Fold::SortBy => Spend::grow(list_bytes(Bounds::exactly(4))),
            _ => Spend::grow(list_bytes(Bounds::exactly(2))),
        };
        let kept = body + adding;
        match filter {
            Some(filter) => (filter + kept.perhaps(), value),
            None => (kept, value),
        }
    }
}

/// What listing the keys takes, and what entering a round does.
fn going_through(of: &Extent, two: bool) -> (Spend, Spend) {
    if !of.may_be_map() {
        return (Spend::default(), Spend::default());
    }
    let entering = if two { charges::search(of, &of.key()) + charges::found(of) } else { Spend::default() };
    let listing = charges::keys(of);
    if of.is_any() { (listing.perhaps(), entering.perhaps()) } else { (listing, entering) }
}
