//! Keys, fields and indexes: one function for one of `run::access`.

use super::{
    Estimator,
    bounds::{Bounds, Spend},
    charges,
    extent::Extent,
    values::Estimated,
};
use crate::plan::{Entry, Index, Key};

impl Estimator<'_> {
    pub(super) fn key(&mut self, key: &Key) -> Estimated {
        let map = self.attribute(key.slot);
        let own = charges::search(&map, &Extent::scalar()) + charges::found(&map);
        let (own, gives) = found(own, map.element(), key.optional);
        let own = self.note(key.at, own);
        (own, gives)
    }

    /// Whether a map attribute has a key.
    pub(super) fn has_key(&mut self, key: &Key) -> Spend {
        let own = charges::search(&self.attribute(key.slot), &Extent::scalar());
        self.note(key.at, own.perhaps())
    }

    pub(super) fn entry(&mut self, entry: &Entry) -> Estimated {
        let ((map, of), (key, with)) = (self.plan(&entry.map), self.plan(&entry.key));
        let (own, gives) = lookup(&of, &with, false);
        (map + key + own, gives.or(&Extent::text(Bounds::ZERO)))
    }

    #[inline(never)]
    pub(super) fn index(&mut self, index: &Index) -> Estimated {
        let (operand, of) = self.plan(&index.operand);
        let (key, with) = self.plan(&index.key);
        let (own, gives) = lookup(&of, &with, index.optional);
        let own = self.note(index.at, own);
        (operand + key + own, self.made(index.at, gives))
    }
}

/// `lookup`: what a key gives of a map, a place of a list, and either of what is in an optional.
fn lookup(of: &Extent, key: &Extent, optional: bool) -> Estimated {
    let Some(held) = of.held() else {
        let own = charges::search(of, key) + charges::found(of);
        // What may be anything may be an optional too.
        let (own, gives) = found(own.perhaps(), of.element(), optional || of.is_any());
        return (own, if of.is_any() && !optional { gives.or(&of.element()) } else { gives });
    };
    lookup(&held, key, true)
}

fn found(own: Spend, value: Extent, optional: bool) -> Estimated {
    if optional { (own + charges::optional().perhaps(), Extent::optional(value)) } else { (own, value) }
}
