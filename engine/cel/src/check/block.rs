//! `cel.block`: its slots stand where macro variables do, and each may read those before it.

use super::{Checker, Meaning};
use crate::{
    ast::{Kind, NodeId, Span},
    error::Error,
    types::Type,
};

/// Where the slot of a block is while the expression runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slotted {
    /// Its place on the stack of macro variables.
    pub(crate) place: u16,
    /// Where the slots of its block end there.
    pub(crate) end: u16,
    /// What it holds.
    pub(crate) value: NodeId,
}

/// A block that is being checked.
pub(super) struct Block {
    slots: Box<[NodeId]>,
    /// The place of its first slot.
    base: usize,
    /// How many of its slots may be read.
    known: usize,
}

impl Checker<'_> {
    pub(super) fn block(&mut self, id: NodeId, body: NodeId) -> Type {
        let Kind::Block { slots, .. } = self.ast.kind(id).clone() else { return Type::Dyn };
        let base = self.scope.len();
        // No name is empty, so that none finds a slot.
        self.scope.extend(slots.iter().map(|_| (Span::default(), Type::Dyn)));
        self.blocks.push(Block { slots: slots.clone(), base, known: 0 });
        for slot in slots {
            self.check(slot);
            if let Some(block) = self.blocks.last_mut() {
                block.known += 1;
            }
        }
        let ty = self.check(body);
        self.blocks.pop();
        self.scope.truncate(base);
        ty
    }

    pub(super) fn slot(&mut self, id: NodeId, index: u32) -> Type {
        let index = index as usize;
        let found = self.blocks.last().and_then(|block| {
            let value = *block.slots.get(index).filter(|_| index < block.known)?;
            let place = (block.base + index) as u16;
            Some(Slotted { place, end: (block.base + block.slots.len()) as u16, value })
        });
        let Some(found) = found else {
            let count = self.blocks.last().map_or(0, |block| block.known);
            let error = Error::new(self.span(id), format!("there are only {count} parts of a block before this"));
            self.refuse(error.help("cel.index(n) reads part n of cel.block([parts], expression), within it"));
            self.settle(id, Meaning::Undeclared, Type::Dyn, 0);
            return Type::Dyn;
        };
        let ty = self.types.get(found.value.index()).cloned().unwrap_or(Type::Dyn);
        // As deep as what it holds: that is evaluated where it is first read.
        let below = self.heights.get(found.value.index()).copied().unwrap_or(0);
        self.settle(id, Meaning::Slot(found), ty.clone(), below);
        ty
    }
}
