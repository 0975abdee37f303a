//! Seeded expressions of a wanted type, over a handful of variables.

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
}

pub(crate) const ALL: [Wanted; 11] = [
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

fn leaves(wanted: Wanted) -> &'static [&'static str] {
    match wanted {
        Wanted::Bool => &["true", "false", "b", "c"],
        Wanted::Int => &["0", "1", "-1", "7", "i", "j", "9223372036854775807", "-9223372036854775808", "0x10"],
        Wanted::Uint => &["0u", "1u", "7u", "u", "18446744073709551615u"],
        Wanted::Double => &["0.0", "1.5", "-2.25", "d", "1e3", "-0.5"],
        Wanted::Text => &["''", "'a'", "'héllo'", "s", "t", "'a,b,c'", "'10'", "'true'", "r'\\d+'"],
        Wanted::Bytes => &["b''", "b'abc'", "b'\\xff\\x00'", "y"],
        Wanted::Ints => &["[]", "[1, 2, 3]", "l", "[0, -1]", "[7]"],
        Wanted::Texts => &["['a', 'b']", "ts", "['héllo']", "['', 'a']"],
        Wanted::Map => &["{'a': 1, 'b': 2}", "m", "{'x': 0}", "{'a': 7}"],
        Wanted::Time => {
            &["timestamp('2024-02-29T12:34:56.789Z')", "timestamp('1999-12-31T23:59:59-05:00')", "timestamp(0)"]
        }
        Wanted::Span => &["duration('1h30m')", "duration('-1.5s')", "duration('100ms')", "duration('0s')"],
    }
}

fn forms(wanted: Wanted) -> &'static [&'static str] {
    match wanted {
        Wanted::Bool => &[
            "(<B> && <B>)",
            "(<B> || <B>)",
            "!(<B>)",
            "(<I> == <I>)",
            "(<I> < <I>)",
            "(<I> >= <I>)",
            "(<U> == <U>)",
            "(<U> <= <U>)",
            "(<D> < <D>)",
            "(<D> != <D>)",
            "(<S> == <S>)",
            "(<S> != <S>)",
            "(<S> < <S>)",
            "(<Y> == <Y>)",
            "(<L> == <L>)",
            "(<T> == <T>)",
            "(<M> == <M>)",
            "(<I> in <L>)",
            "(<S> in <T>)",
            "(<S> in <M>)",
            "<S>.contains(<S>)",
            "<S>.startsWith(<S>)",
            "<S>.endsWith(<S>)",
            "<S>.matches('^[a-z]+$')",
            "<S>.matches('a|b')",
            "<L>.all(e, e > <I>)",
            "<L>.exists(e, e == <I>)",
            "<L>.exists_one(e, e < <I>)",
            "<T>.exists(e, e.contains(<S>))",
            "<M>.all(k, k != <S>)",
            "<M>.exists(k, k == <S>)",
            "has(<M>.a)",
            "(<B> ? <B> : <B>)",
            "bool(<S>)",
            "(<W> < <W>)",
            "(<W> == <W>)",
            "(<P> >= <P>)",
            "(dyn(<I>) == <D>)",
            "(dyn(<U>) == <I>)",
            "(<I> < <D>)",
            "(<U> > <I>)",
            "(type(<I>) == int)",
            "(type(<S>) == type(<Y>))",
            "<L>.all(e, <L>.exists(f, f == e))",
            "(dyn(<I>) in <L>)",
            "<M>.?a.hasValue()",
            "(dyn(<S>) == dyn(<I>))",
            "(<L>[0] / <I> == 1 || <B>)",
        ],
        Wanted::Int => &[
            "(<I> + <I>)",
            "(<I> - <I>)",
            "(<I> * <I>)",
            "(<I> / <I>)",
            "(<I> % <I>)",
            "-(<I>)",
            "size(<S>)",
            "size(<L>)",
            "<T>.size()",
            "size(<M>)",
            "size(<M>.map(k, k + <S>))",
            "size(<Y>)",
            "(<B> ? <I> : <I>)",
            "<L>[0]",
            "<L>[<I>]",
            "<M>['a']",
            "<M>.b",
            "int(<D>)",
            "int(<U>)",
            "int(<S>)",
            "int(<W>)",
            "<W>.getFullYear()",
            "<W>.getMonth()",
            "<W>.getDayOfYear()",
            "<W>.getHours()",
            "<W>.getDayOfWeek('+02:00')",
            "<W>.getMilliseconds()",
            "<P>.getMinutes()",
            "<P>.getSeconds()",
            "<M>.?a.orValue(<I>)",
            "<L>[?<I>].orValue(<I>)",
            "<M>[<S>]",
            "<M>[?<S>].orValue(<I>)",
        ],
        Wanted::Uint => &[
            "(<U> + <U>)",
            "(<U> - <U>)",
            "(<U> * <U>)",
            "(<U> / <U>)",
            "(<U> % <U>)",
            "uint(<I>)",
            "uint(<D>)",
            "uint(<S>)",
            "(<B> ? <U> : <U>)",
        ],
        Wanted::Double => &[
            "(<D> + <D>)",
            "(<D> - <D>)",
            "(<D> * <D>)",
            "(<D> / <D>)",
            "-(<D>)",
            "double(<I>)",
            "double(<U>)",
            "double(<S>)",
            "(<B> ? <D> : <D>)",
        ],
        Wanted::Text => &[
            "(<S> + <S>)",
            "string(<I>)",
            "string(<U>)",
            "string(<B>)",
            "string(<W>)",
            "string(<P>)",
            "string(<Y>)",
            "(<B> ? <S> : <S>)",
            "<T>[0]",
            "<T>[<I>]",
            "<S>.lowerAscii()",
            "<S>.upperAscii()",
            "<S>.trim()",
            "<T>.join(<S>)",
            "<S>.replace(<S>, <S>)",
            "<S>.substring(<I>)",
            "<S>.substring(0, <I>)",
            "<S>.charAt(<I>)",
            "<S>.split(',')[0]",
        ],
        Wanted::Bytes => &["(<Y> + <Y>)", "bytes(<S>)", "(<B> ? <Y> : <Y>)"],
        Wanted::Ints => &[
            "(<L> + <L>)",
            "<L>.map(e, e + <I>)",
            "<L>.filter(e, e > <I>)",
            "[<I>, <I>]",
            "<T>.map(e, size(e))",
            "<L>.map(e, e > 0, e * <I>)",
            "(<B> ? <L> : <L>)",
            "[<S>.indexOf(<S>), <S>.lastIndexOf(<S>)]",
        ],
        Wanted::Texts => &[
            "(<T> + <T>)",
            "<T>.map(e, e + <S>)",
            "<T>.filter(e, e != <S>)",
            "[<S>, <S>]",
            "<S>.split(',')",
            "<L>.map(e, string(e))",
        ],
        Wanted::Map => &["{<S>: <I>}", "{'a': <I>, 'b': <I>}", "(<B> ? <M> : <M>)"],
        Wanted::Time => &["(<W> + <P>)", "(<W> - <P>)", "timestamp(<I>)", "timestamp(<S>)"],
        Wanted::Span => &["(<P> + <P>)", "(<P> - <P>)", "(<W> - <W>)", "duration(<S>)"],
    }
}

pub(crate) fn expression(wanted: Wanted, random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.below(5) == 0 {
        return (*random.pick(leaves(wanted))).to_owned();
    }
    let form = *random.pick(forms(wanted));
    fill(form, random, depth - 1)
}
