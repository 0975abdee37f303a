//! Three-valued truth: what a condition is when its attribute has several readings.

/// Whether something holds: in no reading of the request, in some, or in all of them.
///
/// `and`, `or` and `not` are Kleene's, so a `not` form is mirrored by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Truth {
    /// In no reading.
    No,
    /// In some, not in all: doubt decides. It denies in a DENY rule and never allows in an ALLOW rule.
    Maybe,
    /// In all.
    Yes,
}

impl Truth {
    pub(crate) fn and(self, other: Self) -> Self {
        self.min(other)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// The opposite when `negated`.
    pub(crate) fn negated(self, negated: bool) -> Self {
        match (self, negated) {
            (Truth::Yes, true) => Truth::No,
            (Truth::No, true) => Truth::Yes,
            (truth, _) => truth,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Truth::Yes } else { Truth::No }
    }
}
