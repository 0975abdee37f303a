//! Conditions become links: any of `to`, then any of `from`, then all of `when`, each a way on or a way out.

use std::slice;

use weir_attributes::slot;

use super::{Asks, Chains, FAILS, HOLDS, How, Link, Rare, Start};
use crate::{
    condition::{Condition, Conditions, Conjunction, Subject},
    facts::Common,
    matcher::{Pattern, Patterns},
    policy::{Body, Rule},
};

/// More values of one condition than these are searched, not tried one by one.
const TRIED_MAX: usize = 8;

/// Conditions that are asked as they are must be among the first of their rule: they are counted off each time.
const COUNTED_MAX: usize = 32;

/// A test before it is known where it leads.
struct Draft {
    asks: Rare,
    how: How,
    text: Vec<u8>,
    number: u32,
}

/// A condition: it matches when one of the tests does. Never empty.
struct Step {
    tests: Vec<Draft>,
    negated: bool,
}

/// Steps that must all hold.
type Alternative = Vec<Step>;

impl Chains {
    /// The chains of those rules, and where each begins.
    pub(crate) fn new<'r>(rules: impl Iterator<Item = &'r Rule>) -> (Self, Vec<Start>) {
        let (mut links, mut texts) = (Vec::new(), Vec::new());
        let start = |rule: &Rule| {
            let Body::Conditions(conditions) = &rule.body else { return Start::NONE };
            let start = clauses(conditions).and_then(|clauses| append(clauses, &mut links, &mut texts));
            start.unwrap_or(Start::NONE)
        };
        let starts = rules.map(start).collect();
        (Self { links: links.into(), texts: texts.into() }, starts)
    }
}

/// The clauses that must all hold, each any of its alternatives; none when a condition comes too late to be counted off.
fn clauses(conditions: &Conditions) -> Option<Vec<Vec<Alternative>>> {
    let mut number = 0;
    let mut step = |condition: &Condition| {
        number += 1;
        Some(Step { tests: tests(number - 1, condition)?, negated: condition.negated })
    };
    let mut clause = |choices: Option<&[Conjunction]>| match choices {
        // No choice at all never holds; the conditions say so.
        Some([]) => None,
        Some(choices) => choices.iter().map(|all| all.iter().map(&mut step).collect()).collect(),
        None => Some(Vec::new()),
    };
    // In the order of `Conditions::all`, which counts.
    let from: Vec<Alternative> = clause(conditions.from.as_deref())?;
    let to = clause(conditions.to.as_deref())?;
    let when = clause(Some(slice::from_ref(&conditions.when)))?;
    // An alternative without steps holds, and so does its clause.
    let asks = |clause: &Vec<Alternative>| !clause.is_empty() && !clause.iter().any(Vec::is_empty);
    let clauses: Vec<_> = [to, from, when].into_iter().filter(asks).collect();
    // A chain has a link.
    let holds = || vec![vec![Step { tests: vec![Draft::of(Rare::Nothing, 0)], negated: false }]];
    Some(if clauses.is_empty() { vec![holds()] } else { clauses })
}

/// The tests of a condition; none when it comes too late to be counted off.
fn tests(number: usize, condition: &Condition) -> Option<Vec<Draft>> {
    match tried(&condition.subject) {
        Some(tests) if (1..=TRIED_MAX).contains(&tests.len()) => Some(tests),
        _ if number >= COUNTED_MAX => None,
        _ => Some(vec![Draft::of(Rare::Condition, number as u32)]),
    }
}

/// One test for each value, where values are texts or numbers.
fn tried(subject: &Subject) -> Option<Vec<Draft>> {
    let of = |asks: Rare, before: &str, patterns: &Patterns| {
        patterns.iter().map(|pattern| Draft::new(asks, before, pattern)).collect()
    };
    Some(match subject {
        Subject::Text(slot::REQUEST_METHOD, patterns) => of(Rare::Common(Common::Method), "", patterns),
        Subject::Text(slot, patterns) => of(Rare::Text(*slot), "", patterns),
        Subject::Host(patterns) => of(Rare::Host, "", patterns),
        Subject::Path(paths) => of(Rare::Common(Common::Path), "", paths.plain()?),
        Subject::Principal(principals) => of(Rare::Common(Common::Principal), "", principals.patterns()),
        Subject::Header(name, patterns) => of(Rare::Header(u16::try_from(name.len()).ok()?), name, patterns),
        Subject::Port(ports) => ports.iter().map(|port| Draft::of(Rare::Port, (*port).into())).collect(),
        _ => return None,
    })
}

impl Draft {
    /// A test that compares no text.
    fn of(asks: Rare, number: u32) -> Self {
        Self { asks, how: How::Exact, text: Vec::new(), number }
    }

    fn new(asks: Rare, before: &str, pattern: Pattern<'_>) -> Self {
        let (how, text) = match pattern {
            Pattern::Exact(text) => (How::Exact, text.as_bytes().to_vec()),
            Pattern::Prefix(text) => (How::Prefix, text.as_bytes().to_vec()),
            Pattern::Suffix(text) => (How::Suffix, text),
            Pattern::Present(presence) => (How::Present(presence), Vec::new()),
        };
        Self { asks, how, text: [before.as_bytes(), &text].concat(), number: 0 }
    }
}

/// Adds the chain of those clauses; none when it is too long.
fn append(clauses: Vec<Vec<Alternative>>, links: &mut Vec<Link>, texts: &mut Vec<u8>) -> Option<Start> {
    let start = Start(u32::try_from(links.len()).ok()?);
    let length = |alternative: &Alternative| alternative.iter().map(|step| step.tests.len()).sum::<usize>();
    let clause_length = |clause: &Vec<Alternative>| clause.iter().map(length).sum::<usize>();
    let whole: usize = clauses.iter().map(clause_length).sum();
    if whole >= usize::from(FAILS) {
        return None;
    }
    let mut at = 0;
    for clause in clauses {
        let clause_end = at + clause_length(&clause);
        let after = if clause_end == whole { HOLDS } else { clause_end as u16 };
        for alternative in clause {
            let end = at + length(&alternative);
            let no = if end == clause_end { FAILS } else { end as u16 };
            for step in alternative {
                let step_end = at + step.tests.len();
                let yes = if step_end == end { after } else { step_end as u16 };
                let (hit, miss) = if step.negated { (no, yes) } else { (yes, no) };
                for test in step.tests {
                    at += 1;
                    let no = if at == step_end { miss } else { at as u16 };
                    links.push(link(test, hit, no, texts)?);
                }
            }
        }
    }
    Some(start)
}

fn link(test: Draft, yes: u16, no: u16, texts: &mut Vec<u8>) -> Option<Link> {
    let length = u16::try_from(test.text.len()).ok()?;
    let text = if length == 0 { test.number } else { u32::try_from(texts.len()).ok()? };
    texts.extend(test.text);
    let asks = match (test.asks, test.how) {
        (Rare::Common(of), How::Exact) => Asks::Common { of, whole: true },
        (Rare::Common(of), How::Prefix) => Asks::Common { of, whole: false },
        (asks, _) => Asks::Rare(asks),
    };
    Some(Link { asks, how: test.how, yes, no, text, length })
}
