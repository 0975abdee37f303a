//! What takes most, for the refusal.

use super::{Cost, bounds::Spend};
use crate::{
    ast::{Fold, Kind, NodeId},
    check::Checked,
    error::Error,
};

/// The nodes that take most by themselves.
#[derive(Debug, Default)]
pub(super) struct Worst {
    steps: Node,
    bytes: Node,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    at: u32,
    /// What it takes in all.
    takes: u64,
    /// How often it is evaluated.
    times: u64,
}

impl Worst {
    pub(super) fn note(&mut self, at: u32, own: Spend, times: u64) {
        for (worst, each) in [(&mut self.steps, own.steps.max), (&mut self.bytes, own.bytes.max)] {
            let takes = each.saturating_mul(times);
            if takes > worst.takes {
                *worst = Node { at, takes, times };
            }
        }
    }

    /// The error of an expression that may take more than `limit`, steps and bytes.
    pub(super) fn refuse(&self, cost: &Cost, limit: (u64, u64), checked: &Checked) -> Option<Error> {
        let (worst, message) = if cost.steps.1 > limit.0 {
            let takes = format!("take {} steps", amount(cost.steps.1));
            (self.steps, format!("the expression may {takes}, the limit is {}", amount(limit.0)))
        } else if cost.bytes.1 > limit.1 {
            let takes = format!("allocate {} bytes", amount(cost.bytes.1));
            (self.bytes, format!("the expression may {takes}, the limit is {}", amount(limit.1)))
        } else {
            return None;
        };
        let id = NodeId(worst.at);
        let what = what(checked, id);
        let often = match worst.times {
            0 | 1 => format!("{what} alone takes {}", amount(worst.takes)),
            times => format!("{what} is evaluated up to {} times and takes {}", amount(times), amount(worst.takes)),
        };
        let error = Error::new(checked.ast.span(id).range(), format!("{message}: {often}"));
        let help = match worst.times {
            0 | 1 => "ask for less, such as one key or a part of the text",
            _ => "go through less, or compute what stays the same before: cel.bind(name, value, ...)",
        };
        Some(error.help(help))
    }
}

/// How a node is called.
fn what(checked: &Checked, id: NodeId) -> String {
    let name = match checked.ast.kind(id) {
        Kind::Fold(call) => match (call.fold, call.second) {
            (Fold::All, _) => "all",
            (Fold::Exists, _) => "exists",
            (Fold::ExistsOne, _) => "exists_one",
            (Fold::Map, None) => "map",
            (Fold::Map, Some(_)) => "transformList",
            (Fold::Filter, _) => "filter",
            (Fold::TransformMap, _) => "transformMap",
            (Fold::TransformMapEntry, _) => "transformMapEntry",
            (Fold::SortBy, _) => "sortBy",
        },
        Kind::Call { function, .. } => checked.ast.text(*function),
        Kind::Binary { operator, .. } => operator.symbol(),
        Kind::List(_) => "[...]",
        Kind::Map(_) => "{...}",
        _ => checked.ast.source_of(id),
    };
    let short = name.char_indices().nth(40).map_or(name, |(end, _)| name.get(..end).unwrap_or(name));
    format!("`{short}`")
}

/// A number with its thousands apart; without an end where there is none.
fn amount(number: u64) -> String {
    if number == u64::MAX {
        return "without end".to_owned();
    }
    let digits = number.to_string();
    let mut apart = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}
