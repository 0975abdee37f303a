//! Which parts of an expression have values that are not to be shown.

use weir_attributes::Slot;

use super::Sensitive;
use crate::{
    ast::{Kind, NodeId},
    check::{Checked, Meaning},
    plan::is_headers,
    program::Program,
};

/// Headers that carry credentials.
const CREDENTIALS: [&str; 7] =
    ["authorization", "cookie", "proxy-authorization", "referer", "set-cookie", "x-api-key", "x-forwarded-client-cert"];

/// For each node, whether its value comes from something sensitive.
pub(crate) struct Sensitivity(Vec<bool>);

impl Sensitivity {
    pub(crate) fn of(program: &Program, sensitive: Sensitive) -> Self {
        let checked = program.checked();
        let mut finder = Finder { checked, program, found: vec![false; checked.ast.nodes.len()], locals: Vec::new() };
        if sensitive == Sensitive::Mask {
            finder.find(checked.ast.root);
        }
        Self(finder.found)
    }

    pub(crate) fn is(&self, id: NodeId) -> bool {
        self.0.get(id.index()).copied().unwrap_or(false)
    }
}

struct Finder<'c> {
    checked: &'c Checked,
    program: &'c Program,
    found: Vec<bool>,
    /// Whether the macro variables in sight are sensitive.
    locals: Vec<bool>,
}

impl Finder<'_> {
    fn find(&mut self, id: NodeId) -> bool {
        let found = self.judge(id);
        if let Some(place) = self.found.get_mut(id.index()) {
            *place = found;
        }
        found
    }

    fn judge(&mut self, id: NodeId) -> bool {
        match self.checked.meaning(id) {
            Meaning::Attribute(slot) => return slot.attribute().sensitive || is_headers(slot),
            Meaning::Local(index) => return self.locals.get(usize::from(index)).copied().unwrap_or(true),
            Meaning::Slot(slot) => return self.found.get(slot.value.index()).copied().unwrap_or(true),
            Meaning::Lazy(index) => {
                let lazy = self.program.lazies().get(usize::from(index));
                return lazy.is_none_or(|lazy| {
                    let mut references = lazy.program.references().iter();
                    references.any(|reference| is_sensitive(reference.slot, reference.key.as_deref()))
                });
            }
            _ => {}
        }
        let checked = self.checked;
        match checked.ast.kind(id) {
            Kind::Select { operand, field, .. } => match checked.meaning(*operand) {
                Meaning::Attribute(slot) => is_sensitive(slot, Some(checked.ast.text(*field))),
                _ => self.find(*operand),
            },
            Kind::Index { operand, index, .. } => {
                match (checked.meaning(*operand), checked.ast.constant_text(*index)) {
                    (Meaning::Attribute(slot), Some(key)) => is_sensitive(slot, Some(key)),
                    _ => self.find(*operand) | self.find(*index),
                }
            }
            Kind::Fold(call) => {
                let range = self.find(call.range);
                let outer = self.locals.len();
                self.locals.extend(std::iter::repeat_n(range, 1 + usize::from(call.second.is_some())));
                let filter = call.filter.is_some_and(|filter| self.find(filter));
                let body = self.find(call.body);
                self.locals.truncate(outer);
                range | filter | body
            }
            Kind::Block { slots, body } => {
                let outer = self.locals.len();
                // Slots are found by their nodes; here they only keep the places of macro variables right.
                self.locals.extend(slots.iter().map(|_| true));
                let mut found = false;
                slots.iter().for_each(|slot| found |= self.find(*slot));
                found |= self.find(*body);
                self.locals.truncate(outer);
                found
            }
            Kind::Bind { value: of, body, .. } | Kind::OptMap { operand: of, body, .. } => {
                let of = self.find(*of);
                self.locals.push(of);
                let body = self.find(*body);
                self.locals.pop();
                of | body
            }
            kind => {
                let mut found = false;
                kind.children(|child| found |= self.find(child));
                found
            }
        }
    }
}

fn is_sensitive(slot: Slot, key: Option<&str>) -> bool {
    let credential = |key: &str| CREDENTIALS.iter().any(|name| name.eq_ignore_ascii_case(key));
    slot.attribute().sensitive || (is_headers(slot) && key.is_none_or(credential))
}
