//! The rounds of a macro, where some items are larger than others.
//!
//! Of texts that are long only together, such as the pieces of one text, few can be long. What one round takes is found
//! for items of some lengths; what all take is then that of items without any length, and what the length that there is
//! can add where it adds most.

use super::{
    Estimator,
    bounds::{Bounds, Spend},
    extent::Extent,
};

/// How many macros inside of one another may have their bodies walked for several lengths.
const SPREADS_MAX: u32 = 2;

/// What a round takes, and how large what it gives is.
pub(super) struct Round {
    pub(super) spend: Spend,
    pub(super) gives: Extent,
}

/// What all rounds take, what one of them gives, and the bytes of all that they give.
pub(super) struct Rounds {
    pub(super) spend: Spend,
    pub(super) gives: Extent,
    pub(super) bytes: u64,
}

impl Estimator<'_> {
    /// Walks the body of a macro that goes through `of`, with its variables.
    pub(super) fn rounds(&mut self, of: &Extent, two: bool, walk: impl Fn(&mut Self, &Extent) -> Round) -> Rounds {
        let (len, item) = (of.count(), of.item());
        let (longest, together) = (item.len().max, of.whole().bytes);
        let texts = !of.is_any() && !of.may_be_map() && !item.is_any() && item.depth() == 0;
        if !texts || self.spreads >= SPREADS_MAX || len.max.saturating_mul(longest) / 2 <= together {
            let Round { spend, gives } = self.round(of, two, &item, len.max, &walk);
            let bytes = gives.whole().bytes.saturating_mul(len.max);
            return Rounds { spend: spend.times(len), gives, bytes };
        }
        self.spreads += 1;
        let none = self.round(of, two, &Extent::text(Bounds::ZERO), len.max, &walk);
        let (mut steps, mut bytes, mut given) = (Spread::new(together), Spread::new(together), Spread::new(together));
        let (mut shorter, mut gives) = (0, none.gives.clone());
        while shorter < longest {
            let length = longest.min((shorter * 2).max(1));
            let count = len.max.min(together / (shorter + 1));
            let round = self.round(of, two, &Extent::text(Bounds::at_most(length)), count, &walk);
            steps.add(none.spend.steps.max, round.spend.steps.max, shorter + 1);
            bytes.add(none.spend.bytes.max, round.spend.bytes.max, shorter + 1);
            given.add(none.gives.whole().bytes, round.gives.whole().bytes, shorter + 1);
            gives = gives.or(&round.gives);
            shorter = length;
        }
        self.spreads -= 1;
        let spend = none.spend.times(len);
        Rounds {
            spend: spend + Spend { steps: Bounds::at_most(steps.most()), bytes: Bounds::at_most(bytes.most()) },
            gives,
            bytes: none.gives.whole().bytes.saturating_mul(len.max).saturating_add(given.most()),
        }
    }

    /// Walks the body of a macro once, for an item that at most `count` rounds have.
    fn round(
        &mut self,
        of: &Extent,
        two: bool,
        item: &Extent,
        count: u64,
        walk: impl Fn(&mut Self, &Extent) -> Round,
    ) -> Round {
        let (outer, times) = (self.locals.len(), self.times);
        self.times = self.times.saturating_mul(count);
        if two {
            let (key, value) = match (of.is_any(), of.may_be_map()) {
                (true, _) => (of.clone(), of.clone()),
                (false, true) => (of.key(), of.element()),
                (false, false) => (Extent::number(of.count().max), item.clone()),
            };
            self.locals.extend([key, value]);
        } else {
            self.locals.push(item.clone());
        }
        let round = walk(self, item);
        self.locals.truncate(outer);
        self.times = times;
        round
    }
}

/// What so many bytes add at most, when they are spread over the items in the worst way.
struct Spread {
    together: u64,
    /// What each byte adds, in units of 2^-20, where it adds most.
    each: u128,
}

impl Spread {
    fn new(together: u64) -> Self {
        Self { together, each: 0 }
    }

    /// An item of at least that many bytes takes `most`, where one without any takes `least`.
    fn add(&mut self, least: u64, most: u64, bytes: u64) {
        let more = u128::from(most.saturating_sub(least)) << 20;
        self.each = self.each.max(more.div_ceil(u128::from(bytes.max(1))));
    }

    fn most(&self) -> u64 {
        let most = self.each.saturating_mul(u128::from(self.together)).div_ceil(1 << 20);
        u64::try_from(most).unwrap_or(u64::MAX)
    }
}
