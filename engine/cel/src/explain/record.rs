//! Outcomes as they come, as a tree of what was really evaluated.

use std::fmt::{self, Write as _};

use super::Shown;
use crate::{
    activation::Origin,
    error::{EvalErrorKind, Fault},
    limits::{EXPLAIN_PARTS_MAX, EXPLAIN_ROUNDS_MAX, EXPLAIN_TEXT_MAX},
    partial::Sets,
    run::{Budget, Event, Watch},
    value::Value,
};

/// What became of one part.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) at: u32,
    pub(super) outcome: Result<Shown, Fault>,
    pub(super) inner: Vec<Record>,
    pub(super) rounds: Vec<Rounded>,
    pub(super) rounds_total: usize,
    /// The expression of the variable that it is, where this was the first time that it was read.
    pub(super) lazy: Option<(u16, Vec<Record>)>,
}

#[derive(Debug)]
pub(super) struct Rounded {
    pub(super) index: usize,
    pub(super) locals: Vec<Shown>,
    pub(super) inner: Vec<Record>,
    /// How many parts it has.
    size: usize,
}

/// Records what it is told.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) sets: Sets,
    /// The parts that are being evaluated, outermost first.
    open: Vec<Record>,
    /// Where records go: how deep `open` was when the round or variable began, and what they are part of.
    inside: Vec<Inside>,
    pub(super) done: Vec<Record>,
    /// How many parts there are.
    count: usize,
    /// How many parts are being evaluated that there is no room for.
    skipped: usize,
    pub(super) cut: bool,
}

#[derive(Debug)]
enum Inside {
    Round(usize, Rounded),
    Lazy(usize, u16, Vec<Record>),
}

impl Recorder {
    fn enter(&mut self, at: u32) {
        if self.skipped > 0 || self.count >= EXPLAIN_PARTS_MAX {
            self.skipped += 1;
            self.cut = true;
            return;
        }
        self.count += 1;
        // A fault that is never shown: what is left open was stopped by the budget.
        let outcome = Err(Fault::new(EvalErrorKind::Budget, at));
        self.open.push(Record { at, outcome, inner: Vec::new(), rounds: Vec::new(), rounds_total: 0, lazy: None });
    }

    fn leave(&mut self, outcome: Result<&Value<'_>, Fault>) {
        if self.skipped > 0 {
            self.skipped -= 1;
            return;
        }
        self.end_round();
        let Some(mut record) = self.open.pop() else { return };
        record.outcome = outcome.map(shown);
        self.put(record);
    }

    fn put(&mut self, record: Record) {
        let depth = self.open.len();
        let inner = match (self.inside.last_mut(), self.open.last_mut()) {
            (Some(Inside::Round(at, round)), _) if *at == depth => &mut round.inner,
            (Some(Inside::Lazy(at, _, inner)), _) if *at == depth => inner,
            (_, Some(around)) => &mut around.inner,
            (_, None) => &mut self.done,
        };
        inner.push(record);
    }

    fn begin_round(&mut self, index: usize, locals: &[Option<&Value<'_>>]) {
        if self.skipped > 0 {
            return;
        }
        self.end_round();
        let Some(around) = self.open.last_mut() else { return };
        around.rounds_total = index + 1;
        let locals = locals.iter().map(|local| local.map_or(Shown::Text(String::new()), shown)).collect();
        let round = Rounded { index, locals, inner: Vec::new(), size: self.count };
        self.inside.push(Inside::Round(self.open.len(), round));
    }

    /// Puts the round that is under way where it belongs: the first ones are kept, and the last one.
    fn end_round(&mut self) {
        let depth = self.open.len();
        let Some(around) = self.open.last_mut() else { return };
        if !matches!(self.inside.last(), Some(Inside::Round(at, _)) if *at == depth) {
            return;
        }
        let Some(Inside::Round(_, mut round)) = self.inside.pop() else { return };
        round.size = self.count.saturating_sub(round.size);
        if around.rounds.len() > EXPLAIN_ROUNDS_MAX
            && let Some(last) = around.rounds.pop()
        {
            self.count = self.count.saturating_sub(last.size);
        }
        around.rounds.push(round);
    }
}

impl Watch for Recorder {
    const PARTIAL: bool = true;
    const NODES: bool = true;

    fn unknown(&mut self, origin: Origin, key: Option<&str>, budget: &mut Budget) -> Result<u32, EvalErrorKind> {
        self.sets.unknown(origin, key, budget)
    }

    fn union(&mut self, one: u32, other: u32, budget: &mut Budget) -> Result<u32, EvalErrorKind> {
        self.sets.union(one, other, budget)
    }

    fn tell(&mut self, event: Event<'_, '_>, _: &mut Budget) -> Result<(), EvalErrorKind> {
        match event {
            Event::Enter(at) => self.enter(at),
            Event::Leave(outcome) => self.leave(outcome),
            Event::Round(index, locals) => self.begin_round(index, locals),
            Event::Into(index) => {
                if self.skipped == 0 {
                    self.inside.push(Inside::Lazy(self.open.len(), index, Vec::new()));
                }
            }
            Event::Out => {
                if self.skipped == 0
                    && let Some(Inside::Lazy(_, index, inner)) = self.inside.pop()
                    && let Some(around) = self.open.last_mut()
                {
                    around.lazy = Some((index, inner));
                }
            }
        }
        Ok(())
    }
}

/// A value as it is shown: no more of it is made into text than is shown.
pub(super) fn shown(value: &Value<'_>) -> Shown {
    if let Value::Bool(value) = value {
        return Shown::Truth(*value);
    }
    let mut text = Short { text: String::new(), left: EXPLAIN_TEXT_MAX };
    if write!(text, "{value}").is_err() {
        text.text.push('…');
    }
    Shown::Text(text.text)
}

struct Short {
    text: String,
    left: usize,
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(character);
        }
        Ok(())
    }
}
