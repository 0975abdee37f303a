//! Which parts depend on what is not known.

use crate::{
    activation::{Activation, Origin},
    ast::{Binary, Kind, NodeId},
    check::{Checked, Meaning},
    plan::is_headers,
    program::Program,
};

/// No macro variable.
const NONE: u16 = u16::MAX;

/// What is known of each node.
pub(super) struct Opens {
    nodes: Vec<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    /// Whether it may depend on something that is not known, macro variables aside.
    open: bool,
    /// The outermost macro variable without a known value that it names, of those around it.
    local: u16,
    /// Whether it calls a function of the host's own, which may give something else the next time.
    host: bool,
}

impl Open {
    const CLOSED: Self = Self { open: false, local: NONE, host: false };
    const HOST: Self = Self { open: true, local: NONE, host: true };
    const OPEN: Self = Self { open: true, local: NONE, host: false };

    fn and(self, other: Self) -> Self {
        Self { open: self.open || other.open, local: self.local.min(other.local), host: self.host || other.host }
    }
}

impl Opens {
    pub(super) fn of(program: &Program, activation: &dyn Activation) -> Self {
        let lazies = lazies(program, activation);
        Self { nodes: Finder::find(program.checked(), &lazies, activation).0 }
    }

    fn get(&self, id: NodeId) -> Open {
        self.nodes.get(id.index()).copied().unwrap_or(Open::OPEN)
    }

    /// Whether it depends on nothing that is not known.
    pub(super) fn is_closed(&self, id: NodeId) -> bool {
        let Open { open, local, .. } = self.get(id);
        !open && local == NONE
    }

    /// Whether it may be evaluated, perhaps to nothing known: it names no macro variable around it without a value, and
    /// gives the same whenever it is evaluated.
    pub(super) fn stands_alone(&self, id: NodeId) -> bool {
        let Open { local, host, .. } = self.get(id);
        !host && local == NONE
    }
}

/// For each variable that is evaluated when it is first read, whether it may depend on something that is not known.
fn lazies(program: &Program, activation: &dyn Activation) -> Vec<Open> {
    let lazies = program.lazies();
    let mut read = vec![false; lazies.len()];
    mark(program.checked(), &mut read);
    // A variable reads only those before it.
    for index in (0..lazies.len()).rev() {
        if let (Some(lazy), Some(true)) = (lazies.get(index), read.get(index)) {
            mark(lazy.program.checked(), &mut read);
        }
    }
    let mut open = Vec::with_capacity(lazies.len());
    for (lazy, read) in lazies.iter().zip(read) {
        let found = if read { Finder::find(lazy.program.checked(), &open, activation).1 } else { Open::HOST };
        open.push(found);
    }
    open
}

fn mark(checked: &Checked, read: &mut [bool]) {
    for meaning in &checked.meanings {
        if let Meaning::Lazy(index) = meaning
            && let Some(place) = read.get_mut(usize::from(*index))
        {
            *place = true;
        }
    }
}

struct Finder<'f> {
    checked: &'f Checked,
    lazies: &'f [Open],
    activation: &'f dyn Activation,
    nodes: Vec<Open>,
    /// Whether the macro variables in sight have known values.
    locals: Vec<bool>,
}

impl<'f> Finder<'f> {
    /// What is known of each node, and whether the whole depends on something that is not known.
    fn find(checked: &'f Checked, lazies: &'f [Open], activation: &'f dyn Activation) -> (Vec<Open>, Open) {
        let nodes = vec![Open::OPEN; checked.ast.nodes.len()];
        let mut finder = Self { checked, lazies, activation, nodes, locals: Vec::new() };
        let root = finder.node(checked.ast.root);
        (finder.nodes, root)
    }

    fn node(&mut self, id: NodeId) -> Open {
        let open = self.judge(id);
        if let Some(place) = self.nodes.get_mut(id.index()) {
            *place = open;
        }
        open
    }

    fn knows(&self, origin: Origin, key: Option<&str>) -> Open {
        if self.activation.knows(origin, key) { Open::CLOSED } else { Open::OPEN }
    }

