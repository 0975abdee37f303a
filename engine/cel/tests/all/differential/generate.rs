//! Seeded expressions of a wanted type, over a handful of variables.

use super::forms::{forms, leaves};

/// xorshift64*: a seed is a test case.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % count
    }

    pub(crate) fn pick<'t, T>(&mut self, choices: &'t [T]) -> &'t T {
        let index = self.below(choices.len());
        &choices[index]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Ints,
    Texts,
    Map,
    Time,
    Span,
    Nested,
    /// An optional int.
    Optional,
}

/// What can be compared as a result.
pub(crate) const ALL: [Wanted; 12] = [
    Wanted::Bool,
    Wanted::Int,
    Wanted::Uint,
    Wanted::Double,
    Wanted::Text,
    Wanted::Bytes,
    Wanted::Ints,
    Wanted::Texts,
    Wanted::Map,
    Wanted::Time,
    Wanted::Span,
    Wanted::Nested,
];

/// Replaces each `{I}`, `{S}` and so on of a form by an expression of that type.
fn fill(form: &str, random: &mut Random, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = form;
    while let Some(open) = rest.find('<') {
        // `<X>` is a hole when X is one capital letter.
        let letter = rest.as_bytes().get(open + 1).copied().unwrap_or(0);
        let hole = rest.as_bytes().get(open + 2) == Some(&b'>');
        let wanted = match letter {
            b'B' if hole => Wanted::Bool,
            b'I' if hole => Wanted::Int,
            b'U' if hole => Wanted::Uint,
            b'D' if hole => Wanted::Double,
            b'S' if hole => Wanted::Text,
            b'Y' if hole => Wanted::Bytes,
            b'L' if hole => Wanted::Ints,
            b'T' if hole => Wanted::Texts,
            b'M' if hole => Wanted::Map,
            b'W' if hole => Wanted::Time,
            b'P' if hole => Wanted::Span,
            b'N' if hole => Wanted::Nested,
            b'O' if hole => Wanted::Optional,
            _ => {
                out.push_str(&rest[..=open]);
                rest = &rest[open + 1..];
                continue;
            }
        };
        out.push_str(&rest[..open]);
        out.push_str(&expression(wanted, random, depth));
        rest = &rest[open + 3..];
    }
    out + rest
}

pub(crate) fn expression(wanted: Wanted, random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.below(5) == 0 {
        return (*random.pick(leaves(wanted))).to_owned();
    }
    let form = *random.pick(forms(wanted));
    fill(form, random, depth - 1)
}
