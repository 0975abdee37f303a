//! What was recorded, laid over what is written.

use std::{cell::Cell, sync::Arc};

use super::{
    Explanation, Outcome, Part, Round, Shown, Trees, decide,
    record::{Record, Recorder, Rounded, shown},
    sensitive::Sensitivity,
};
use crate::{
    ast::{Fold, Kind, NodeId},
    check::{Checked, Meaning},
    error::Fault,
    limits::{EXPLAIN_SHOWN_MAX, EXPLAIN_TEXT_MAX},
    plan::Probes,
    program::Program,
};

pub(super) fn explanation(trees: &Trees<'_>, outcome: Result<Shown, Fault>, mut recorder: Recorder) -> Explanation {
    let records = std::mem::take(&mut recorder.done);
    let room = Cell::new(EXPLAIN_SHOWN_MAX);
    let tree = Tree {
        trees,
        recorder: &recorder,
        program: trees.program,
        probes: &trees.probes,
        sensitivity: &trees.sensitivity,
        variable: None,
        room: &room,
    };
    let mut root = tree.whole(records);
    root.outcome = tree.outcome(tree.checked().ast.root, outcome);
    decide::mark(&mut root);
    Explanation { root, cut: recorder.cut || room.get() == 0 }
}

/// One of the trees: of the expression itself or of a variable that it reads.
struct Tree<'t> {
    trees: &'t Trees<'t>,
    recorder: &'t Recorder,
    program: &'t Program,
    probes: &'t Probes,
    sensitivity: &'t Sensitivity,
    variable: Option<&'t Arc<str>>,
    /// How many parts there is room for.
    room: &'t Cell<usize>,
}

impl Tree<'_> {
    fn checked(&self) -> &Checked {
        self.program.checked()
    }

    /// The whole of the tree.
    fn whole(&self, mut records: Vec<Record>) -> Part {
        let root = self.checked().ast.root;
        let mut part = self.part(root, &mut records);
        part.variable = self.variable.cloned();
        part
    }

    /// A part, with what was recorded of it among these.
    fn part(&self, id: NodeId, records: &mut Vec<Record>) -> Part {
        let ast = &self.checked().ast;
        let mut part = Part {
            span: ast.span(id).range(),
            source: one_line(ast.source_of(id)),
            variable: None,
            outcome: if self.recorder.cut { Outcome::Cut } else { Outcome::NotEvaluated },
            decides: false,
            parts: Vec::new(),
            rounds: Vec::new(),
            rounds_total: 0,
            shape: decide::Shape::of(ast.kind(id)),
        };
        if let Some(constant) = self.probes.constants.get(&id) {
            part.outcome = self.outcome(id, Ok(shown(constant)));
            return part;
        }
        let record = records.iter().position(|record| record.at == id.0).map(|place| records.remove(place));
        let Some(mut record) = record else {
            // Its own line shows all of it.
            return part;
        };
        self.parts(id, &mut record.inner, &mut part);
        part.outcome = self.outcome(id, record.outcome);
        part.rounds_total = record.rounds_total;
        part.rounds = record.rounds.into_iter().map(|round| self.round(id, round)).collect();
        if let Some((index, inner)) = record.lazy {
            part.parts.extend(self.lazy(index, inner));
        }
        part
    }

    fn parts(&self, id: NodeId, records: &mut Vec<Record>, part: &mut Part) {
        let mut shown = Vec::new();
        match self.checked().ast.kind(id) {
            Kind::Fold(call) => self.shown(call.range, &mut shown),
            Kind::Block { body, .. } => self.shown(*body, &mut shown),
            // Where a slot is first read is where it is evaluated.
            Kind::Slot(_) => {
                if let Meaning::Slot(slot) = self.checked().meaning(id)
                    && !records.is_empty()
                {
                    self.shown(slot.value, &mut shown);
                }
            }
            kind => kind.children(|child| self.shown(child, &mut shown)),
        }
        for child in shown {
            // Rounds of rounds would show what was not evaluated again and again.
            let Some(room) = self.room.get().checked_sub(1) else { return };
            self.room.set(room);
            part.parts.push(self.part(child, records));
        }
    }

    /// The node, or what is below it, that is worth showing.
    fn shown(&self, id: NodeId, shown: &mut Vec<NodeId>) {
        if self.probes.nodes.contains(&id) || self.probes.constants.contains_key(&id) {
            shown.push(id);
        } else if !matches!(self.checked().ast.kind(id), Kind::Literal(_)) {
            self.checked().ast.kind(id).children(|child| self.shown(child, shown));
        }
    }

    fn round(&self, id: NodeId, mut round: Rounded) -> Round {
        let ast = &self.checked().ast;
        let Kind::Fold(call) = ast.kind(id) else {
            return Round { index: round.index, variables: Vec::new(), parts: Vec::new() };
        };
        let names = [Some(call.name), call.second].into_iter().flatten().map(|name| ast.text(name).to_owned());
        let masked = self.sensitivity.is(call.range);
        let values = round.locals.into_iter().map(|value| mask(value, masked));
        let mut nodes = Vec::new();
        call.filter.into_iter().for_each(|filter| self.shown(filter, &mut nodes));
        let filtered = !nodes.is_empty();
        self.shown(call.body, &mut nodes);
        let mut parts: Vec<Part> = nodes.into_iter().map(|node| self.part(node, &mut round.inner)).collect();
        if call.fold == Fold::Filter || !filtered {
            parts.retain(|part| !matches!(part.outcome, Outcome::NotEvaluated));
        }
        Round { index: round.index, variables: names.zip(values).collect(), parts }
    }

    fn lazy(&self, index: u16, records: Vec<Record>) -> Option<Part> {
        let lazy = self.trees.program.lazies().get(usize::from(index))?;
        let (probes, sensitivity) = self.trees.variables.get(usize::from(index))?.as_ref()?;
        let tree = Tree { program: &lazy.program, probes, sensitivity, variable: Some(&lazy.name), ..*self };
        Some(tree.whole(records))
    }

    fn outcome(&self, id: NodeId, outcome: Result<Shown, Fault>) -> Outcome {
        match outcome {
            Ok(value) => Outcome::Value(mask(value, self.sensitivity.is(id))),
            Err(fault) if fault.is_unknown() => Outcome::Unknown(self.recorder.sets.listed(fault.node)),
            Err(fault) => Outcome::Error(self.program.error(fault)),
        }
    }
}

fn mask(value: Shown, masked: bool) -> Shown {
    match value {
        Shown::Text(_) if masked => Shown::Masked,
        value => value,
    }
}

/// A source on one line, shortened.
fn one_line(source: &str) -> String {
    let mut line = String::new();
    for (count, word) in source.split_whitespace().enumerate() {
        if count > 0 {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * EXPLAIN_TEXT_MAX {
            break;
        }
    }
    match line.char_indices().nth(EXPLAIN_TEXT_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
