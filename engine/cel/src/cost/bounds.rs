//! Amounts that are known only from below and from above.

use std::ops::Add;

/// From so many to so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Bounds {
    pub(crate) const ZERO: Self = Self { min: 0, max: 0 };

    pub(crate) const fn exactly(amount: u64) -> Self {
        Self { min: amount, max: amount }
    }

    pub(crate) const fn at_most(max: u64) -> Self {
        Self { min: 0, max }
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self { min: self.min.saturating_mul(other.min), max: self.max.saturating_mul(other.max) }
    }

    pub(crate) fn divided(self, by: u64) -> Self {
        Self { min: self.min / by, max: self.max / by }
    }

    /// What holds for one or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }
}

impl Add for Bounds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }
}

/// What a part of an evaluation takes from its budget, as [`crate::run::Budget`] counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spend {
    pub(crate) steps: Bounds,
    pub(crate) bytes: Bounds,
}

impl Spend {
    /// What nothing is known of.
    pub(crate) const ANYTHING: Self = Self { steps: Bounds::at_most(u64::MAX), bytes: Bounds::at_most(u64::MAX) };

    pub(crate) fn steps(steps: Bounds) -> Self {
        Self { steps, bytes: Bounds::ZERO }
    }

    /// As `Budget::read`.
    pub(crate) fn read(bytes: Bounds) -> Self {
        Self::steps(bytes.divided(64))
    }

    /// As `Budget::grow`.
    pub(crate) fn grow(bytes: Bounds) -> Self {
        Self { steps: bytes.divided(64), bytes }
    }

    pub(crate) fn times(self, rounds: Bounds) -> Self {
        Self { steps: self.steps.times(rounds), bytes: self.bytes.times(rounds) }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self { steps: self.steps.or(other.steps), bytes: self.bytes.or(other.bytes) }
    }

    /// The same, which may also not happen.
    pub(crate) fn perhaps(self) -> Self {
        self.or(Self::default())
    }
}

impl Add for Spend {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { steps: self.steps + other.steps, bytes: self.bytes + other.bytes }
    }
}