    /// One key of an attribute.
    fn key(&self, slot: weir_attributes::Slot, key: &str) -> Open {
        let origin = Origin::Attribute(slot);
        if self.activation.attribute(slot).is_none() {
            return self.knows(origin, None);
        }
        let lower = is_headers(slot).then(|| key.to_ascii_lowercase());
        self.knows(origin, Some(lower.as_deref().unwrap_or(key)))
    }

    fn judge(&mut self, id: NodeId) -> Open {
        let checked = self.checked;
        match checked.meaning(id) {
            Meaning::Attribute(slot) => return self.knows(Origin::Attribute(slot), None),
            Meaning::Variable(index) => return self.knows(Origin::Variable(index as usize), None),
            Meaning::Lazy(index) => {
                return self.lazies.get(usize::from(index)).copied().unwrap_or(Open::HOST);
            }
            Meaning::Slot(slot) => {
                let value = self.nodes.get(slot.value.index()).copied().unwrap_or(Open::HOST);
                // Only with its block around it is it anything.
                return Open { local: value.local.min(slot.place), ..value };
            }
            Meaning::Local(index) => {
                let known = self.locals.get(usize::from(index)).copied().unwrap_or(false);
                return if known { Open::CLOSED } else { Open { open: false, local: index, host: false } };
            }
            _ => {}
        }
        let attribute = |id: &NodeId| match checked.meaning(*id) {
            Meaning::Attribute(slot) => Some(slot),
            _ => None,
        };
        match checked.ast.kind(id) {
            Kind::Select { operand, field, .. } if let Some(slot) = attribute(operand) => {
                self.node(*operand);
                self.key(slot, checked.ast.text(*field))
            }
            Kind::Index { operand, index, .. }
                if let (Some(slot), Some(key)) = (attribute(operand), checked.ast.constant_text(*index)) =>
            {
                self.node(*operand);
                self.node(*index);
                self.key(slot, key)
            }
            Kind::Binary { operator: Binary::In, left, right }
                if let (Some(key), Some(slot)) = (checked.ast.constant_text(*left), attribute(right)) =>
            {
                self.node(*left);
                self.node(*right);
                self.key(slot, key)
            }
            Kind::Fold(call) => {
                let range = self.node(call.range);
                let outer = self.locals.len();
                self.locals.extend(std::iter::repeat_n(false, 1 + usize::from(call.second.is_some())));
                let filter = call.filter.map_or(Open::CLOSED, |filter| self.node(filter));
                let body = self.node(call.body);
                self.locals.truncate(outer);
                inside(range.and(filter).and(body), outer)
            }
            Kind::Block { slots, body } => self.block(slots, *body),
            Kind::Bind { value, body, .. } => self.with_local(*value, *body, true),
            Kind::OptMap { operand, body, .. } => self.with_local(*operand, *body, false),
            kind => {
                let mut open = match checked.meaning(id) {
                    Meaning::Declared { .. } => Open::HOST,
                    _ => Open::CLOSED,
                };
                kind.children(|child| open = open.and(self.node(child)));
                open
            }
        }
    }

    fn block(&mut self, slots: &[NodeId], body: NodeId) -> Open {
        let outer = self.locals.len();
        self.locals.extend(slots.iter().map(|_| false));
        let slots = slots.iter().fold(Open::CLOSED, |open, slot| open.and(self.node(*slot)));
        let body = self.node(body);
        self.locals.truncate(outer);
        inside(slots.and(body), outer)
    }

    fn with_local(&mut self, value: NodeId, body: NodeId, known: bool) -> Open {
        let value = self.node(value);
        let outer = self.locals.len();
        self.locals.push(known && !value.open && value.local == NONE);
        let body = self.node(body);
        self.locals.pop();
        inside(value.and(body), outer)
    }
}

/// The same, seen from outside of a macro's variables: where only these have no value, nothing around it is missing.
fn inside(open: Open, outer: usize) -> Open {
    if usize::from(open.local) < outer { open } else { Open { local: NONE, ..open } }
}
