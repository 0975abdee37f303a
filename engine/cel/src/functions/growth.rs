//! What calls of functions cost and how large what they give can be: what the estimate knows of them.

use crate::cost::{Bounds, Extent, Spend};

/// What a call of a function takes from the budget at most, and how large what it gives can be. It stands in the row of
/// the function, because it says what the code of the function charges.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Growth {
    /// Nothing is known: it may take everything.
    Unknown,
    /// It takes nothing that is charged, and gives a value of a fixed size.
    Fixed,
    /// It reads its texts once, and gives a value of a fixed size.
    Reads,
    /// It reads its texts once, and makes a text of at most that many bytes.
    Prints(u64),
    /// It reads its texts once, and makes a text: so many bytes for each byte of the first, and so many more.
    Copies(u64, u64),
    /// It gives its first argument.
    Same,
    /// It makes an optional of its first argument.
    Wraps,
    /// It gives what is in an optional, or its second argument.
    Unwraps,
    /// Anything else.
    By(fn(&[Extent]) -> Effect),
}

/// What a call takes, and what it gives.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub(crate) spend: Spend,
    pub(crate) gives: Extent,
}

impl Effect {
    pub(crate) fn unknown() -> Self {
        let everything = crate::cost::Whole { parts: u64::MAX, bytes: u64::MAX, counting: u64::MAX };
        Self { spend: Spend::ANYTHING, gives: Extent::any(everything) }
    }

    /// One or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { spend: self.spend.or(other.spend), gives: self.gives.or(&other.gives) }
    }
}

impl Growth {
    /// What a call with arguments of that size takes and gives.
    pub(crate) fn effect(self, args: &[Extent]) -> Effect {
        let fixed = |gives: Extent| Effect { spend: Spend::default(), gives };
        let first = || args.first().cloned().unwrap_or_else(Extent::scalar);
        match self {
            Self::Unknown => Effect::unknown(),
            Self::Fixed => fixed(Extent::scalar()),
            Self::Reads => Effect { spend: reading(args), gives: Extent::scalar() },
            Self::Prints(bytes) => makes(args, Bounds::at_most(bytes)),
            Self::Copies(times, plus) => {
                let len = first().len().times(Bounds::exactly(times)).max.saturating_add(plus);
                makes(args, Bounds::at_most(len))
            }
            Self::Same => fixed(first()),
            Self::Wraps => {
                Effect { spend: Spend::grow(Bounds::at_most(OPTIONAL_BYTES as u64)), gives: Extent::optional(first()) }
            }
            Self::Unwraps => {
                let inner = first().element();
                fixed(args.get(1).map_or_else(|| inner.clone(), |other| inner.or(other)))
            }
            Self::By(formula) => {
                let Effect { spend, gives } = formula(args);
                Effect { spend: spend.perhaps(), gives }
            }
        }
    }
}

/// The bytes that an optional takes beside what is in it.
pub(crate) const OPTIONAL_BYTES: usize = 48;

/// The steps of reading every text of the arguments once.
pub(crate) fn reading(args: &[Extent]) -> Spend {
    let texts = args.iter().filter(|arg| arg.may_be_flat());
    // One more for each, because several may be read at once, and what is left over of each makes a step together.
    texts.fold(Spend::default(), |all, text| {
        let steps = text.len().max / 64;
        all + Spend::steps(Bounds::at_most(steps.saturating_add(1)))
    })
}

/// Reads all texts, and makes one of that length.
fn makes(args: &[Extent], len: Bounds) -> Effect {
    Effect { spend: reading(args) + Spend::grow(len), gives: Extent::text(len) }
}
